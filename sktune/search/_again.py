"""Candidates of a search that is over, trained again under its conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone

from sktune import _compat
from sktune._random import derive_seed
from sktune._types import Evaluation, FitOutcome, Params, Problem, Unit
from sktune.execution import Interrupts, Job, preserved_random_states, run_unit
from sktune.run import Cost, Proposal, Told
from sktune.schedule import Flat, Rung
from sktune.search._failures import warn_or_raise_about_failures
from sktune.search._results_table import outcomes_of
from sktune.search.inputs._data import Data, read_data
from sktune.search.inputs._splits import Split, draw_splits
from sktune.strategy import Listed

# What a search may have that is not to hold, or be told, a second time.
_NOT_AGAIN = {
    "journal": None,
    "keep": None,
    "listeners": None,
    "max_resources_total": None,
    "max_time": None,
    "warm_start_from": None,
}


@dataclass(frozen=True)
class Repeats:
    """What came of candidates under other seeds and splits.

    Attributes
    ----------
    evaluations : list of Evaluation
        One for each candidate, whose splits are those of all repetitions in turn.
    n_splits : int
        Of one repetition.
    has_new_splits : bool
        Whether each repetition has splits of its own.
    test_share : float
        Rows to test on for each row to train on, mean over the splits.
    """

    evaluations: list[Evaluation]
    n_splits: int
    has_new_splits: bool
    test_share: float


class RunsAgain:
    """What `sktune.inspection` has a search do when it is over."""

    def _repeat(
        self: Any,
        X: Any,
        y: Any,
        params: dict[str, Any],
        candidates: Sequence[Params],
        *,
        n_resources: int | None,
        n_seeds: int,
        root: int,
    ) -> Repeats:
        """Train candidates on the splits of some repetitions, as the search does.

        On one split all candidates have the same rows and the same seed.

        Parameters
        ----------
        X, y, params : as `fit` takes them
        candidates : sequence of dict
        n_resources : int or None
            What each is given, in a search with rungs.
        n_seeds : int
            Repetitions.
        root : int
            Of the seeds.
        """
        again = _bare(self, root)
        with Interrupts() as interrupts, preserved_random_states(), Told(again) as told:
            data = read_data(again, again._searched(), X, y, params)
            splits, has_new = _splits_of_repetitions(again.cv, data, n_seeds, root)
            again.n_splits_ = len(splits)
            proposal = _proposal(again, data, candidates, n_resources, len(splits))
            with again._job_options(data, splits, proposal, root, None) as options:
                options["max_stack"] = again._max_stack(data, None)
                n = len(candidates)
                run = again._run(
                    data,
                    splits,
                    proposal,
                    root,
                    None,
                    _compat.NoCallbacks(),
                    told,
                    options,
                    f"Repeating {n} candidates {n_seeds} times on {data.n_splits} "
                    f"splits: {n * len(splits)} fits",
                )
                run.refit = False
                run.search(cut_short=lambda reason: None)
            interrupts.raise_again()
        warn_or_raise_about_failures(outcomes_of(run.rows), again.error_score)
        share = _test_share(splits, _compat.num_samples(data.X))
        return Repeats(run.rows, data.n_splits, has_new, share)

    def _run_again(
        self: Any,
        X: Any,
        y: Any,
        params: dict[str, Any],
        units: Sequence[Unit],
        *,
        root: int,
        threads: Mapping[str, Any] | None,
    ) -> tuple[list[list[FitOutcome]], Job]:
        """Run some units of fits as they were run in the search, in this process.

        Parameters
        ----------
        X, y, params : as `fit` takes them
        units : sequence of Unit
        root : int
            Of the seeds.
        threads : dict or None
            As it was recorded; None where it was not, by earlier versions.

        Returns
        -------
        outcomes : list of list of FitOutcome
        job : Job
            What they had in common.
        """
        again = _bare(self, root)
        with preserved_random_states():
            data = read_data(again, again._searched(), X, y, params)
            again.n_splits_ = n = data.n_splits
            splits = draw_splits(data.cv, data.X, data.y, n, data.split_params)
            proposal = _proposal(again, data, (), None, n)
            given = (data, splits, proposal, root, None)
            with again._job_options(*given) as options:
                options["max_stack"] = again._max_stack(data, None)
                job = again._job(*given, options)
                if threads is not None:
                    job = replace(job, threads_of_a_net=threads["of_a_net"])
                return [run_unit(job, unit) for unit in units], job

    def _searched_values(self: Any, name: str) -> Iterator[Any]:
        """The values of a parameter that are listed in the space."""
        for searched in self._searched():
            values = searched.get(name, ())
            if isinstance(values, Sequence | np.ndarray) and not isinstance(
                values, str
            ):
                yield from values


def _bare(search: Any, root: int) -> Any:
    """A search that is not fitted, whose fits are seeded by a root."""
    if isinstance(search.cv, Iterator):
        raise ValueError(
            "cv is an iterator, which can be read only once, and the search has read "
            "it. Give the search a list of its splits: cv=list(cv)."
        )
    cheap = copy(search)
    names = search.get_params(deep=False)
    cheap.set_params(**{k: v for k, v in _NOT_AGAIN.items() if k in names})
    return clone(cheap).set_params(random_state=root)


def _proposal(
    search: Any,
    data: Data,
    candidates: Sequence[Params],
    n_resources: int | None,
    n_splits: int,
) -> Proposal:
    """Each candidate once, to one resource."""
    n, resource = len(candidates), search._resource_of(data)
    most = None if resource is None else resource.max_resources
    return Proposal(
        Listed(candidates),
        Flat(n, n_resources),
        Problem(None, n, most, n_splits),
        n,
        cost=Cost((Rung(0, 0, n, n_resources or 1),)),
        resource=resource,
        paired=True,
    )


def _splits_of_repetitions(
    given: Any, data: Data, n_seeds: int, root: int
) -> tuple[list[Split], bool]:
    """The splits of all repetitions, and whether they differ between these."""

    def draw(cv: Any) -> list[Split]:
        return draw_splits(cv, data.X, data.y, data.n_splits, data.split_params)

    may_shuffle = given is None or isinstance(given, Integral)
    splits: list[Split] = []
    for repetition in range(n_seeds):
        seed = derive_seed(root, "repetition", repetition)
        cv = reseeded(data.cv, seed, may_shuffle=may_shuffle)
        if cv is None:
            return draw(data.cv) * n_seeds, False
        splits += draw(cv)
    return splits, True


def reseeded(cv: Any, seed: int, *, may_shuffle: bool) -> Any:
    """A splitter that draws other splits; None where there is but one way to split.

    Parameters
    ----------
    cv : splitter
    seed : int
    may_shuffle : bool
        Whether one that does not shuffle may do so.
    """
    attributes: Mapping[str, Any] = getattr(cv, "__dict__", {})
    if "random_state" not in attributes:
        return None
    if not (attributes.get("shuffle", True) or may_shuffle):
        return None
    other = copy(cv)
    if "shuffle" in attributes:
        other.shuffle = True
    other.random_state = seed
    return other


def _test_share(splits: Sequence[Split], n_samples: int) -> float:
    rows = np.arange(n_samples)  # they may be indices, masks or slices
    shares = [len(rows[test]) / len(rows[train]) for train, test in splits]
    return float(np.mean(shares))
