"""A candidate that is trained again is the one that was, to the last bit."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV as SklearnGridSearchCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sktune import (
    FreezeThawSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    PopulationBasedSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune.inspection import reproduce
from tests.helpers.estimators import Draws, Score, blobs, net

X, y = blobs(60)
SPACE = {"lr": loguniform(0.01, 1.0), "module__hidden": [4, 8]}
KWARGS = {"cv": 2, "scoring": "neg_log_loss", "refit": False, "random_state": 0}


def numbers(search):
    results = search.cv_results_
    found = results.get("candidate", range(len(results["params"])))
    return sorted({int(number) for number in found})


def rungs(search):
    """Of each candidate the most that it was given, and its scores there, by hand."""
    results = search.cv_results_
    return {
        int(c): (int(r), [results[f"split{k}_test_score"][i] for k in range(2)])
        for i, (c, r) in enumerate(
            zip(results["candidate"], results["n_resources"], strict=True)
        )
    }


SEARCHES = {
    "hyperband": lambda **kw: HyperbandSearchCV(
        net(verbose=0), SPACE, max_resources=4, factor=2, **KWARGS | kw
    ),
    "freeze-thaw": lambda **kw: FreezeThawSearchCV(
        net(verbose=0), SPACE, max_resources=3, n_iter=2, **KWARGS | kw
    ),
    "rows": lambda **kw: SuccessiveHalvingSearchCV(
        net(verbose=0), SPACE, n_candidates=4, factor=2, resource="n_samples",
        min_resources=15, **KWARGS | kw
    ),
    "partial fit": lambda **kw: SuccessiveHalvingSearchCV(
        SGDClassifier(loss="log_loss"), {"alpha": loguniform(1e-5, 1.0)},
        n_candidates=4, factor=2, resource="partial_fit", max_resources=4, **KWARGS | kw
    ),
    "pipeline": lambda **kw: HyperbandSearchCV(
        make_pipeline(StandardScaler(), net(verbose=0)),
        {f"neuralnetclassifier__{name}": of for name, of in SPACE.items()},
        max_resources=3, **KWARGS | kw
    ),
    "population": lambda **kw: PopulationBasedSearchCV(
        net(verbose=0), {"lr": loguniform(1e-2, 1.0)}, population_size=4, quantile=0.5,
        max_resources=3, **KWARGS | kw
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_candidates_of_rungs_were_never_paused(name, tmp_path):
    journal = tmp_path / "search.jsonl"
    search = SEARCHES[name](journal=journal).fit(X, y)
    reached = rungs(search)
    assert len({n for n, _ in reached.values()}) > 1
    chosen = {min(reached, key=reached.get), max(reached, key=reached.get)}
    chosen.add(max(reached))  # in a population, one with ancestors
    for candidate in chosen:
        by_journal = reproduce(
            SEARCHES[name](journal=journal), X, y, candidate=candidate
        )
        search.journal = None
        of_search = reproduce(search, X, y, candidate=candidate)
        for found in (by_journal, of_search):
            assert found.is_equal, found
            assert found.n_resources == reached[candidate][0]
            now = [fit.now["score"] for fit in found.fits]
            assert now == reached[candidate][1]


def test_a_search_without_a_random_state_has_seeds_too():
    search = RandomizedSearchCV(net(verbose=0), SPACE, n_iter=2, **KWARGS)
    search.set_params(random_state=None).fit(X, y)
    assert all(reproduce(search, X, y, candidate=c).is_equal for c in numbers(search))
    other = search.provenance_["root"]
    search.provenance_["root"] += 1
    found = reproduce(search, X, y, candidate=0)
    assert not found.is_equal and found.difference > 0
    assert "nothing that is recorded differs" in found.verdict
    search.provenance_["root"] = other


def test_fits_that_were_stopped_early_end_there_again():
    space = {"lr": [0.3, 1e-8], "max_epochs": [6]}
    search = GridSearchCV(
        net(verbose=0),
        space,
        early_stopping=lambda curve: len(curve) > 2 and curve[-1] < -1.0,
        **KWARGS,
    ).fit(X, y)
    stopped = [row["stopped"] for row in search.curves_]
    assert any(stopped) and not all(stopped)
    for candidate in (0, 1):
        found = reproduce(search, X, y, candidate=candidate)
        assert found.is_equal, found
        assert all(fit.curve == 0.0 for fit in found.fits)


def test_splits_that_were_spared_are_not_run():
    search = GridSearchCV(Score(), {"a": [0.3, 0.4, 5.0, 9.0] * 3}, cv=6, racing=True)
    search.set_params(random_state=0).fit(X, y)
    n_run = search.cv_results_["n_splits_run"]
    assert min(n_run) < 6
    for candidate in (0, int(np.argmin(n_run))):
        found = reproduce(search, X, y, candidate=candidate)
        assert found.is_equal and len(found.fits) == n_run[candidate]


def test_stacked_nets_are_equal_where_a_journal_tells_with_whom(tmp_path):
    search = RandomizedSearchCV(
        net(verbose=0), SPACE, n_iter=4, stacked=True, **KWARGS
    ).set_params(journal=tmp_path / "search.jsonl")
    search.fit(X, y)
    assert all(reproduce(search, X, y, candidate=c).is_equal for c in numbers(search))
    search.journal = None
    alone = reproduce(search, X, y, candidate=0)
    assert alone.difference < 1e-5
    assert alone.is_equal or "stacked" in alone.verdict


def test_params_that_json_cannot_hold_are_found_in_the_space(tmp_path):
    pipe = make_pipeline(StandardScaler(), SVC())
    space = {"standardscaler": [StandardScaler(), StandardScaler(with_mean=False)]}
    given = {"cv": 2, "journal": tmp_path / "search.jsonl", "random_state": 0}
    GridSearchCV(pipe, space, **given).fit(X, y)
    found = reproduce(GridSearchCV(pipe, space, **given), X, y, candidate=1)
    assert found.is_equal and not found.params["standardscaler"].with_mean
    other = GridSearchCV(pipe, {"svc__C": [1.0]}, **given)
    with pytest.raises(ValueError, match="Fit the search with its journal first"):
        reproduce(other, X, y)


def test_other_data_and_other_splits_are_told(tmp_path):
    given = {"random_state": 0, "cv": KFold(2, shuffle=True)}
    search = GridSearchCV(Draws(), {"a": [0, 1]}, **given).fit(X, y)
    found = reproduce(search, X, y)
    assert found.is_equal  # its scores look at no rows
    assert [one.what for one in found.differences] == ["splits"]
    svc = GridSearchCV(SVC(), {"C": [1.0]}, cv=2, journal=tmp_path / "search.jsonl")
    svc.fit(X, y)
    found = reproduce(svc, X[:, ::-1] ** 2, y)
    assert not found.is_equal and found.reasons[0] == "X (other data)"
    assert "<table>" in found._repr_html_() and "apart" in repr(found)
    frame = found.to_frame()
    assert not frame.equal.all() and len(frame) == 2


def test_what_ran_it_is_compared_with_what_runs_it(tmp_path):
    path = tmp_path / "search.jsonl"
    search = GridSearchCV(SVC(), {"C": [1.0]}, cv=2, journal=path).fit(X, y)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    session = next(one for one in lines if one["record"] == "session")
    assert session["threads"]["of_a_net"] == lines[0]["threads"]["of_a_net"] == 1
    session["versions"]["numpy"] = "1.0"
    session["hardware"]["host"] = "another"
    for one in lines:
        if one["record"] == "fit" and one["split"] == 1:
            one["test_scores"] += 0.125
    path.write_text("".join(f"{json.dumps(one)}\n" for one in lines))
    found = reproduce(search, X, y)
    assert [fit.is_equal for fit in found.fits] == [True, False]
    assert found.difference == 0.125
    told = [one.what for one in found.differences]
    assert told == ["hardware host", "versions numpy"]
    assert found.reasons == [
        f"versions numpy (1.0 then, {np.__version__} now)"  # and not the host
    ]


def test_a_journal_of_an_earlier_version(tmp_path):
    folder = Path(__file__).parents[1] / "unit/persistence/journals"
    path = shutil.copy(folder / "protocol-1.jsonl", tmp_path / "search.jsonl")
    from sklearn.datasets import load_iris

    search = SuccessiveHalvingSearchCV(
        SGDClassifier(random_state=0),
        {"alpha": [0.0001, 0.001, 0.01, 0.1], "eta0": [0.5]},
        n_candidates=4,
        factor=2,
        resource="partial_fit",
        max_resources=4,
        scoring=["accuracy"],
        refit="accuracy",
        cv=2,
        random_state=0,
        journal=path,
    )
    found = reproduce(search, *load_iris(return_X_y=True), candidate=0)
    accuracy = [(fit.then["accuracy"], fit.now["accuracy"]) for fit in found.fits]
    assert accuracy and all(then == now for then, now in accuracy)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_fits_that_failed_fail_again():
    search = GridSearchCV(
        Score(bad=(1.0,)), {"a": [0.3, 1.0]}, cv=2, error_score=-9.0, random_state=0
    )
    with pytest.warns(FitFailedWarning):
        search.fit(X, y)
    assert reproduce(search, X, y, candidate=1).is_equal
    search.estimator.bad = ()
    assert not reproduce(search, X, y, candidate=1).is_equal


def test_mistakes(tmp_path):
    search = GridSearchCV(SVC(), {"C": [1.0, 2.0]}, cv=2)
    with pytest.raises(NotFittedError, match="Or give it the journal"):
        reproduce(search, X, y)
    with pytest.raises(TypeError, match="is a journal, which holds no code"):
        reproduce(tmp_path / "search.jsonl", X, y)
    with pytest.raises(TypeError, match="of others the seeds"):
        reproduce(SklearnGridSearchCV(SVC(), {"C": [1.0]}).fit(X, y), X, y)
    search.fit(X, y)
    with pytest.raises(ValueError, match=r"candidate=7 is none .* which has 0 to 1"):
        reproduce(search, X, y, candidate=7)
    del search.provenance_
    with pytest.raises(ValueError, match="kept no seeds"):
        reproduce(search, X, y)
