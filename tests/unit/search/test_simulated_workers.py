"""A clock that jumps: searches whose course can be reckoned by hand."""

import pytest

from sktune import GridSearchCV, SuccessiveHalvingSearchCV
from sktune._types import Fit
from sktune.search._preview import preview
from sktune.search._simulated_workers import SimulatedWorkers
from tests.helpers.estimators import Score, blobs, net

X, y = blobs(60)


def simulated(search, seconds_of, n_workers=1):
    with preview(search, X, y, {}) as one:
        return one.simulated(seconds_of, n_workers, 10.0)


@pytest.mark.parametrize(("n_workers", "rounds"), [(1, 12), (2, 6), (5, 3), (20, 1)])
def test_fits_that_are_decided_on_at_once_fill_the_workers(n_workers, rounds):
    search = GridSearchCV(Score(), {"a": [0.1, 0.2, 0.3, 0.4]}, cv=3)
    found = simulated(search, lambda *_: 100.0, n_workers)
    assert found.now == pytest.approx(rounds * 100.0, abs=2.0)
    assert len(found.fits) == 12
    assert not found.is_cut


def test_a_rung_waits_for_its_slowest():
    search = SuccessiveHalvingSearchCV(
        net(), {"lr": [0.1, 0.2, 0.3]}, max_resources=3, cv=2, random_state=0
    )

    def seconds_of(unit, steps, resumes):
        assert resumes == (unit[0].iter > 0)
        assert steps == [2 if resumes else 1]  # what it has not had
        return 100.0 if unit[0].candidate == 0 and not resumes else 10.0

    found = simulated(search, seconds_of, n_workers=6)
    assert found.now == pytest.approx(110.0, abs=2.0)


def test_a_search_whose_decisions_take_too_long_is_cut():
    search = GridSearchCV(Score(), {"a": [0.1] * 50}, cv=2)
    with preview(search, X, y, {}) as one:
        found = one.simulated(lambda *_: 1.0, 1, 1e-9)
    assert found.is_cut


def test_scores_are_the_same_each_time():
    search = SuccessiveHalvingSearchCV(
        net(), {"lr": [0.1, 0.2, 0.3]}, max_resources=3, cv=2, random_state=0
    )
    told = [
        [(fit.candidate, fit.split, fit.n_resources) for fit, _ in
         simulated(search, lambda *_: 1.0).fits]
        for _ in range(2)
    ]  # fmt: skip
    assert told[0] == told[1]
    assert SimulatedWorkers(lambda *_: 1.0, 0).next_done() == []


def test_each_objective_has_scores_of_its_own():
    def told(*objectives):
        workers = SimulatedWorkers(lambda *_: 1.0, 0, objectives=objectives)
        workers.submit((Fit(0, 0, {}, 0),))
        [(_, outcome)] = workers.next_done()
        return dict(outcome.test_scores)

    several = told("accuracy", "size")
    assert list(several) == ["score", "accuracy", "size"]
    assert len(set(several.values())) == 3
    assert told() == {"score": several["score"]}
