"""Rules that stop a fit by its curve: small cases, and what holds for any curves."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sktune.schedule import Growth, LearningCurve, Patience, Percentile

SCORES = st.one_of(
    st.floats(-10, 10),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e38, -1e308, 0.0]),
)
CURVES = st.lists(
    st.builds(
        LearningCurve,
        values=st.lists(SCORES, max_size=12).map(tuple),
        finished=st.booleans(),
    ),
    max_size=15,
)
MAKERS = st.sampled_from(
    [
        Growth(),
        Growth(keep=0.0, grace=0.0, noise=0.0),
        Growth(keep=1.0),
        Percentile(),
        Percentile(100, grace=0, n_curves=1),
    ]
)


def straight(start: float, end: float, n: int = 10, finished: bool = True):
    step = (end - start) / (n - 1)
    return LearningCurve(tuple(start + k * step for k in range(n)), finished)


def stop_at(rule, values):
    """After how many values a rule stops; None: never."""
    lengths = range(1, len(values) + 1)
    return next((n for n in lengths if rule(values[:n])), None)


# -- growth -------------------------------------------------------------------------


def test_growth_stops_what_is_below_and_does_not_grow():
    good = [straight(0.5, end) for end in (0.8, 0.9, 1.0)]
    rule = Growth().rule(good)
    assert stop_at(rule, (0.1,) * 10) == 1
    assert stop_at(rule, good[-1].values) is None
    assert stop_at(rule, straight(0.5, 1.1).values) is None


def test_growth_lets_go_on_what_grows_faster_than_the_others():
    good = [straight(0.5, end, 20) for end in (0.6, 0.61, 0.62, 0.63)]
    rule = Growth(grace=0.5, noise=0.0).rule(good)
    flat, steep = (0.48,) * 10, tuple(0.3 + 0.02 * k for k in range(10))
    assert rule(flat)
    assert steep[-1] == pytest.approx(flat[-1])
    assert not rule(steep)


def test_growth_lets_go_on_what_is_within_the_noise_of_the_best():
    wiggles = [0.01 * (-1) ** k for k in range(12)]
    good = [
        LearningCurve(tuple(0.9 + off + w for w in wiggles), True)
        for off in (0.0, 0.001, 0.002, 0.003)
    ]
    near, far = (0.85,) * 11, (0.7,) * 11
    assert stop_at(Growth().rule(good), near) is None
    assert stop_at(Growth().rule(good), far) is not None
    assert stop_at(Growth(noise=0.0).rule(good), near) is not None


def test_growth_knows_nothing_before_a_candidate_has_finished():
    assert Growth().rule([]) is None
    assert Growth().rule([straight(0, 1, finished=False)]) is None
    assert Growth().rule([LearningCurve((), True)]) is None


def test_growth_stops_nothing_while_it_could_be_among_the_best_two():
    rule = Growth(keep=0.0).rule([straight(0.0, 1.0)])
    assert stop_at(rule, (-5.0,) * 10) is None
    rule = Growth(keep=0.0).rule([straight(0.0, 1.0), straight(0.0, 2.0)])
    assert stop_at(rule, (-5.0,) * 10) == 1


def test_growth_decides_after_its_grace_and_not_at_the_end():
    good = [straight(0.5, 1.0, 50) for _ in range(5)]
    rule = Growth(grace=0.3).rule(good)
    assert stop_at(rule, (0.0,) * 50) == 15
    assert [floor.n_values for floor in rule.floors] == [15, 20, 25, 33, 43]
    assert not rule((0.0,) * 16)


def test_growth_counts_stopped_candidates_where_they_came_by():
    finished = [straight(0.0, 1.0, 20), straight(0.0, 1.0, 20)]
    stopped = [LearningCurve((-1.0,) * 4, False)] * 20
    low = (-0.9,) * 20
    assert stop_at(Growth().rule(finished), low) == 2
    assert stop_at(Growth().rule(finished + stopped), low) == 6


def test_growth_counts_what_finished_early_with_what_it_came_to():
    short = [straight(0.0, 1.0, 5), straight(0.0, 1.1, 5)]
    long = [straight(0.0, 0.2, 40), straight(0.0, 0.3, 40)]
    between = straight(0.0, 0.29, 40).values
    assert stop_at(Growth(keep=0.0, noise=0.0).rule(long), between) is None
    rule = Growth(keep=0.0, grace=0.5, noise=0.0).rule([*short, *long])
    assert stop_at(rule, between) == 20
    once = [LearningCurve((value,), True) for value in (1.0, 1.1)]
    rule = Growth(keep=0.0, grace=0.5, noise=0.0).rule([*once, *long])
    assert stop_at(rule, between) == 20


def test_growth_stops_a_net_that_broke_down():
    rule = Growth().rule([straight(0.0, 1.0) for _ in range(3)])
    assert stop_at(rule, (0.2, 0.4, math.nan, math.nan)) == 3
    assert stop_at(rule, (-math.inf,) * 10) == 1


def test_growth_is_not_moved_by_scores_that_explode():
    good = [straight(0.5, end) for end in (0.8, 0.9, 1.0)]
    broken = [
        LearningCurve((0.1, *[-1e308 * (-1) ** k for k in range(9)]), True),
        LearningCurve((-1e38,) * 10, True),
        LearningCurve((math.nan,) * 10, True),
    ]
    rule = Growth().rule(good + broken)
    assert stop_at(rule, (-1e38,) * 10) is not None
    assert stop_at(rule, good[-1].values) is None


# -- percentiles ----------------------------------------------------------------------


def test_the_median_rule_stops_below_the_median():
    curves = [LearningCurve((0.0, float(k)), True) for k in range(5)]
    rule = Percentile(50, grace=0).rule(curves)
    assert not rule((-0.0,))
    assert rule((0.0, 1.9))
    assert not rule((0.0, 2.0))
    assert rule((0.0, math.nan))


def test_a_percentile_gives_grace_and_needs_candidates():
    curves = [LearningCurve((1.0,) * 5, True)] * 5
    rule = Percentile(50, grace=3, n_curves=5).rule(curves)
    assert stop_at(rule, (0.0,) * 5) == 4
    assert Percentile(n_curves=6).rule(curves) is None
    assert Percentile().rule([]) is None


@given(curves=CURVES, q=st.integers(0, 100), grace=st.integers(0, 4), last=SCORES)
@settings(deadline=None)
def test_a_percentile_is_what_counting_says(curves, q, grace, last):
    rule = Percentile(q, grace=grace, n_curves=2).rule(curves)
    for n in range(1, 14):
        there = [c.values[n - 1] for c in curves if len(c.values) >= n]
        there = [score if math.isfinite(score) else -math.inf for score in there]
        wanted = False
        if n > grace and len(there) >= 2:
            # The least score that so many of a hundred do not surpass.
            at = [
                v for v in there if 100 * sum(w <= v for w in there) >= q * len(there)
            ]
            wanted = min(at) > -math.inf and not last >= min(at)
        assert (rule is not None and rule((0.0,) * (n - 1) + (last,))) == wanted


# -- patience -------------------------------------------------------------------------


def test_patience_counts_epochs_without_a_better_score():
    assert stop_at(Patience(3), (0.1, 0.2, 0.2, 0.1, 0.15, 0.3)) == 5
    assert stop_at(Patience(3), (0.1, 0.2, 0.1, 0.1, 0.3, 0.1)) is None
    assert stop_at(Patience(2, min_delta=0.1), (0.0, 0.05, 0.09)) == 3
    assert stop_at(Patience(3), (math.nan,) * 5) == 3
    assert not Patience()(())


# -- any curves -----------------------------------------------------------------------


@given(maker=MAKERS, curves=CURVES, values=st.lists(SCORES, max_size=14))
@settings(deadline=None)
def test_any_curve_gets_an_answer_and_the_same_in_another_process(
    maker, curves, values
):
    rule = maker.rule(curves)
    assert maker.rule(curves) == rule
    copy = pickle.loads(pickle.dumps((maker, rule)))
    assert copy == (maker, rule)
    if rule is not None:
        hash(rule)
        for n in range(len(values) + 1):
            assert rule(values[:n]) == copy[1](values[:n])
            assert isinstance(rule(values[:n]), bool)
        assert len(pickle.dumps(rule)) < 2000


@given(maker=MAKERS, curves=CURVES, over=st.lists(st.floats(0, 1), min_size=12))
@example(
    maker=Growth(keep=0.65, grace=0.1, noise=6.0),
    curves=[
        LearningCurve(values=(math.nan, 0.0), finished=True),
        LearningCurve(values=(0.0, 0.0, -1e308, 0.0, 0.0, 0.0, -1e308), finished=True),
    ],
    over=[0.0] * 12,
)
@settings(deadline=None)
def test_what_is_above_all_others_is_never_stopped(maker, curves, over):
    rule = maker.rule(curves)
    values = []
    for n in range(12):
        there = [c.values[n] for c in curves if len(c.values) > n]
        there += [max(c.values) for c in curves if c.finished and c.values]
        top = max([0.0, *(v for v in there if math.isfinite(v))])
        values.append(top + over[n])
        assert rule is None or not rule(values)


@given(
    maker=MAKERS,
    curves=CURVES,
    values=st.lists(st.floats(-10, 10), min_size=1, max_size=12),
    by=st.floats(0, 5),
)
@settings(deadline=None)
def test_a_lower_curve_of_the_same_shape_is_stopped_too(maker, curves, values, by):
    rule = maker.rule(curves)
    if rule is not None and rule(values):
        assert rule([value - by - 1e-9 for value in values])


@pytest.mark.parametrize("maker", [Growth(), Percentile(n_curves=2)])
def test_the_order_of_the_curves_does_not_matter(maker):
    curves = [straight(0.1 * k, 1 - 0.07 * k, finished=k % 2 == 0) for k in range(8)]
    assert maker.rule(curves) == maker.rule(curves[::-1])


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Growth(keep=1.5), "keep=1.5 must be from 0 to 1."),
        (lambda: Growth(grace=-1), "grace=-1 must be from 0 to 1."),
        (lambda: Growth(noise=-1.0), "noise=-1.0 must be from 0 to inf."),
        (lambda: Percentile(101), "q=101 must be from 0 to 100."),
        (lambda: Percentile(n_curves=0), "n_curves=0 must be from 1 to inf."),
        (lambda: Patience(0), "n_epochs=0 must be from 1 to inf."),
    ],
)
def test_numbers_out_of_range_are_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()
