"""What all fits of one search have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sklearn.base import clone

from sktune._compat import scorer_of
from sktune.execution.estimators._nets import find_nets, silence
from sktune.execution.estimators._resource import Resource
from sktune.execution.estimators._subsets import Subset
from sktune.execution.guards._random_states import draws_globally
from sktune.execution.guards._settings import Settings
from sktune.persistence import Checkpoints
from sktune.placement import Placement

Split = tuple[Any, Any]
"""The rows to train on and the rows to test on: indices, masks or slices."""


@dataclass(frozen=True)
class Job:
    """All that the fits of one search have in common; it is sent to each worker once.

    Attributes
    ----------
    estimator : estimator
        Never fitted itself; its nets print nothing (`silenced`).
    X, y : data
    splits : sequence of (train, test)
    scorer : callable
        One scorer, or several joined.
    fit_params, score_params : dict
        Metadata; what is as long as X is cut with it.
    error_score : float or "raise"
    return_train_score : bool
    verbose : int
    n_candidates : int or None
        For messages.
    caller : estimator or None
        The search, for scikit-learn's callbacks; None where there are none.
    root : int
        Root of the seeds of what candidates share.
    threads_of_a_net : int or None
        Threads that each net is trained with. Where a search is to be repeatable, their
        number must not depend on that of the workers, since the order in which torch
        adds numbers up does (docs/decisions/0003-threads-of-a-net.md).
    resource : Resource or None
        None where candidates get everything at once.
    checkpoints : Checkpoints or None
        Where states of paused fits are kept; None keeps nothing.
    subsets : sequence of Subset or None
        For each split, where the resource is ``n_samples``.
    fit_timeout : float or None
        Seconds.
    fit_memory : float, str or None
        Bytes, or a text such as "2GB".
    placement : Placement or None
        With one, each unit leases a device.
    refuse_alike : bool
        Whether what one candidate refuses of X, all do: then the search ends with it.
    settings : Settings
        What the program has set in torch and numpy.
    stacked : bool or "auto"
        Whether nets of one shape are trained as one; "auto" has been decided on for
        each unit that workers are given.
    max_stack : int or None
        Nets of a unit at most.
    curve_on : {"train_split", "test"} or None
        Where the learning curves are from that rules look at; None where there are no
        rules.
    refit : str or bool
        The metric that decides, of several; True is the first.
    kept : Checkpoints or None
        Where fitted estimators are kept; None keeps none.
    """

    estimator: Any
    X: Any
    y: Any
    splits: Sequence[Split]
    scorer: Callable[..., Any]
    fit_params: Mapping[str, Any]
    score_params: Mapping[str, Any]
    error_score: float | str
    return_train_score: bool
    verbose: int
    n_candidates: int | None
    caller: Any = None
    root: int = 0
    threads_of_a_net: int | None = None
    resource: Resource | None = None
    checkpoints: Checkpoints | None = None
    subsets: Sequence[Subset] | None = None
    fit_timeout: float | None = None
    fit_memory: float | str | None = None
    placement: Placement | None = None
    refuse_alike: bool = False
    settings: Settings = field(default_factory=Settings)
    stacked: bool | str = False
    max_stack: int | None = None
    curve_on: str | None = None
    refit: Any = True
    kept: Checkpoints | None = None

    @cached_property
    def has_net(self) -> bool:
        """Whether there is a net in the estimator as it stands."""
        return bool(find_nets(self.estimator))

    @cached_property
    def draws_globally(self) -> bool:
        """Whether its fits draw from generators that the whole process shares."""
        return draws_globally(self.estimator)

    def forget(self, candidate: int) -> None:
        """Drop what was kept for a candidate that will not be resumed."""
        if self.checkpoints is not None:
            self.checkpoints.drop(candidate)

    def forget_all(self) -> None:
        """Let go of what was kept for a search that might have been continued."""
        if self.checkpoints is not None:
            self.checkpoints.may_go()


def silenced(estimator: Any, scorer: Any) -> tuple[Any, Any]:
    """A clone whose nets print nothing, and a scorer that knows it.

    The tables that nets print while they train would interleave.
    """
    estimator = silence(clone(estimator))
    return estimator, scorer_of(scorer, estimator)
