from __future__ import annotations

from sktune._types import Problem
from sktune.strategy import Listed


def test_candidates_in_order_and_then_none() -> None:
    first, second = {"a": [1]}, {"a": None}
    strategy = Listed((first, second))
    state = strategy.init(Problem(space=None))
    assert strategy.ask(state, 0, (), 0) is first
    assert strategy.ask(state, 1, (first,), 5) is second
    assert strategy.ask(state, 2, (), 0) is None
