"""What would take for ever begins at once."""

from __future__ import annotations

from functools import partial

import pytest
from skorch import NeuralNet  # noqa: F401  so that nets are looked for

from tests.helpers.hostile import FITS, Probe, data, make, run

# Spaces and resources are small here, and searches say so.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

LONG = {
    "n_iter": ("randomized", {"n_iter": 10**9}),
    "n_iter, constrained": (
        "randomized",
        {"n_iter": 10**9, "constraint": lambda params: params["a"] < 0.5},
    ),
    "n_iter, from a point": (
        "randomized",
        {"n_iter": 10**30, "initial_points": [{"a": 0.3, "b": 1}]},
    ),
    "n_iter of Bayes": ("bayes", {"n_iter": 10**9}),
    "n_candidates": ("halving", {"n_candidates": 10**9}),
    "a long grid": ("grid", {"space": {"a": range(10**7), "b": range(10**7)}}),
}


class Enough(Probe):
    """Ends a search that would take for ever."""

    def fit(self, X, y=None):
        super().fit(X, y)
        if len(FITS) == 10:
            raise ValueError("of the user")
        return self


@pytest.mark.timeout(30)  # of a machine that is busy; it is a tenth of a second
@pytest.mark.parametrize("name", LONG)
def test_what_would_take_for_ever_begins_at_once(name):
    kind, arguments = LONG[name]
    arguments = {"estimator": Enough(), "error_score": "raise", **arguments}
    outcome = run(partial(make, kind, **arguments), *data())
    assert outcome.n_fits == 10, str(outcome)
    assert str(outcome.error) == "of the user"


@pytest.mark.parametrize("constraint", [None, lambda params: params["a"] < 0.5])
def test_draws_that_are_made_later_are_the_same(monkeypatch, constraint):
    few = make("randomized", n_iter=8, constraint=constraint).fit(*data())
    monkeypatch.setattr("sktune.search.inputs._random_draws.MAX_DRAWN", 3)
    later = make("randomized", n_iter=8, constraint=constraint).fit(*data())
    assert later.cv_results_["params"] == few.cv_results_["params"]
    halving = {"n_candidates": 6, "constraint": constraint}
    later = make("halving", **halving).fit(*data())
    monkeypatch.undo()
    few = make("halving", **halving).fit(*data())
    assert later.cv_results_["params"] == few.cv_results_["params"]


def test_a_constraint_that_refuses_all_of_many(monkeypatch):
    monkeypatch.setattr("sktune.search.inputs._random_draws.MAX_DRAWN", 3)
    monkeypatch.setattr("sktune.search.inputs._random_draws.MAX_REFUSED", 50)
    for kind, argument in [("randomized", "n_iter"), ("halving", "n_candidates")]:
        with pytest.raises(ValueError, match="refused 50 draws"):
            make(kind, **{argument: 9}, constraint=lambda params: False).fit(*data())
    calls = iter(range(10**6))
    search = make("randomized", n_iter=9, constraint=lambda params: next(calls) < 4)
    with pytest.warns(UserWarning, match="Only 4 candidates were found"):
        search.fit(*data())
    assert len(search.cv_results_["params"]) == 4
