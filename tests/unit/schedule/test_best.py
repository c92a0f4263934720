"""The best of a rung, against sorting anew."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from sktune.schedule._best import with_score


@given(
    scores=st.lists(st.sampled_from([None, math.nan, math.inf, 0.0, 1.0, 2.0, 3.0])),
    limit=st.integers(0, 5),
)
def test_one_by_one_is_as_all_at_once(scores, limit):
    best, finite = (), []
    for candidate, score in enumerate(scores):
        earlier, copy = best, tuple(best)
        best, behind = with_score(best, candidate, score, limit)
        assert earlier == copy
        if score is not None and math.isfinite(score):
            finite.append((-score, candidate))
            assert best == tuple(sorted(finite)[:limit])
        out = {c for _, c in earlier} | {candidate}
        assert out - {c for _, c in best} == ({behind} - {None})


def test_of_equals_the_earlier_stays():
    best, behind = with_score(((-1.0, 3),), 5, 1.0, limit=1)
    assert (best, behind) == (((-1.0, 3),), 5)
    best, behind = with_score(((-1.0, 5),), 3, 1.0, limit=1)
    assert (best, behind) == (((-1.0, 3),), 5)
