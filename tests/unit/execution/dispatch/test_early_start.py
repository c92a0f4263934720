"""Workers start while the search prepares what it sends to them."""

import sys

import joblib
import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor, reusable_executor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktune import GridSearchCV
from sktune.execution.dispatch._early_start import _import, _modules
from tests.helpers.estimators import Score, blobs, net

X, y = blobs(30)


@pytest.fixture
def no_workers():
    get_reusable_executor().shutdown(wait=True, kill_workers=True)


def n_processes():
    executor = reusable_executor._executor
    return len(getattr(executor, "_processes", None) or {})


class Watched(np.ndarray):
    """An array that notes how many workers there are when it is pickled."""

    seen = None

    def __reduce__(self):
        Watched.seen = n_processes()
        return np.array, (np.asarray(self).tolist(),)


def test_workers_start_before_the_data_are_written(no_workers):
    search = GridSearchCV(Score(), {"a": [1, 2]}, cv=2, n_jobs=2)
    search.fit(X.view(Watched), y)
    assert Watched.seen == 2


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_workers_for_nothing(no_workers, n_jobs):
    search = GridSearchCV(Score(), {"a": []}, cv=2, n_jobs=n_jobs)
    with pytest.raises(ValueError, match="non-empty"):
        search.fit(X, y)
    with joblib.parallel_config("threading", n_jobs=n_jobs):
        search.set_params(param_grid={"a": [1]}, n_jobs=None).fit(X, y)
    assert n_processes() == 0


def test_workers_start_before_the_estimator_is_checked(no_workers):
    class Checked(Score):
        seen = None

        def get_params(self, deep=True):
            Checked.seen = max(Checked.seen or 0, n_processes())
            return super().get_params(deep)

    search = GridSearchCV(Checked(), {"no_such_name": [1, 2]}, cv=2, n_jobs=2)
    with pytest.raises(ValueError, match="no_such_name"):
        search.fit(X, y)
    assert Checked.seen == 2
    assert n_processes() == 0


def test_what_is_imported():
    names = _modules(make_pipeline(StandardScaler(), net()))
    assert {
        "sklearn.preprocessing._data",
        "skorch.classifier",
        "tests.helpers.estimators",
        "torch._dynamo",
    } <= set(names)
    assert "builtins" not in names
    assert not any("torch" in name for name in _modules(StandardScaler()))
    _import(["no_such_module", "colorsys"])
    assert "colorsys" in sys.modules
