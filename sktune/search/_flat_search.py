"""What searches share whose candidates get everything, unless it cannot matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, cast

import numpy as np

from sktune import _compat
from sktune._errors import did_you_mean
from sktune._protocols import Schedule, Strategy
from sktune._random import derive_seed
from sktune._types import StopRule
from sktune.execution import find_curves
from sktune.journal import SearchJournal
from sktune.run import Proposal
from sktune.schedule import (
    N_FIRST,
    EarlyStopping,
    Growth,
    LearningCurve,
    Percentile,
    Racing,
)
from sktune.search._base import BaseSearch
from sktune.search.inputs._data import Data

STANDARD_ERRORS = 2.33  # one in a hundred is further off by chance
# Candidates in flight at once where nobody says how many, alone and in stacks.
N_PENDING = 8
N_PENDING_STACKED = 32
N_PENDING_WITH_RULES = 4  # a rule knows little of what began with its fit
RULES: dict[str, EarlyStopping] = {"growth": Growth(), "median": Percentile(50)}
# Where several are in flight a rule knows less and stops later, which this makes up for
# (benchmarks/stopping).
RULES_OF_SEVERAL = {**RULES, "growth": Growth(keep=0.5)}


def half_of_the_rest(n_splits: int) -> int:
    """Splits by which candidates go on in stacks: larger steps make larger stacks."""
    return max(1, -(-(n_splits - N_FIRST) // 2))


class FlatSearch(BaseSearch):
    """Racing over splits and early stopping by curves; subclasses say what is tried."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseSearch._parameter_constraints,
        "racing": ["boolean", _compat.Interval(Real, 0, None, closed="neither")],
        "early_stopping": "no_validation",  # where it is read, with a better message
    }

    def __init__(
        self, estimator: Any, *, racing: Any, early_stopping: Any, **common: Any
    ) -> None:
        super().__init__(estimator, **common)
        self.racing = racing
        self.early_stopping = early_stopping

    def _flat(
        self,
        strategy: Strategy,
        n_candidates: int,
        data: Data,
        root: int,
        *,
        n_pending: int | None = None,
        shuffle: bool = False,
        **known: Any,
    ) -> Proposal:
        """Candidates of a strategy, and whether they are spared anything."""
        schedule: Schedule | None = None
        if self.racing or self.early_stopping is not None:
            stops = self.early_stopping is not None
            if n_pending is None:
                n_pending = N_PENDING_WITH_RULES if stops else N_PENDING
                n_pending = N_PENDING_STACKED if self.stacked else n_pending
            rules = RULES if n_pending == 1 else RULES_OF_SEVERAL
            rule = early_stopping_rule(self.early_stopping, rules)
            schedule = Racing(
                n_candidates,
                self._z(),
                rule,
                n_pending=n_pending,
                step=half_of_the_rest(data.n_splits) if self.stacked else 1,
                in_rounds=bool(self.stacked),
                seed=derive_seed(root, "order"),
                shuffle=shuffle,
            )
        return Proposal.flat(
            strategy,
            n_candidates,
            data.n_splits,
            n_pending=n_pending,
            schedule=schedule,
            **known,
        )

    def _z(self) -> float | None:
        if isinstance(self.racing, (bool, np.bool_)):
            return STANDARD_ERRORS if self.racing else None
        return float(self.racing)

    @contextmanager
    def _job_options(
        self,
        data: Data,
        splits: Any,
        proposal: Proposal,
        root: int,
        journal: SearchJournal | None,
    ) -> Iterator[dict[str, Any]]:
        if self.early_stopping is None:
            yield {}
            return
        decides = self.refit if isinstance(self.refit, str) else True
        yield {"curve_on": self._curve_on(), "refit": decides}

    def _curve_on(self) -> str:
        return find_curves(self.estimator, self._searched())

    def _announcement(self, proposal: Proposal) -> str:
        announcement = super()._announcement(proposal)
        if self.racing:
            announcement += (
                ", of which racing spares those of candidates clearly behind"
            )
        if self.early_stopping is None:
            return announcement
        on = "the nets' own validation part"
        if self._curve_on() == "test":
            on = "the test part of each split, since the nets keep none (train_split)"
        return f"{announcement}; fits may be stopped early, by their curves on {on}"


@dataclass(frozen=True, slots=True)
class Same:
    """One rule for every fit, whatever is known of others."""

    stop_rule: StopRule

    def rule(self, curves: Sequence[LearningCurve]) -> StopRule | None:
        return self.stop_rule


def early_stopping_rule(
    given: Any, rules: Mapping[str, EarlyStopping]
) -> EarlyStopping | None:
    """The rule that the argument `early_stopping` of a search stands for.

    Raises
    ------
    ValueError
        Where it stands for none.
    """
    if given is None:
        return None
    if isinstance(given, str) and given in rules:
        return rules[given]
    if callable(getattr(given, "rule", None)) and not isinstance(given, type):
        return cast("EarlyStopping", given)
    if callable(given) and not isinstance(given, type):
        return Same(given)
    hint = did_you_mean(given, rules) if isinstance(given, str) else ""
    raise ValueError(
        f"early_stopping={given!r} is no rule.{hint} Give "
        f"{', '.join(map(repr, rules))}, a rule of sktune.schedule, a callable "
        "rule(curve) -> bool, or None."
    )
