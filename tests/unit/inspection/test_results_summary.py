"""What a search came to, as text."""

import pytest
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from sktune import GridSearchCV
from sktune.inspection import best_candidates, results_summary


def test_of_a_grid(search):
    lines = results_summary(search, n=2).splitlines()
    assert lines[0].startswith(f"GridSearchCV of SVC: score {search.best_score_:.4g}, ")
    assert lines[0].endswith("over 3 splits")
    for name, value in search.best_params_.items():
        assert f"    {name} = {value!r}" in lines
    assert any(line.startswith("4 candidates, 12 fits, ") for line in lines)
    assert "\n".join(lines).endswith(repr(best_candidates(search, 2)))
    assert "failed" not in "\n".join(lines)


def test_failures_are_counted(with_failures):
    assert ", 2 failed" in results_summary(with_failures)


def test_one_of_several_metrics(two_metrics):
    assert "neg_log_loss" in results_summary(two_metrics, metric="neg_log_loss")


def test_rungs_count_candidates_once(halving_with_failures):
    summary = results_summary(halving_with_failures)
    n_rows = len(halving_with_failures.cv_results_["params"])
    assert f"10 candidates, {2 * n_rows} fits" in summary


def test_the_best_is_what_a_callable_refit_chooses():
    search = GridSearchCV(SVC(), {"C": [0.001, 1, 10]}, refit=lambda results: 0)
    search.fit(*load_iris(return_X_y=True))
    assert "C = 0.001" in results_summary(search)
    assert "C = 0.001" not in results_summary(search, metric="score")


def test_a_halving_of_scikit_learn():
    """Its best is among those that were given most, and rungs are of one candidate."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    for seed in range(4):
        search = HalvingRandomSearchCV(
            SVC(),
            {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-3, 1)},
            n_candidates=8,
            min_resources=30,
            random_state=seed,
        ).fit(*load_iris(return_X_y=True))
        best = best_candidates(search, n=1)[0]
        assert best["C"] == search.best_params_["C"]
        assert best["score"] == pytest.approx(search.best_score_)
        assert "8 candidates" in results_summary(search)


def test_a_journal_is_no_search(tmp_path):
    with pytest.raises(TypeError, match=r"not a path.*to_frame"):
        best_candidates(tmp_path / "search.jsonl")
