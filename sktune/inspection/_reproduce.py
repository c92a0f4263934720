"""A candidate of a search that is over, trained again and compared bit for bit."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sktune._types import NAMELESS, Fit, FitOutcome
from sktune.inspection._recorded_fits import (
    RecordedCandidate,
    RecordedFit,
    recorded_candidate,
)
from sktune.inspection._repeat import refuse_typos
from sktune.inspection._reproduction import (
    ComparedFit,
    Difference,
    Reproduction,
    curve_difference,
)
from sktune.journal import environment, fingerprint


def reproduce(
    search: Any,
    X: Any,
    y: Any = None,
    *,
    candidate: int | None = None,
    **fit_params: Any,
) -> Reproduction:
    """Train a candidate of a search again, and compare its scores bit for bit.

    Each split is trained by itself with the seed that it had, in one go up to the most
    that the candidate was given, whatever pauses it had in the search. What ran it then
    and what runs it now is compared, too.

    Parameters
    ----------
    search : search
        One of sktune's that is fitted; or one that is not, with the `journal` that it,
        or another process with the same program, has written. A journal holds data and
        no code, so that estimator, space, `cv` and `scoring` are the search's.
    X, y : as `fit` takes them
        What the search was fitted on.
    candidate : int, default=None
        Its number, as in ``cv_results_["candidate"]`` or, without such a column, its
        row; by default the best one.
    **fit_params : dict
        Further arguments of `fit`, such as `groups` or `sample_weight`.

    Returns
    -------
    reproduction : Reproduction
        Whether all scores are equal, by how much not, and what differs that may be why.
        Prints as a table and some sentences.

    Raises
    ------
    NotFittedError
        For a search that is not fitted and has no journal.
    TypeError
        For the path of a journal, and for searches of others, whose seeds are unknown.
    ValueError
        For a candidate that the search does not have, and for what `fit` would refuse.

    Notes
    -----
    Equal are nets that were paused and went on, at any rung, and whatever number of
    workers there was. Not equal in their last digits may be: nets that were trained as
    one with others (`stacked`), unless a journal tells with which; what ran on a GPU,
    with kernels that add up as threads come; and what ran under other versions, with
    other threads or on another processor.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sktune import GridSearchCV
    >>> from sktune.inspection import reproduce
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(n_estimators=5)
    >>> search = GridSearchCV(forest, {"max_depth": [1, 3]}, cv=2).fit(X, y)
    >>> reproduce(search, X, y, candidate=1).is_equal
    True
    """
    refuse_typos(reproduce, fit_params)
    if isinstance(search, str | os.PathLike):
        raise TypeError(
            f"{os.fspath(search)!r} is a journal, which holds no code. Give the search "
            "that has written it, with journal= this path; it need not be fitted."
        )
    if not hasattr(search, "_run_again"):
        raise TypeError(
            f"A search of sktune is needed, not {type(search).__name__}: of others the "
            "seeds of their fits are not known."
        )
    then = recorded_candidate(search, candidate)
    units = _units(then)
    watches = getattr(search, "early_stopping", None) is not None
    came, job = search._run_again(
        X,
        y,
        fit_params,
        [tuple(_fit_of(one, watches=watches) for one in unit) for unit in units],
        root=then.root,
        threads=then.environment.get("threads"),
    )
    outcomes = {
        one.split: outcome
        for unit, of_unit in zip(units, came, strict=True)
        for one, outcome in zip(unit, of_unit, strict=True)
        if one.candidate == then.fits[0].candidate
    }
    now = _environment(job, then, fit_params)
    return Reproduction(
        candidate=then.fits[0].candidate,
        params=then.fits[0].params,
        n_resources=then.fits[0].n_resources,
        fits=[
            _compared(fit, outcomes[fit.split], job.error_score) for fit in then.fits
        ],
        differences=_differences(then.environment, now),
        is_unit_known=bool(then.mates) or all(f.n_stacked == 1 for f in then.fits),
    )


@dataclass(frozen=True)
class _StopsWhere:
    """Ends a training where it was ended; None: nowhere."""

    n_values: int | None

    def __call__(self, curve: Sequence[float]) -> bool:
        return self.n_values is not None and len(curve) >= self.n_values


def _units(then: RecordedCandidate) -> list[list[RecordedFit]]:
    """Fits that are trained together: those that were, as far as that is known."""
    alone = [[fit] for fit in then.fits if fit.unit not in then.mates]
    return [*then.mates.values(), *alone]


def _fit_of(one: RecordedFit, *, watches: bool) -> Fit:
    rule = None
    if watches:
        rule = _StopsWhere(len(one.curve or ()) if one.stopped else None)
    return Fit(
        one.candidate,
        one.split,
        one.params,
        one.seed,
        one.n_resources,
        stop_rule=rule,
        iter=one.iter,
        bracket=one.bracket,
        stages=one.stages,
    )


def _compared(then: RecordedFit, now: FitOutcome, error_score: Any) -> ComparedFit:
    def score(metric: str, before: float) -> float:
        found = now.test_scores.get(metric, now.test_scores.get(NAMELESS))
        if now.fit_error is None and found is not None:
            return float(found)
        # As a table has it that was given a number for those that fail.
        return before if before == error_score else math.nan

    return ComparedFit(
        then.split,
        then.scores,
        {metric: score(metric, before) for metric, before in then.scores.items()},
        curve_difference(then.curve, now.curve),
        then.device,
        None if now.lease is None else now.lease.get("device"),
        then.n_stacked,
    )


# -- what runs it --------------------------------------------------------------------


def _environment(
    job: Any, then: RecordedCandidate, fit_params: Mapping[str, Any]
) -> dict[str, Any]:
    """As the record has it, of what runs now; data only where the record tells."""
    data = {"X": job.X, "y": job.y, "splits": job.splits, **fit_params}
    return {
        **{k: fingerprint(v) for k, v in data.items() if k in then.environment},
        **environment(job.threads_of_a_net),
        "precision": job.settings.precision(),
    }


def _differences(
    then: Mapping[str, Any], now: Mapping[str, Any], where: str = ""
) -> list[Difference]:
    """What differs of what both know."""
    found: list[Difference] = []
    for name in then.keys() & now.keys():
        before, after = then[name], now[name]
        what = f"{where} {name}".strip()
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += _differences(before, after, name)
        elif before != after:
            found.append(Difference(what, before, after))
    return sorted(found, key=lambda one: one.what)
