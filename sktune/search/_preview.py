"""What `fit` would run, for who looks at it beforehand: nothing of it is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sklearn.base import clone

from sktune._types import FitOutcome, Params, Unit
from sktune.engine import Engine
from sktune.execution import Job, WorkerPool, preserved_random_states, stack_key
from sktune.run import Budget, Proposal, StackKeys
from sktune.search._simulated_workers import Noting, SimulatedWorkers
from sktune.search.inputs._data import Data, read_data
from sktune.search.inputs._splits import draw_splits


@dataclass(frozen=True)
class Ran:
    """One unit that was really run.

    Attributes
    ----------
    unit : tuple of Fit
    outcomes : tuple of FitOutcome
    seconds : float
        From when it was sent to when it was back; with several workers, to when all
        were.
    """

    unit: Unit
    outcomes: tuple[FitOutcome, ...]
    seconds: float


@dataclass
class Preview:
    """A search that does not run.

    Attributes
    ----------
    search : BaseSearch
        A clone; of a search with rungs, `resource_` and `continuation_` are set.
    data : Data
    job : Job
    proposal : Proposal
    root : int
        Root of the seeds.
    units : list of tuple of Fit
        Units of a search whose scores are noise, once `candidates` was called.
    """

    search: Any
    data: Data
    job: Job
    proposal: Proposal
    root: int
    units: list[Unit] = field(init=False, default_factory=list)
    _candidates: dict[int, Unit] = field(init=False, default_factory=dict)
    _stack_keys: StackKeys = field(init=False)

    def __post_init__(self) -> None:
        self._stack_keys = StackKeys(self.job, None)

    @property
    def spares(self) -> bool:
        """Whether fits may be spared or end early, so that what is said is a bound."""
        search = self.search
        early = getattr(search, "early_stopping", None) is not None
        return bool(early or getattr(search, "racing", False))

    def first_units(self, *, by_shape: bool) -> list[Unit]:
        """Those that are decided on before the first score.

        With `by_shape` of all nets that may be of one shape; else what a search that
        looks what is quicker trains by itself is a unit by itself.
        """
        workers = Noting()
        if by_shape:
            self._engine(workers, key=lambda fit: stack_key(self.job, fit)).run()
        else:
            self._engine(workers).run()
        return workers.units

    def candidates(self, limit: float = 2.0) -> list[Unit]:
        """A unit of each candidate, as far as they are found in so many seconds."""
        if not self._candidates:
            run = self.simulated(lambda *_: 1.0, 1, limit)
            for unit in run.units:
                self._candidates.setdefault(unit[0].candidate, unit)
            self.units = run.units
        return list(self._candidates.values())

    def run(
        self, units: Sequence[Unit], n_jobs: int | None = 1
    ) -> tuple[list[Ran], int]:
        """Run units: one after the other, or all at once in workers.

        Returns
        -------
        ran : list of Ran
        n_workers : int
        """
        ran = []
        with WorkerPool(self.job, n_jobs, "all") as pool:
            if pool.n_workers == 1:
                for unit in units:
                    start = time.perf_counter()
                    pool.submit(unit)
                    done = pool.next_done()
                    passed = time.perf_counter() - start
                    ran.append(Ran(unit, tuple(one for _, one in done), passed))
                return ran, 1
            start = time.perf_counter()
            for unit in units:
                pool.submit(unit)
            outcomes: dict[int, list[FitOutcome]] = {}
            while done := pool.next_done():
                for fit, outcome in done:
                    outcomes.setdefault(fit.unit, []).append(outcome)
            passed = time.perf_counter() - start
        return (
            [Ran(unit, tuple(outcomes[unit[0].unit]), passed) for unit in units],
            pool.n_workers,
        )

    def simulated(
        self,
        seconds_of: Callable[[Unit, Sequence[int], bool], float],
        n_workers: int,
        limit: float,
        score_of: Callable[[Params], float] = lambda params: 0.0,
    ) -> SimulatedWorkers:
        """All decisions of the search, with units that take as long as is said.

        Parameters
        ----------
        seconds_of : callable
            ``seconds_of(unit, steps, resumes)``: the unit, the resource that each of
            its fits is given from where it was, and whether it goes on.
        n_workers : int
        limit : float
            Seconds that the decisions themselves may take; then nothing more is
            decided on.
        score_of : callable
            ``score_of(params)``, about; not asked where fits may be spared, so that
            none is.
        """
        resource = self.proposal.resource
        continues = resource is not None and resource.continues
        workers = SimulatedWorkers(
            seconds_of,
            self.root,
            min(n_workers, self.n_slots or n_workers),
            continues=continues,
            score_of=(lambda params: 0.0) if self.spares else score_of,
            noise=0.0 if self.spares else 0.01,
            objectives=self.proposal.problem.objectives,
        )
        budget = Budget(
            limit,
            getattr(self.search, "max_resources_total", None),
            self.data.n_splits,
            continues=continues,
        )
        self._engine(workers, budget.allows).run()
        workers.is_cut = budget.over == "max_time"
        return workers

    @property
    def n_slots(self) -> int | None:
        """Fits that devices have room for; None where that is not said."""
        if self.job.placement is None:
            return None
        limits = [device.n_fits for device in self.job.placement.here()]
        numbers = [n for n in limits if isinstance(n, int)]
        return sum(numbers) if len(numbers) == len(limits) else None

    def _engine(self, workers: Any, may_go_on: Any = None, key: Any = None) -> Engine:
        proposal = self.proposal
        return Engine(
            proposal.strategy,
            proposal.schedule,
            proposal.problem,
            workers,
            root=self.root,
            score=lambda outcome: outcome.test_scores["score"],
            n_pending=proposal.n_pending,
            stack_key=key or self._stack_keys,
            max_unit=self.job.max_stack,
            may_go_on=may_go_on or (lambda decision, evaluations: True),
        )


@contextmanager
def preview(
    search: Any, X: Any, y: Any, params: Mapping[str, Any], **changes: Any
) -> Iterator[Preview]:
    """What `fit` of a search would run.

    The search stays as it is, and so do the caller's random states. No journal is
    written, no listener told, and states of paused fits are in a folder of their own.

    Parameters
    ----------
    search : BaseSearch
    X, y, params : as `fit` takes them
    **changes : dict
        Arguments of the search that are to be others.

    Raises
    ------
    ValueError
        For what `fit` would refuse.
    """
    search._validate_params()
    search = clone(search)  # draws nothing from generators of the user's
    changes = {"journal": None, "keep": None, "verbose": 0, **changes}
    if hasattr(search, "checkpoints"):
        changes["checkpoints"] = None
    search.set_params(**changes)
    with preserved_random_states():
        data = read_data(search, search._searched(), X, y, dict(params))
        search.n_splits_ = data.n_splits
        root = search._root(None)
        proposal = search._propose(data, root)
        splits = draw_splits(data.cv, data.X, data.y, data.n_splits, data.split_params)
        given = (data, splits, proposal, root, None)
        with search._job_options(*given) as options:
            options["max_stack"] = search._max_stack(data, None)
            job = search._job(*given, options)
            yield Preview(search, data, job, proposal, root)
