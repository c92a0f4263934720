"""One search, from its beginning to its end or to Ctrl-C."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sktune._compat import num_samples
from sktune._errors import JournalError
from sktune._protocols import Listener, Strategy, StrategyAround, Workers
from sktune._types import Evaluation, Fit, FitOutcome, Params, SearchInfo, Unit
from sktune.engine import Engine
from sktune.execution import Job, WorkerPool, single_threaded
from sktune.journal import ReplayedWorkers, SearchJournal
from sktune.run._proposal import Proposal
from sktune.run._stack_keys import StackKeys
from sktune.run.listeners._budget import Budget
from sktune.run.listeners._callbacks import Callbacks
from sktune.run.listeners._cost import RefitCost
from sktune.run.listeners._kept_candidates import KeptCandidates
from sktune.run.listeners._progress import Progress
from sktune.run.listeners._refit_metric import RefitMetric
from sktune.run.listeners._time_left import TimeLeft
from sktune.run.listeners._told import Told

# Word for word scikit-learn's.
NO_FITS = "No fits were performed. Was the CV iterator empty? Were there no candidates?"


@dataclass
class SearchRun:
    """All that lives as long as one call of `fit`.

    Attributes
    ----------
    job : Job
        What fits have in common.
    proposal : Proposal
        Who decides, and on what.
    root : int
        Root of the seeds.
    journal : SearchJournal or None
    metric : RefitMetric
    callbacks : Callbacks
    told : Told
        The listeners that the search was given.
    announcement : str
        What is going to be done, for who asks for it by `verbose`.
    refit : bool
        Whether a refit follows, to tell how long all will take.
    verbose : int
    n_jobs : int or None
    pre_dispatch : int or str
    max_time : float or None
    max_resources_total : int or None
    n_kept : int
        Candidates whose fitted estimators are kept, where any are.
    budget : Budget
        What has been spent, from when the run has begun.
    progress : Progress
        Likewise.
    evaluations : list of Evaluation
        In the order in which they were decided on.
    """

    job: Job
    proposal: Proposal
    root: int
    journal: SearchJournal | None
    metric: RefitMetric
    callbacks: Callbacks
    told: Told
    announcement: str
    refit: bool = False
    verbose: int = 0
    n_jobs: int | None = None
    pre_dispatch: int | str = "2*n_jobs"
    max_time: float | None = None
    max_resources_total: int | None = None
    n_kept: int = 1
    budget: Budget = field(init=False)
    progress: Progress = field(init=False)
    evaluations: list[Evaluation] = field(init=False, default_factory=list)

    @property
    def rows(self) -> list[Evaluation]:
        """The evaluations that are complete, in the order of a table.

        It is read bracket by bracket; scores may have come in another order. Those that
        ran a candidate on some of the splits each are one row.
        """
        rows: dict[tuple[int, int, int], Evaluation] = {}
        for one in self.evaluations:
            if one.is_complete:
                key = one.candidate.bracket, one.iter, one.candidate.id
                rows[key] = one.with_those_of(rows.get(key))
        return [rows[key] for key in sorted(rows)]

    @property
    def is_over_budget(self) -> bool:
        """Whether a limit has ended the search before it was complete."""
        return self.budget.over is not None

    def search(self, cut_short: Callable[[BaseException], None]) -> None:
        """Search until nothing is left to decide.

        Where something ends it before, ``cut_short(reason)`` is called first of all:
        cleaning up may take long, or be interrupted too. Not where a fit is to end it
        that fails, as in scikit-learn.
        """
        strategy, raises = self.proposal.strategy, self.job.error_score == "raise"
        replayed: ReplayedWorkers | None = None
        self.budget = Budget(
            self.max_time,
            self.max_resources_total,
            len(self.job.splits),
            continues=self.proposal.cost.continues,
            is_replaying=lambda: replayed is not None and replayed.is_replaying,
        )
        # What has been sent to workers cannot be called back when the time is over.
        ahead = self.pre_dispatch if self.max_time is None else "n_jobs"
        self.progress = self._progress()
        context = self.callbacks.of_fit

        def may_start() -> bool:
            self.progress.begin_fits(pool.n_workers)
            return self.budget.has_time()

        with WorkerPool(self.job, self.n_jobs, ahead, may_start, context) as pool:
            workers: Any = pool
            if self.journal is not None:
                strategy = self.journal.strategy(strategy)
                workers = replayed = self.journal.workers(pool, raises=raises)
                if n := replayed.n_recorded:
                    self.progress.recorded = (
                        f"{n} fits are known from {self.journal.path}"
                    )
            self.told.begin(
                self._info(replayed), lambda fits: self._was_told(fits, replayed)
            )
            workers = Watched(workers, self.progress)
            engine = self._engine(strategy, workers)
            self.evaluations = engine.evaluations
            try:
                engine.run()
            except BaseException as reason:
                is_own = isinstance(reason, JournalError)
                if is_own or not isinstance(reason, Exception) or not raises:
                    cut_short(reason)
                raise
            finally:
                self.progress.close()
        self._check_rows()

    def _info(self, replayed: ReplayedWorkers | None) -> SearchInfo:
        """What listeners are told of the search beforehand."""
        resource = self.proposal.resource
        return SearchInfo(
            self.told.search,
            uuid.uuid4().hex if self.journal is None else self.journal.id,
            len(self.job.splits),
            None if resource is None else resource.name,
            0 if replayed is None else replayed.n_recorded,
        )

    def _was_told(self, fits: Sequence[Fit], replayed: ReplayedWorkers | None) -> bool:
        """Whether listeners heard of it from the search that has written the journal.

        While it is replayed it is what it was when it ended: what could be told by then
        was, and nothing else. Only where it has grown are fits that were told mixed
        with new ones.
        """
        if replayed is None or self.journal is None:
            return False
        if self.journal.changed and fits:
            return all(map(replayed.was_recorded, fits))
        return replayed.tells_recorded

    def _progress(self) -> Progress:
        proposal, n_splits = self.proposal, len(self.job.splits)
        cost, total = proposal.cost, self.max_resources_total
        if total is not None:
            cost = replace(cost, max_resources=total / max(1, n_splits))
        time_left = TimeLeft(
            cost,
            n_splits,
            proposal.n_pending,
            self._cost_of_refit() if self.refit and n_splits else None,
            self.budget.seconds_left,
            proposal.to_come() if self.verbose > 0 else None,
        )
        return Progress(
            proposal.n_evaluations,
            self.verbose,
            time_left,
            self.announcement,
            "" if proposal.resource is None else proposal.resource.name,
        )

    def _cost_of_refit(self) -> RefitCost:
        n_rows, (train, _) = num_samples(self.job.X), self.job.splits[0]
        n_resources, resource = 1, self.proposal.resource
        if resource is not None:
            in_rows = resource.continuation == "n_samples"
            n_resources = n_rows if in_rows else resource.max_resources
        # Splits are about as large as each other; they are indices, a mask or a slice.
        rows = train if isinstance(train, slice) else np.asarray(train)
        n_trained = len(np.arange(n_rows)[rows])
        return RefitCost(n_resources, n_rows / max(1, n_trained))

    def _engine(self, strategy: Strategy, workers: Any) -> Engine:
        proposal = self.proposal
        if proposal.problem.space is not None:
            strategy = SingleThreaded(strategy, self.progress.time_left.on_ask)
        listeners: list[Listener] = [_Forgetting(self.job), self.callbacks]
        if self.job.kept is not None:
            n_splits = len(self.job.splits)
            listeners.append(KeptCandidates(self.job.kept, self.n_kept, n_splits))
        listeners += [self.metric, self.progress, self.told]
        if proposal.all_failed is not None:
            listeners.append(proposal.all_failed)
        return Engine(
            strategy,
            proposal.schedule,
            proposal.problem,
            workers,
            root=self.root,
            score=self.metric.score,
            n_pending=proposal.n_pending,
            stack_key=StackKeys(self.job, self.journal),
            max_unit=self.job.max_stack,
            paired=proposal.paired,
            may_go_on=self.budget.allows,
            listeners=listeners,
        )

    def _check_rows(self) -> None:
        """Raise where nothing was done, and keep no states that nobody needs."""
        if not self.is_over_budget:
            if not self.rows:
                raise ValueError(NO_FITS)
            self.job.forget_all()
        elif not self.rows:
            raise ValueError(
                f"{self.budget} was spent before the first candidate was done. Allow "
                f"for more than {len(self.job.splits)} fits."
            )


class Watched:
    """Workers whose fits are told of as they are sent and as they come in.

    That is not the order of decisions.
    """

    def __init__(self, workers: Workers, progress: Progress) -> None:
        self._workers = workers
        self._progress = progress

    @property
    def n_workers(self) -> int:
        return self._workers.n_workers

    def submit(self, unit: Unit) -> None:
        self._progress.on_submit(unit)
        self._workers.submit(unit)

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        done = self._workers.next_done()
        for fit, outcome in done:
            self._progress.on_arrival(fit, outcome)
        return done


class _Forgetting(Listener):
    """Drops the states of candidates that need them no longer."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def on_stop(self, candidate: int) -> None:
        self._job.forget(candidate)

    on_forget = on_stop


class SingleThreaded(StrategyAround):
    """A strategy that computes with one thread: its last digits depend on how many.

    ``on_ask(seconds)`` is told how long each proposal took.
    """

    def __init__(self, strategy: Strategy, on_ask: Callable[[float], None]) -> None:
        super().__init__(strategy)
        self._on_ask = on_ask
        self._limited = single_threaded()

    def ask(
        self, state: Any, candidate: int, pending: Sequence[Params], seed: int
    ) -> Params | None:
        with self._timed():
            return self._strategy.ask(state, candidate, pending, seed)

    def expect(
        self,
        state: Any,
        candidates: Sequence[int],
        number: int,
        pending: Sequence[Params],
        seed: int,
    ) -> Sequence[float]:
        with self._timed():
            return super().expect(state, candidates, number, pending, seed)

    def explore(
        self, state: Any, candidate: int, parent: Params, seed: int
    ) -> Params | None:
        with self._timed():
            return super().explore(state, candidate, parent, seed)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        start = time.monotonic()
        with self._limited():
            yield
        self._on_ask(time.monotonic() - start)
