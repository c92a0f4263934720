"""Searches that end when their time or their resources are spent."""

import joblib
import pytest
from sklearn.linear_model import SGDClassifier

from sktune import HyperbandSearchCV, SuccessiveHalvingSearchCV
from tests.helpers.journals import assert_same, make
from tests.helpers.searches import X, every_search, freeze_thaw, grid, y

pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")


@every_search
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_fit_starts_when_the_time_is_over(search, journal, monkeypatch, n_jobs):
    import sktune.run.listeners._budget as budget

    clock = iter(range(1000))
    expected = make(search).fit(X, y)
    with monkeypatch.context() as patch:
        patch.setattr(budget, "monotonic", lambda: next(clock))
        short = make(search, journal, max_time=9, n_jobs=n_jobs)
        # How many evaluations there will be it does not know.
        share = "evaluations" if search is freeze_thaw else "of"
        with (
            joblib.parallel_config("threading"),
            pytest.warns(
                UserWarning, match=rf"max_time=9 was spent after (\d+) {share}"
            ),
        ):
            short.fit(X, y)
    n_rows = len(short.cv_results_["params"])
    assert 1 <= n_rows < len(expected.cv_results_["params"])
    assert short.best_estimator_.a == short.best_params_["a"]
    # The journal continues; what is known takes no time.
    assert_same(make(search, journal).fit(X, y), expected)
    assert_same(make(search, journal, max_time=1e-9).fit(X, y), expected)


def test_no_time_at_all():
    with pytest.raises(ValueError, match="max_time=1e-09 was spent before the first"):
        make(grid, max_time=1e-9).fit(X, y)


@pytest.mark.parametrize("search", [SuccessiveHalvingSearchCV, HyperbandSearchCV])
@pytest.mark.parametrize("total", [25, 40, 77])
@pytest.mark.parametrize("min_splits", [None, 1])
def test_resources_in_all(search, total, min_splits, journal, monkeypatch):
    calls = []
    partial_fit = SGDClassifier.partial_fit

    def counted(self, *args, **kwargs):
        calls.append(0)
        return partial_fit(self, *args, **kwargs)

    monkeypatch.setattr(SGDClassifier, "partial_fit", counted)
    one = search(
        SGDClassifier(random_state=0),
        {"alpha": [10.0**-k for k in range(20)]},
        resource="partial_fit",
        max_resources=9,
        cv=2,
        random_state=0,
        refit=False,
        journal=journal,
        max_resources_total=total,
        min_splits=min_splits,
    )
    n_all = one.plan().total_resources
    if n_all > total:
        with pytest.warns(UserWarning, match=rf"max_resources_total={total} was spent"):
            one.fit(X, y)
        assert total - 2 * 8 < len(calls) <= total
    one.set_params(max_resources_total=n_all).fit(X, y)
    assert len(calls) == n_all, "everything was trained once"


@every_search
@pytest.mark.parametrize("max_time", [0, -1.0, "1 h"])
def test_limits_are_numbers_above_0(search, max_time):
    with pytest.raises(ValueError, match="'max_time' parameter"):
        make(search, max_time=max_time).fit(X, y)
