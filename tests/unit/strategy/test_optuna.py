"""Samplers of Optuna: what they are told, and that nothing but that counts."""

from __future__ import annotations

import copy
import logging
import sys

import joblib
import numpy as np
import pytest
from scipy import stats

from sktune import HyperbandSearchCV, SuccessiveHalvingSearchCV
from sktune._random import derive_seed
from sktune._types import Observation, Problem
from sktune.space import Space
from sktune.strategy import OptunaStrategy
from sktune.strategy._optuna import labels, reseed
from sktune.strategy._trials import numbers_of_values
from tests.helpers.asked import searched
from tests.helpers.estimators import Score, blobs
from tests.helpers.journals import assert_same, cut
from tests.helpers.results import assert_same_search

CUBE = {name: stats.uniform(0, 1) for name in "abc"}
MIXED = {
    "x": stats.loguniform(1e-3, 1),
    "n": stats.randint(1, 50),
    "k": [1, 10, 100],
    "p": stats.poisson(2),
    "c": list("abc"),
}
CONDITIONAL = [
    {"kind": ["a"], "lr": stats.uniform(0, 1), "n": stats.randint(0, 5)},
    {"kind": ["b"], "lr": stats.uniform(0, 1), "n": stats.randint(0, 9)},
]
X, Y = blobs(90)


def bowl(params):
    return -sum((params[name] - 0.3) ** 2 for name in "abc")


def any_score(params):
    number = sum(v for v in params.values() if isinstance(v, int | float))
    return None if int(1000 * number) % 5 == 0 else float(np.sin(7.0 * number))


@pytest.fixture
def samplers():
    return pytest.importorskip("optuna.samplers")


def make(samplers, name):
    if name == "cmaes":
        pytest.importorskip("cmaes")
        return samplers.CmaEsSampler(n_startup_trials=2)
    if name == "nsga2":
        return samplers.NSGAIISampler(population_size=6)
    return samplers.TPESampler(n_startup_trials=3)


@pytest.mark.parametrize("space", [CUBE, MIXED, CONDITIONAL])
@pytest.mark.parametrize("name", ["tpe", "cmaes", "nsga2"])
def test_only_the_state_counts(samplers, name, space):
    """A strategy that is new names what the one that was there all along names."""
    problem = Problem(Space(space))
    old = OptunaStrategy(make(samplers, name))
    _, state = searched(old, problem, 16, any_score)
    pending = [problem.space.decode(np.full(problem.space.n_dims, 0.4))]
    expected = old.ask(state, 17, pending, 5)
    assert OptunaStrategy(make(samplers, name)).ask(state, 17, pending, 5) == expected
    assert copy.deepcopy(old).ask(state, 17, pending, 5) == expected
    others = {str(old.ask(state, 17, pending, seed)) for seed in range(4)}
    assert len(others) > 1


def test_the_parzen_estimator_is_asked_as_in_a_study_made_by_hand(samplers):
    """It leaves nothing in trials, so that they can be written down at once."""
    optuna = pytest.importorskip("optuna")
    space = Space(MIXED)
    sampler = samplers.TPESampler(n_startup_trials=3)
    asked, state = searched(OptunaStrategy(sampler), Problem(space), 12, any_score)
    params = OptunaStrategy(sampler).ask(state, 12, (), 3)
    distributions = {
        "c": optuna.distributions.CategoricalDistribution([0, 1, 2]),
        "k": optuna.distributions.IntDistribution(0, 2),
        "n": optuna.distributions.IntDistribution(0, 48),
        "p": optuna.distributions.FloatDistribution(0.0, 1.0),
        "x": optuna.distributions.FloatDistribution(0.0, 1.0),
    }
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=copy.deepcopy(sampler), direction="maximize")
    for one in asked:
        u = dict(zip(space.names, space.encode(one), strict=True))
        score = any_score(one)
        trial = optuna.trial.create_trial(
            params={
                "c": "abc".index(one["c"]),
                "k": [1, 10, 100].index(one["k"]),
                "n": one["n"] - 1,
                "p": u["p"],
                "x": u["x"],
            },
            distributions=distributions,
            value=score,
            state=optuna.trial.TrialState[("COMPLETE", "FAIL")[score is None]],
        )
        study.add_trial(trial)
    reseed(study.sampler, derive_seed(3, "ask", 0))
    trial = study.ask()
    given = {
        "c": "abc"[trial.suggest_categorical("c", [0, 1, 2])],
        "k": [1, 10, 100][trial.suggest_int("k", 0, 2)],
        "n": 1 + trial.suggest_int("n", 0, 48),
        "p": int(stats.poisson(2).ppf(trial.suggest_float("p", 0, 1))),
        "x": float(stats.loguniform(1e-3, 1).ppf(trial.suggest_float("x", 0, 1))),
    }
    assert params == pytest.approx(given)


@pytest.mark.parametrize("name", ["cmaes", "nsga2"])
def test_generations_go_on_from_candidate_to_candidate(samplers, name):
    """What they keep in trials is there again, and they come near the optimum."""
    strategy = OptunaStrategy(make(samplers, name))
    asked, _ = searched(strategy, Problem(Space(CUBE)), 90, bowl)
    (replay,) = strategy._last
    attributes = [trial.system_attrs for trial in replay._study.trials]
    generations = [
        value
        for one in attributes
        for key, value in one.items()
        if key.endswith(":generation")
    ]
    assert max(generations) > 3
    rng = np.random.default_rng(0)
    drawn = [max(map(bowl, _draws(rng, 90))) for _ in range(20)]
    assert max(map(bowl, asked)) > 0.5 * np.median(drawn)


def _draws(rng, n):
    return [dict(zip("abc", u, strict=True)) for u in rng.random((n, 3))]


def test_dimensions_as_they_are_offered():
    """Positions where all are equally likely, floats where not; names told apart."""
    space = Space(MIXED)
    numbers = dict(zip(space.names, numbers_of_values(space), strict=True))
    assert numbers == {"x": 0, "n": 49, "k": 3, "p": 0, "c": 3}
    space = Space(CONDITIONAL)
    names = labels(space)
    assert names[0] == "dict" and len(set(names)) == len(names)
    assert sorted(numbers_of_values(space)) == [0, 1, 1, 2, 5, 9]


@pytest.mark.filterwarnings("ignore:The last rung")
def test_a_search_goes_on_from_its_journal(samplers, tmp_path):
    def make(journal):
        return HyperbandSearchCV(
            Score(),
            CONDITIONAL_SCORE,
            strategy=OptunaStrategy(samplers.TPESampler(n_startup_trials=3)),
            min_resources=9,
            max_resources=81,
            cv=2,
            random_state=0,
            journal=journal,
        )

    path = tmp_path / "search.jsonl"
    whole = make(path).fit(X, Y)
    cut(path, 17)
    assert_same(make(path).fit(X, Y), whole)


@pytest.mark.filterwarnings("ignore:The last rung")
@pytest.mark.parametrize("name", ["cmaes", "nsga2"])
@pytest.mark.parametrize("least", [9, 81])  # several rungs, and one: a flat search
def test_one_answer_with_any_number_of_workers(samplers, name, least):
    found = [
        SuccessiveHalvingSearchCV(
            Score(),
            {"a": stats.uniform(0, 1), "b": stats.uniform(0, 1)},
            n_candidates=12,
            strategy=OptunaStrategy(make(samplers, name)),
            min_resources=least,
            max_resources=81,
            n_pending=2,
            cv=2,
            random_state=0,
            n_jobs=n_jobs,
        )
        for n_jobs in (1, 2)
    ]
    with joblib.parallel_config("threading"):
        assert_same_search(*(search.fit(X, Y) for search in found))


CONDITIONAL_SCORE = [{"a": stats.uniform(0, 1), "b": [0.1, 0.2]}, {"a": [0.3, 0.7]}]


def test_nothing_is_logged_and_the_level_stays(samplers, caplog):
    optuna = pytest.importorskip("optuna")
    optuna.logging.enable_propagation()
    optuna.logging.set_verbosity(optuna.logging.INFO)
    try:
        searched(OptunaStrategy(), Problem(Space(CUBE)), 3, bowl)
        assert caplog.records == []
        assert logging.getLogger("optuna").level == logging.INFO
    finally:
        optuna.logging.disable_propagation()


def test_the_sampler_that_was_given_is_left_as_it_was(samplers):
    sampler = samplers.TPESampler(seed=7)
    before = copy.deepcopy(sampler)
    searched(OptunaStrategy(sampler), Problem(Space(CUBE)), 5, bowl)
    draws = [one._rng.rng.random(3).tolist() for one in (sampler, before)]
    assert draws[0] == draws[1]


def test_what_is_no_sampler_is_refused(samplers):
    problem = Problem(Space(CUBE))
    for bad in (samplers.TPESampler, "tpe"):
        with pytest.raises(TypeError, match=r"sampler=.* no sampler.* instance"):
            OptunaStrategy(bad).init(problem)


def test_without_optuna_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setitem(sys.modules, "optuna.samplers", None)
    with pytest.raises(ImportError, match=r'pip install "sktune\[optuna\]"'):
        OptunaStrategy().init(Problem(Space(CUBE)))


def test_failures_are_failed_trials(samplers):
    optuna = pytest.importorskip("optuna")
    strategy = OptunaStrategy()
    state = strategy.init(Problem(Space(CUBE)))
    for number, score in enumerate((1.0, None, 3.0)):
        params = dict.fromkeys("abc", number / 10)
        state = strategy.tell(state, Observation(number, params, {0: score}))
    strategy.ask(state, 3, (), 0)
    trials = strategy._last[0]._study.trials
    assert [t.value for t in trials] == [1.0, None, 3.0]
    assert trials[1].state == optuna.trial.TrialState.FAIL
