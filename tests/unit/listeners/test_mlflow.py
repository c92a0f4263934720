"""What MLflow itself reads of a search."""

import shutil
import warnings

import pytest
from sklearn.exceptions import FitFailedWarning

from sktune.listeners import MLflow
from tests.helpers.estimators import Score
from tests.helpers.journals import cut

mlflow = pytest.importorskip("mlflow")

# MLflow's own, of SQLAlchemy, pydantic and its store of files.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::ResourceWarning",
    "ignore:.*type hint:UserWarning",
)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A database with its tables, which take MLflow some seconds."""
    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def uri(tmp_path, empty):
    shutil.copy(empty, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def tracker(uri, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # artifacts are stored there
    return lambda **kwargs: MLflow("digits", tracking_uri=uri, **kwargs)


@pytest.fixture
def runs(uri):
    """The runs of searches, each with its nested ones."""

    def read():
        client = mlflow.MlflowClient(uri)
        experiment = client.get_experiment_by_name("digits").experiment_id
        found = client.search_runs([experiment])
        nested = {}
        for run in found:
            parent = run.data.tags.get("mlflow.parentRunId")
            nested.setdefault(parent, []).append(run)
        by_candidate = lambda run: int(run.data.tags["sktune.candidate"])  # noqa: E731
        return [
            (run, sorted(nested.get(run.info.run_id, []), key=by_candidate))
            for run in nested[None]
        ]

    return read


def test_a_nested_run_for_each_candidate(fitted, halving, tracker, runs, uri):
    search = fitted(halving, tracker(tags={"team": "vision"}))
    ((parent, children),) = runs()
    results = search.cv_results_
    assert len(children) == 4 and parent.info.status == "FINISHED"
    assert parent.data.tags["team"] == "vision"
    assert parent.data.params["n_candidates"] == "4"
    assert parent.data.metrics["best_cv_score"] == pytest.approx(search.best_score_)
    assert parent.data.tags["best_lr"] == str(search.best_params_["lr"])
    client = mlflow.MlflowClient(uri)
    for row, candidate in enumerate(results["candidate"]):
        run = children[candidate]
        expected = {k: str(v) for k, v in results["params"][row].items()}
        assert run.data.params == expected and run.info.status == "FINISHED"
        history = client.get_metric_history(run.info.run_id, "mean_test_score")
        scores = {one.step: one.value for one in history}
        score = scores[results["n_resources"][row]]
        assert score == pytest.approx(results["mean_test_score"][row])
    best = children[results["candidate"][search.best_index_]]
    curve = client.get_metric_history(best.info.run_id, "mean_curve")
    assert [one.step for one in curve] == [1, 2, 3, 4]


def test_the_best_model_on_request(fitted, grid, tracker, runs, uri, monkeypatch):
    fitted(grid, tracker(), estimator=Score(), space={"a": [0.1, 0.2]})
    space = {"a": [0.1, 0.2]}
    search = fitted(grid, tracker(log_model=True), estimator=Score(), space=space)
    models = []
    for parent, _ in runs():
        files = mlflow.MlflowClient(uri).list_artifacts(parent.info.run_id)
        models += [parent.info.run_id for one in files if one.path == "model"]
    (run_id,) = models
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    model = mlflow.sklearn.load_model(f"runs:/{run_id}/model")
    assert model.a == search.best_estimator_.a


def test_the_best_candidates_only(fitted, grid, tracker, runs):
    space = {"a": [0.1, 0.3, 0.5, 0.7]}
    limited = tracker(max_tuning_runs=2)
    search = fitted(grid, limited, estimator=Score(), space=space)
    ((_, children),) = runs()
    ranks = search.cv_results_["rank_test_score"]
    best = [k for k in range(4) if ranks[k] <= 2]
    assert [int(run.data.tags["sktune.candidate"]) for run in children] == best


@pytest.mark.parametrize("n_runs", [None, 3])
def test_a_continued_search_goes_on_in_its_runs(
    fitted, halving, tracker, runs, tmp_path, uri, n_runs
):
    journal = tmp_path / "search.jsonl"
    fitted(halving, tracker(max_tuning_runs=n_runs), journal=journal)
    ((parent, children),) = runs()
    fitted(halving, tracker(max_tuning_runs=n_runs), journal=journal)
    ((same, same_children),) = runs()
    assert same.to_dictionary() == parent.to_dictionary()
    as_dicts = [run.to_dictionary() for run in children]
    assert [run.to_dictionary() for run in same_children] == as_dicts
    cut(journal, 9)
    fitted(halving, tracker(max_tuning_runs=n_runs), journal=journal)
    ((same, same_children),) = runs()
    assert same.info.run_id == parent.info.run_id
    assert [r.info.run_id for r in same_children] == [r.info.run_id for r in children]


def test_candidates_and_searches_that_failed(fitted, grid, tracker, runs):
    space = {"a": [0.5, 7.0]}
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        fitted(grid, tracker(), estimator=Score(bad=(7.0,)), space=space)
    ((parent, children),) = runs()
    assert [run.info.status for run in children] == ["FINISHED", "FAILED"]
    assert parent.info.status == "FINISHED"
    raising = {"estimator": Score(bad=(7.0,)), "error_score": "raise"}
    with pytest.raises(ValueError, match="is bad"):
        # By one worker: nothing is logged of a search whose very first fit raises.
        fitted(grid, tracker(), space=space, n_jobs=1, **raising)
    assert sorted(run.info.status for run, _ in runs()) == ["FAILED", "FINISHED"]


def test_metrics_by_any_name(fitted, grid, tracker, runs):
    scoring, space = {"f1 (macro)": "f1_macro", "b": "accuracy"}, {"a": [0.5]}
    given = {"estimator": Score(), "space": space, "scoring": scoring, "refit": "b"}
    fitted(grid, tracker(), **given)
    ((_, (child,)),) = runs()
    assert {"mean_test_f1 _macro_", "mean_test_b"} <= set(child.data.metrics)


def test_the_active_run_is_let_be(fitted, grid, tracker, uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with mlflow.start_run() as active:
        fitted(grid, tracker(log_model=True), estimator=Score(), space={"a": [0.5]})
        assert mlflow.active_run().info.run_id == active.info.run_id
    assert mlflow.get_run(active.info.run_id).data.metrics == {}


def test_a_server_that_is_not_there(fitted, grid):
    nowhere = MLflow(tracking_uri="nowhere://there")
    with pytest.warns(UserWarning, match=r"MLflow\('Default'\) raised"):
        search = fitted(grid, nowhere, estimator=Score(), space={"a": [0.5]})
    assert search.best_params_ == {"a": 0.5}


def test_a_number_of_runs_that_is_none():
    with pytest.raises(ValueError, match="max_tuning_runs=0 has to be at least 1"):
        MLflow(max_tuning_runs=0)
