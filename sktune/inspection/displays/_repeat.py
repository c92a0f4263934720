"""The best candidates under other seeds and splits, as points and intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sktune._text import cut, short_names
from sktune.inspection._table import text_of
from sktune.inspection.displays._axes import BLUE, VERMILLION, legend_above, new_axes

_LONGEST = 44  # characters of the params of a candidate


class RepeatDisplay:
    """Scores of candidates under other seeds and splits, beside those of the search.

    A row for each candidate, the best first: a point for each repetition, their mean
    with its interval, and the score that the search gave. Beside it is the probability
    that the candidate is the best of these.

    It is made by `from_repetition`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    repetitions : array-like of shape (n_candidates, n_seeds)
        Mean score of each repetition.
    mean, low, high : array-like of shape (n_candidates,)
        Mean of all, and the ends of its interval.
    search_scores : array-like of shape (n_candidates,)
    probability_best : array-like of shape (n_candidates,)
    labels : sequence of str
        Names of the candidates.
    winner : int, default=0
        Which of them has won the search.
    metric : str, default="score"

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    Examples
    --------
    >>> from sktune.inspection import RepeatDisplay
    >>> display = RepeatDisplay(
    ...     repetitions=[[0.9, 0.8], [0.7, 0.8]], mean=[0.85, 0.75], low=[0.8, 0.7],
    ...     high=[0.9, 0.8], search_scores=[0.88, 0.9], probability_best=[0.9, 0.1],
    ...     labels=["lr=0.1", "lr=1"], winner=1)
    >>> [text.get_text() for text in display.plot().ax_.get_yticklabels()]
    ['lr=0.1', 'lr=1 (won)']
    """

    def __init__(
        self,
        *,
        repetitions: Any,
        mean: Any,
        low: Any,
        high: Any,
        search_scores: Any,
        probability_best: Any,
        labels: Sequence[str],
        winner: int = 0,
        metric: str = "score",
    ) -> None:
        self.repetitions = repetitions
        self.mean = mean
        self.low = low
        self.high = high
        self.search_scores = search_scores
        self.probability_best = probability_best
        self.labels = labels
        self.winner = winner
        self.metric = metric

    @classmethod
    def from_repetition(cls, found: Any, *, ax: Any = None) -> RepeatDisplay:
        """Draw what `repeat` has found.

        Parameters
        ----------
        found : Repetition
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.

        Returns
        -------
        display : RepeatDisplay
        """
        return cls(
            repetitions=found.scores[found.metric].mean(axis=2),
            mean=found.mean,
            low=found.low,
            high=found.high,
            search_scores=found.search_scores,
            probability_best=found.probability_best,
            labels=_labels(found.candidates, found.params),
            winner=list(found.candidates).index(found.winner),
            metric=found.metric,
        ).plot(ax)

    def plot(self, ax: Any = None) -> RepeatDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : RepeatDisplay
        """
        scores, n = np.asarray(self.repetitions, dtype=float), len(self.labels)
        if ax is None:
            ax = new_axes("RepeatDisplay", (7.2, 1.4 + 0.45 * n))
        self.ax_, self.figure_ = ax, ax.figure
        places, mean = np.arange(n), np.asarray(self.mean, dtype=float)
        handles: dict[str, Any] = {}
        beside = np.linspace(-0.22, 0.22, scores.shape[1] + 2)[1:-1]
        (handles["a repetition"],) = ax.plot(
            scores.ravel(),
            (places[:, None] + beside).ravel(),
            "o",
            color=BLUE,
            alpha=0.35,
            markersize=4,
        )
        ends = np.array([mean - self.low, self.high - mean])
        handles["their mean, with its interval"] = ax.errorbar(
            mean, places, xerr=ends, fmt="o", color=BLUE, capsize=3, markersize=7
        )
        (handles["in the search"],) = ax.plot(
            self.search_scores,
            places,
            "D",
            color=VERMILLION,
            markerfacecolor="none",
            markersize=7,
        )
        shown = [
            f"{label} (won)" if k == self.winner else label
            for k, label in enumerate(self.labels)
        ]
        ax.set_yticks(places, shown)
        ax.set_ylim(n - 0.4, -0.6)
        ax.set_xlabel(self.metric)
        self._write_probabilities(places)
        legend_above(ax, handles, ncols=2)
        return self

    def _write_probabilities(self, places: Any) -> None:
        """At the right edge, where nothing is drawn."""
        ax, p = self.ax_, self.probability_best
        right = ax.secondary_yaxis("right")
        right.set_yticks(places, [f"{100 * one:.0f} %" for one in p])
        right.tick_params(length=0)
        right.set_ylabel("probability of being best")


def _labels(candidates: Any, params: Sequence[Mapping[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for one in params for name in one))
    short = dict(zip(names, short_names(names), strict=True))
    texts = [
        ", ".join(f"{short[k]}={_text(v)}" for k, v in one.items()) for one in params
    ]
    if any(len(text) > _LONGEST for text in texts) or len(set(texts)) < len(texts):
        numbers = zip(candidates, texts, strict=True)
        return [cut(f"{number}: {text}", _LONGEST) for number, text in numbers]
    return texts


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else text_of(value)
