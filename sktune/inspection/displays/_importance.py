"""How much each parameter matters, as bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sktune._text import cut, short_names
from sktune.inspection._param_importances import N_TREES, importances_of
from sktune.inspection._search_record import record_of
from sktune.inspection.displays._axes import BLUE, COLORS, NAME, legend_above, new_axes

_ALONE, _PAIR = "by itself", "two together, beyond that"


class ImportanceDisplay:
    """How much of the variance of the scores is due to each parameter, and to pairs.

    A bar for each parameter, the most important first, and for the pairs that matter
    most; lines are standard deviations over the trees of the forest.

    It is made by `from_search`; all parameters are attributes. Needs matplotlib:
    ``pip install "sktune[plot]"``.

    Parameters
    ----------
    importances : sequence of dict
        As `param_importances` gives them: `param`, `with`, `importance` and `std`.
    n_failed : int, default=0
        Candidates that failed, which are not among the scores.
    metric : str, default="score"
    n_bars : int, default=15
        Bars at most.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
    figure_ : matplotlib.figure.Figure

    See Also
    --------
    param_importances : The numbers, and how they are computed.

    Examples
    --------
    >>> from sktune.inspection import ImportanceDisplay
    >>> rows = [{"param": "lr", "with": "", "importance": 0.8, "std": 0.1},
    ...         {"param": "hidden", "with": "", "importance": 0.1, "std": 0.1},
    ...         {"param": "lr", "with": "hidden", "importance": 0.1, "std": 0.0}]
    >>> display = ImportanceDisplay(importances=rows).plot()
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['lr', 'hidden', 'lr & hidden']
    """

    def __init__(
        self,
        *,
        importances: Sequence[Mapping[str, Any]],
        n_failed: int = 0,
        metric: str = "score",
        n_bars: int = 15,
    ) -> None:
        self.importances = importances
        self.n_failed = n_failed
        self.metric = metric
        self.n_bars = n_bars

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        ax: Any = None,
        metric: str | None = None,
        n_trees: int = N_TREES,
        random_state: int = 0,
    ) -> ImportanceDisplay:
        """Draw a fitted search, or the journal of one that may still run.

        Parameters
        ----------
        search : fitted search, or path of a journal
        ax : matplotlib.axes.Axes, default=None
            Where to draw; by default in a new figure.
        metric : str, default=None
            The metric of the scores, where `scoring` has several; by default the one
            that `refit` names.
        n_trees, random_state : int
            As of `param_importances`.

        Returns
        -------
        display : ImportanceDisplay

        Raises
        ------
        ValueError
            Where fewer than four candidates have a score.
        """
        record = record_of(search, metric)
        return cls(
            importances=importances_of(record, n_trees, random_state),
            n_failed=len({row.candidate for row in record.rows if row.failed}),
            metric=record.metric,
        ).plot(ax)

    def plot(self, ax: Any = None) -> ImportanceDisplay:
        """Draw it, in a new figure or into `ax`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, default=None

        Returns
        -------
        display : ImportanceDisplay
        """
        rows = self._shown()
        if ax is None:
            high = max(2.4, 1.2 + 0.3 * len(rows))
            ax = new_axes("ImportanceDisplay", (6.4, high))
        self.ax_, self.figure_ = ax, ax.figure
        names = list(dict.fromkeys(str(row["param"]) for row in self.importances))
        short = dict(zip(names, short_names(names), strict=True))
        handles: dict[str, Any] = {}
        for label, color, is_pair in [
            (_ALONE, BLUE, False),
            (_PAIR, COLORS[1], True),
        ]:
            places = [k for k, row in enumerate(rows) if bool(row["with"]) == is_pair]
            if places:
                handles[label] = ax.barh(
                    places,
                    [rows[k]["importance"] for k in places],
                    xerr=_whiskers([rows[k] for k in places]),
                    color=color,
                    height=0.7,
                    error_kw={"ecolor": "0.25", "elinewidth": 1.2, "capsize": 2},
                )
        labels = [
            " & ".join(cut(short.get(name, name), NAME) for name in _names(row))
            for row in rows
        ]
        ax.set_yticks(range(len(rows)), labels)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_xlim(0, max(1.0, ax.get_xlim()[1]))
        legend_above(ax, handles)
        left_out = f" ({self.n_failed} failed left out)" if self.n_failed else ""
        ax.set_xlabel(f"share of the variance of {self.metric}{left_out}")
        return self

    def _shown(self) -> list[Mapping[str, Any]]:
        """Parameters first; pairs as far as there is room and they matter at all."""
        rows = list(self.importances)
        alone = [row for row in rows if not row["with"]][: self.n_bars]
        pairs = [row for row in rows if row["with"] and row["importance"] >= 0.005]
        return [*alone, *pairs[: min(self.n_bars - len(alone), 5)]]


def _names(row: Mapping[str, Any]) -> list[str]:
    return [row["param"], row["with"]] if row["with"] else [row["param"]]


def _whiskers(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Lower and upper length of the lines, which do not go below 0."""
    at = np.array([row["importance"] for row in rows])
    std = np.array([row["std"] for row in rows])
    return np.array([np.minimum(std, at), std])
