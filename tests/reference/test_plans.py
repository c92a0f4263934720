"""Plans against the papers' tables, and against loops that share no formula."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktune.schedule import (
    exhausting_minimum,
    halving,
    hyperband,
    iterations,
    n_evaluations,
    n_survivors,
    total_resources,
)


def brackets(rungs):
    """``[[(n_candidates, n_resources), ...], ...]``, bracket by bracket."""
    table = {}
    for rung in rungs:
        table.setdefault(rung.bracket, []).append((rung.n_candidates, rung.n_resources))
    return list(table.values())


def test_hyperband_with_81_and_3():
    """Li et al. 2018, table 1, with the candidates that its algorithm 1 gives."""
    assert brackets(hyperband(3, 1, 81)) == [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ]


@pytest.mark.parametrize(
    ("factor", "most", "n_brackets"),
    [(3, 243, 6), (10, 1000, 4), (10, 10**6, 7), (2, 2**29, 30), (5, 125, 4)],
)
def test_no_bracket_is_lost_at_an_exact_power(factor, most, n_brackets):
    """The floor of a floating-point logarithm loses one at 243, 1000 and 10**6."""
    table = brackets(hyperband(factor, 1, most))
    assert len(table) == n_brackets
    assert all(rungs[-1][1] == most for rungs in table)
    assert table[0][0] == (factor ** (n_brackets - 1), 1)


def test_halving_reaches_243():
    assert [tuple(rung[2:]) for rung in halving(243, 3, 1, 243)] == [
        (243, 1),
        (81, 3),
        (27, 9),
        (9, 27),
        (3, 81),
        (1, 243),
    ]
    assert iterations(243, 3, 1, 243) == (6, 6)


@pytest.mark.parametrize("kind", [float, np.float64, Decimal])
def test_a_factor_is_the_number_that_was_written(kind):
    """As binary floats 1.2 and 1.1 are more, and their powers miss the largest."""
    resources = [rung.n_resources for rung in halving(20, kind("1.2"), 100, 144)]
    assert resources == [100, 120, 144]
    rungs = [r for r in hyperband(kind("1.1"), 100, 121) if r.bracket == 0]
    assert [rung.n_resources for rung in rungs] == [100, 110, 121]
    assert n_survivors(33, kind("1.1")) == 30
    assert n_survivors(6, kind("1.2")) == 5
    assert exhausting_minimum(2, kind("1.2"), 1, 1728) == 1000


def test_a_factor_of_numpy_is_no_other():
    assert hyperband(np.int64(3), 1, 81) == hyperband(3, 1, 81)
    # 40 powers of it, more than 64 bits hold.
    assert len(halving(2, np.int64(3), 1, 3**41)) == 1
    assert iterations(3**41, np.int64(3), 1, 3**41) == (42, 42)


@given(factor=st.integers(2, 6), least=st.integers(1, 5), most=st.integers(1, 5000))
def test_hyperband_by_brute_force(factor, least, most):
    most = max(least, most)
    resources = [most]
    # From the top, as long as the paper's R * eta**-s is not below the smallest.
    while Fraction(most, factor ** len(resources)) >= least:
        resources.append(most // factor ** len(resources))
    n_brackets = len(resources)
    table = brackets(hyperband(factor, least, most))
    assert len(table) == n_brackets
    for rungs, s in zip(table, reversed(range(n_brackets)), strict=True):
        assert [r for _, r in rungs] == resources[s::-1]
        n = 1
        while n * (s + 1) < n_brackets * factor**s:  # the ceiling
            n += 1
        for i, (count, _) in enumerate(rungs):
            kept = n
            for _ in range(i):
                kept //= factor
            assert count == kept >= 1


@given(
    n=st.integers(1, 500),
    factor=st.sampled_from([2, 3, 4, 1.5, 2.5]),
    least=st.integers(1, 20),
    most=st.integers(1, 3000),
    aggressive=st.booleans(),
)
def test_halving_keeps_its_promises(n, factor, least, most, aggressive):
    most = max(least, most)
    rungs = halving(n, factor, least, most, aggressive_elimination=aggressive)
    n_required, n_possible = iterations(n, factor, least, most)
    counts = [rung.n_candidates for rung in rungs]
    resources = [rung.n_resources for rung in rungs]
    assert counts[0] == n
    assert resources[0] == least
    assert resources == sorted(resources)
    assert resources[-1] <= most
    for few, many in zip(counts[1:], counts, strict=False):
        assert (few - 1) * factor < many <= few * factor
    assert len(rungs) == (n_required if aggressive else min(n_required, n_possible))
    if aggressive:
        # What is left is the ceiling of what would be fewer than `factor`.
        assert counts[-1] - 1 < factor


SKLEARN = [
    # n_candidates, factor, min_resources, max_resources, aggressive, rungs
    (6, 2, 3, 40, False, [(6, 3), (3, 6), (2, 12)]),
    (256, 4, 20, 1000, False, [(256, 20), (64, 80), (16, 320)]),
    (64, 2, 20, 160, False, [(64, 20), (32, 40), (16, 80), (8, 160)]),
    (64, 2, 20, 40, True, [(64, 20), (32, 20), (16, 20), (8, 20), (4, 20), (2, 20)]),
]


@pytest.mark.parametrize(
    ("n", "factor", "least", "most", "aggressive", "rungs"), SKLEARN
)
def test_halving_counts_as_scikit_learn_does(n, factor, least, most, aggressive, rungs):
    ours = halving(n, factor, least, most, aggressive_elimination=aggressive)
    assert [(r.n_candidates, r.n_resources) for r in ours][: len(rungs)] == rungs


@given(n=st.integers(1, 300), factor=st.integers(2, 5), most=st.integers(1, 2000))
def test_exhausting_ends_near_the_largest_resource(n, factor, most):
    least = exhausting_minimum(n, factor, 1, most)
    last = halving(n, factor, least, most)[-1].n_resources
    if least > 1:
        # One more at the start would be too many at the end.
        n_growths = len(halving(n, factor, least, most)) - 1
        assert last <= most < (least + 1) * factor**n_growths


def test_what_27_candidates_cost():
    """The issue's own figures: 81 epochs where nets continue, 108 where not."""
    rungs = halving(27, 3, 1, 27)
    assert total_resources(rungs, continues=True) == 81
    assert total_resources(rungs, continues=False) == 108
    assert n_evaluations(rungs) == 40
