"""What is shown of a search, whether it is fitted or known by its journal only."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.stats
from sklearn.utils.validation import check_is_fitted

from sktune._errors import did_you_mean
from sktune.inspection._ranked_scores import best_row, scores_of
from sktune.inspection._words import words_of
from sktune.journal import as_json, environment, read_fits, read_search

# Where a candidate is in a search with rungs.
_PLACE = ("n_resources", "bracket", "iter", "parent")
# Quantiles by which the scale of a distribution is told.
_LEVELS = (0.01, 0.25, 0.5, 0.75, 0.99)
# Numbers that go further are drawn on a log scale, if they are about even there.
_FAR = 50.0
# Arguments that are not told of: they may be large, and hold what is to stay secret.
_LEFT_OUT = ("listeners", "warm_start_from")


@dataclass(frozen=True)
class RecordedRow:
    """A candidate at one resource: a row of `cv_results_`."""

    candidate: int
    params: Mapping[str, Any]  # plain: numbers, truth values, text, None
    scores: Mapping[str, Mapping[int, float]]  # by metric and split that was run
    fit_time: float  # seconds, mean over the splits that were run
    failed: bool = False
    stopped: bool = False
    n_resources: float | None = None
    bracket: int | None = None
    iter: int | None = None
    parent: int | None = None  # -1 and None: of none
    score_time: float = math.nan  # as `fit_time`

    @property
    def n_run(self) -> int:
        """Number of splits that it was run on."""
        return max(map(len, self.scores.values()), default=0)

    def mean(self, metric: str) -> float:
        """Mean score over the splits that were run; NaN where one failed."""
        return _mean(list(self.scores.get(metric, {}).values()))

    def score(self, metric: str) -> float:
        """The mean, and NaN where the candidate failed, whatever it was given then."""
        return math.nan if self.failed else self.mean(metric)

    def std(self, metric: str) -> float:
        """Standard deviation over the splits that were run."""
        values = list(self.scores.get(metric, {}).values())
        return float(np.std(values)) if values else math.nan


@dataclass(frozen=True)
class SearchRecord:
    """All that is shown of a search."""

    search: str  # name of its class
    metrics: tuple[str, ...]
    metric: str  # the one to rank by
    rows: tuple[RecordedRow, ...]
    best: int | None  # index of a row
    n_splits: int
    scales: Mapping[str, str]  # of each param: "log", "linear" or "category"
    resource: str | None = None  # what candidates are given more of
    curves: Sequence[Mapping[str, Any]] = ()  # as `curves_`
    leases: Sequence[Mapping[str, Any]] = ()  # as `leases_`
    fits: Sequence[Mapping[str, Any]] = ()  # of a journal, with tracebacks
    arguments: Mapping[str, Any] = field(default_factory=dict)  # as JSON
    versions: Mapping[str, Any] = field(default_factory=dict)
    hardware: Mapping[str, Any] = field(default_factory=dict)
    n_candidates: int | None = None  # that are planned; None where it is not known

    @property
    def ranked(self) -> list[int]:
        """Indices of the rows that have a score, the best first.

        Those that were given more, and judged by more splits, come first, since scores
        at less are not comparable.
        """
        scores = [row.score(self.metric) for row in self.rows]
        scored = [i for i, score in enumerate(scores) if math.isfinite(score)]
        ranked = sorted(scored, key=self._key, reverse=True)
        if self.best in ranked:
            ranked.remove(self.best)
            ranked.insert(0, self.best)
        return ranked

    def _key(self, i: int) -> tuple[Any, ...]:
        row = self.rows[i]
        amount, score = row.n_resources or 0, row.score(self.metric)
        # Of equals the first: sorted backwards, it needs the greater number.
        return (not row.stopped, amount, row.n_run, score, -i)


def record_of(
    search: Any, metric: str | None = None, *, with_fits: bool = True
) -> SearchRecord:
    """Read a fitted search, or the journal of one that may still run.

    Parameters
    ----------
    search : fitted search, or path of a journal
    metric : str, default=None
        The metric to rank by; by default the one that `refit` names, or the first.
    with_fits : bool, default=True
        Whether `fits` of a fitted search are read from its journal, which may be long.

    Raises
    ------
    ValueError
        For a metric that was not scored.
    NotFittedError
        For a search that is not fitted.
    JournalError
        Where there is no journal or it is broken.
    """
    if isinstance(search, str | os.PathLike):
        return _of_journal(search, metric)
    return _of_search(search, metric, with_fits)


def _of_search(search: Any, metric: str | None, with_fits: bool) -> SearchRecord:
    check_is_fitted(search, "cv_results_")
    results = search.cv_results_
    metrics = _named(results, "mean_test_")
    named = search.refit if isinstance(search.refit, str) else None
    scores = scores_of(search, metric or (named if named in metrics else metrics[0]))
    n_splits = int(search.n_splits_)
    n_run = results.get("n_splits_run", [n_splits] * len(results["params"]))
    best = best_row(search, scores, metric)
    rows = []
    for i, params in enumerate(results["params"]):
        place = {name: results[name][i].item() for name in _PLACE if name in results}
        by_split = {m: _scores_of_row(results, m, i, n_splits) for m in metrics}
        if n_run[i] < n_splits:  # of what was not run there is no score at all
            by_split = {
                m: {k: s for k, s in of.items() if not math.isnan(s)}
                for m, of in by_split.items()
            }
        rows.append(
            RecordedRow(
                candidate=int(scores.candidate[i]),
                params={name: plain(value) for name, value in params.items()},
                scores=by_split,
                fit_time=float(results["mean_fit_time"][i]),
                failed=not np.isfinite(scores.mean[i]),
                stopped=bool("stopped" in results and results["stopped"][i]),
                score_time=float(results["mean_score_time"][i]),
                **place,
            )
        )
    about, given_to = environment(), search.get_params(deep=False)
    journal = getattr(search, "journal", None) or ""
    fits = read_fits(journal) if with_fits and os.path.isfile(journal) else []
    given = getattr(search, "param_distributions", getattr(search, "param_grid", {}))
    return SearchRecord(
        search=type(search).__name__,
        metrics=metrics,
        metric=scores.metric,
        rows=tuple(rows),
        best=best if np.isfinite(scores.mean[best]) else None,
        n_splits=n_splits,
        scales=scales_by_values(given, [row.params for row in rows]),
        resource=None if scores.n_resources is None else _resource_of(search),
        curves=getattr(search, "curves_", None) or curves_of(fits),
        leases=getattr(search, "leases_", None) or (),
        fits=fits,
        arguments=as_json({k: v for k, v in given_to.items() if k not in _LEFT_OUT}),
        versions=about["versions"],
        hardware=about["hardware"],
        n_candidates=len(np.unique(scores.candidate)),
    )


def _of_journal(path: str | os.PathLike[str], metric: str | None) -> SearchRecord:
    header, fits = read_search(path)
    metrics = tuple(dict.fromkeys(m for fit in fits for m in _named(fit, "test_")))
    if metric is not None and fits and metric not in metrics:
        raise ValueError(
            f"metric={metric!r} was not scored; this search has {list(metrics)}."
            + did_you_mean(metric, metrics)
        )
    named = [header.get("refit"), header.get("refit_metric"), *metrics, "score"]
    metric = metric or next(m for m in named if m in metrics or m == "score")
    groups: dict[tuple[int, Any], list[dict[str, Any]]] = {}
    for fit in fits:
        groups.setdefault((fit["candidate"], fit.get("n_resources")), []).append(fit)
    rows = tuple(
        _row_of_fits(group, metrics)
        for group in sorted(groups.values(), key=_place_in_table)
    )
    arguments = dict(header.get("arguments") or {})
    given = arguments.get("param_distributions", arguments.get("param_grid", {}))
    has_rungs = any(row.n_resources is not None for row in rows)
    record = SearchRecord(
        search=str(header.get("search", "search")).rpartition(".")[2],
        metrics=metrics,
        metric=metric,
        rows=rows,
        best=None,
        n_splits=1 + max((fit["split"] for fit in fits), default=-1),
        scales=scales_by_values(given, [row.params for row in rows]),
        resource=_short(header.get("resource")) if has_rungs else None,
        curves=curves_of(fits),
        leases=_leases_of(fits),
        fits=fits,
        arguments=arguments,
        versions=header.get("versions") or {},
        hardware=header.get("hardware") or {},
        n_candidates=header.get("n_candidates"),
    )
    ranked = record.ranked
    return SearchRecord(**{**vars(record), "best": ranked[0] if ranked else None})


def curves_of(fits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `curves_`, of fits in a journal."""
    return [_curve_of(fit) for fit in fits if "curve" in fit]


def _curve_of(fit: Mapping[str, Any]) -> dict[str, Any]:
    epochs = fit.get("curve_epochs")
    return {
        "candidate": fit["candidate"],
        "split": fit["split"],
        "n_resources": fit.get("n_resources"),
        "epochs": epochs or range(1, len(fit["curve"]) + 1),
        "scores": fit["curve"],
        "on": "train_split" if epochs is None else "test",
        "stopped": bool(fit.get("stopped")),
    }


def _leases_of(fits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `leases_`, of fits in a journal, the earliest first."""
    rows = []
    for fit in fits:
        last = {
            name.removeprefix("lease_"): value
            for name, value in fit.items()
            if name.startswith("lease_")
        }
        if "device" not in last:
            continue
        first = last.pop("retry_of", None)  # under which it ran out of memory
        of = {name: fit.get(name) for name in ("candidate", "split", "n_resources")}
        rows += [
            {**of, **lease, "out_of_memory": lease is not last}
            for lease in ([last] if first is None else [first, last])
        ]
    return sorted(rows, key=lambda row: row["start"])


def _place_in_table(fits: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """In which order rows are in `cv_results_`, whatever ended first."""
    names = ("bracket", "iter", "candidate")
    return tuple(int(fits[0].get(name) or 0) for name in names)


def _row_of_fits(
    fits: Sequence[Mapping[str, Any]], metrics: Sequence[str]
) -> RecordedRow:
    first = fits[0]
    return RecordedRow(
        candidate=first["candidate"],
        params={
            name.removeprefix("param_"): plain(value)
            for name, value in first.items()
            if name.startswith("param_")
        },
        scores={
            m: {fit["split"]: _number(fit.get(f"test_{m}")) for fit in fits}
            for m in metrics
        },
        fit_time=_mean([_number(fit.get("fit_time")) for fit in fits]),
        failed=any(fit["status"] == "failed" for fit in fits),
        stopped=any(fit.get("stopped", False) for fit in fits),
        score_time=_mean([_number(fit.get("score_time")) for fit in fits]),
        **{k: first.get(k) for k in _PLACE if first.get("n_resources") is not None},
    )


def _named(names: Any, prefix: str) -> tuple[str, ...]:
    return tuple(n.removeprefix(prefix) for n in names if n.startswith(prefix))


def _scores_of_row(
    results: Mapping[str, Any], metric: str, i: int, n_splits: int
) -> dict[int, float]:
    names = [f"split{k}_test_{metric}" for k in range(n_splits)]
    return {k: float(results[n][i]) for k, n in enumerate(names) if n in results}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def plain(value: Any) -> Any:
    """A param as a number, a truth value, text or None."""
    if isinstance(value, Mapping) and "described" in value:  # in a journal
        return words_of(value["described"])
    if hasattr(value, "item") and np.ndim(value) == 0:
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return words_of(as_json(value))


def _short(name: Any) -> str | None:
    return None if name is None else str(name).rpartition("__")[2]


def _resource_of(search: Any) -> str | None:
    named = getattr(search, "resource_", getattr(search, "resource", "n_resources"))
    return _short(named)


def scales_by_values(
    given: Any, candidates: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """On which scale each param is drawn, by what is given of it and its values."""
    names = dict.fromkeys(name for params in candidates for name in params)
    return {
        name: _scale(
            [params[name] for params in candidates if name in params],
            list(_given_for(given, name)),
        )
        for name in names
    }


def _given_for(given: Any, name: str) -> Iterator[Any]:
    """What a param is drawn from, in each of the spaces that have it."""
    for space in given if isinstance(given, list | tuple) else [given]:
        if isinstance(space, Mapping) and name in space:
            yield space[name]


def _scale(values: Sequence[Any], given: Sequence[Any]) -> str:
    values = [v for v in values if v is not None]
    is_numeric = all(isinstance(v, int | float) for v in values)
    if not values or not is_numeric or any(isinstance(v, bool) for v in values):
        return "category"
    for one in given:
        if (levels := _levels(one)) is not None:
            return "log" if _is_log(levels) else "linear"
    return "log" if _is_log(sorted(set(values))) else "linear"


def _levels(given: Any) -> list[float] | None:
    """Some quantiles of a distribution, or the values of a list of numbers."""
    if isinstance(given, Mapping) and isinstance(given.get("distribution"), str):
        law = getattr(scipy.stats, given["distribution"], None)
        arguments = given.get("args", {})
        arguments = arguments.get("tuple", ()) if isinstance(arguments, dict) else ()
        try:
            given = law(*arguments, **given.get("kwds", {}))  # type: ignore[misc]
        except (TypeError, ValueError):
            return None
    quantile = getattr(given, "ppf", getattr(given, "icdf", None))
    if quantile is not None:
        return [float(quantile(level)) for level in _LEVELS]
    if isinstance(given, list | tuple) or hasattr(given, "tolist"):
        numbers = [v for v in np.asarray(given, dtype=object).tolist()]
        if all(isinstance(v, int | float) for v in numbers):
            return sorted(map(float, set(numbers)))
    return None


def _is_log(levels: Sequence[float]) -> bool:
    """Whether positive numbers are more even in the logarithm."""
    if len(levels) < 3 or levels[0] <= 0 or not np.isfinite(levels).all():
        return False
    if levels[-1] < _FAR * levels[0]:
        return False
    return _unevenness(np.log(levels)) < _unevenness(np.asarray(levels))


def _unevenness(levels: Any) -> float:
    """How far the median is from the middle, as a part of the range."""
    middle = (levels[0] + levels[-1]) / 2
    return float(abs(np.median(levels) - middle) / (levels[-1] - levels[0]))
