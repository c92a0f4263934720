"""What a search came to, as text."""

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
