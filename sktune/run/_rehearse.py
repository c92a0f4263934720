"""A search that has grown, run up to where its journal ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sktune._types import FitOutcome
from sktune.engine import Engine
from sktune.journal import SearchJournal
from sktune.run._proposal import Proposal
from sktune.run._run import SingleThreaded


def rehearse(
    proposal: Proposal,
    root: int,
    journal: SearchJournal,
    score: Callable[[FitOutcome], float | None],
) -> None:
    """See that a search decides as its journal has it; runs and writes nothing.

    Parameters
    ----------
    proposal, root, score : as a run takes them
    journal : SearchJournal

    Raises
    ------
    JournalError
        At the first decision that is another one.
    """
    rehearsal = journal.rehearsal(in_order=proposal.schedule.in_order)
    strategy: Any = rehearsal.strategy(proposal.strategy)
    if proposal.problem.space is not None:
        strategy = SingleThreaded(strategy, on_ask=lambda seconds: None)
    engine = Engine(
        strategy,
        proposal.schedule,
        proposal.problem,
        rehearsal.workers(),
        root=root,
        score=score,
        n_pending=proposal.n_pending,
    )
    is_over = all(one.is_complete for one in engine.run())
    rehearsal.check(proposal.strategy, proposal.problem.n_candidates, is_over=is_over)
