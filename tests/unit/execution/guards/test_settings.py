"""Settings that are read in one process and put in force in another."""

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from sktune._errors import EstimatorError
from sktune.execution.guards._settings import Settings
from tests.helpers.torch_settings import restored

WITHOUT_TORCH = """
import sys, numpy as np
from sklearn.dummy import DummyClassifier
from sktune import GridSearchCV

def score(estimator, X, y):
    return float("torch" in sys.modules)

X, y = np.zeros((12, 1)), np.arange(12) % 2
search = GridSearchCV(
    DummyClassifier(), {"random_state": [1, 2]}, cv=2, n_jobs=2, scoring=score
).fit(X, y)
print(set(search.cv_results_["mean_test_score"]), "torch" in sys.modules)
if len(sys.argv) > 1:
    import torch
    torch.set_default_dtype(torch.float64)
    search.fit(X, y)
    print(set(search.cv_results_["mean_test_score"]))
"""


def from_elsewhere(**kwargs):
    return replace(Settings.read(), process="of another machine", **kwargs)


def in_a_thread(settings, **kwargs):
    """What a thread of a worker, such as dask's, finds in force."""
    found = []

    def look():
        with settings.held(**kwargs):
            found.append((torch.get_default_dtype(), torch.is_grad_enabled()))
        found.append((torch.get_default_dtype(), torch.is_grad_enabled()))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found


@pytest.mark.parametrize("is_exclusive", [True, False])
def test_in_a_worker_that_runs_fits_in_threads(is_exclusive):
    with restored():
        torch.set_default_dtype(torch.float64)
        with torch.no_grad():
            settings = from_elsewhere()
    held, after = in_a_thread(settings, is_exclusive=is_exclusive)
    assert held == (torch.float64, False)
    assert after == (torch.float32, True)


def test_threads_of_the_program_change_nothing_for_each_other():
    """A fit beside this one may have set the dtype for itself."""
    with torch.no_grad():
        settings = Settings.read()
    with restored():
        torch.set_default_dtype(torch.float64)
        held, after = in_a_thread(settings, is_exclusive=False)
    assert held == (torch.float64, False)
    assert after == (torch.float64, True)


def test_precision_that_was_set_by_older_and_newer_names():
    """Torch refuses to tell of the older ones then."""
    matmul = torch.backends.cuda.matmul
    with restored():
        torch.set_float32_matmul_precision("highest")
        before = matmul.fp32_precision
        with restored():
            matmul.fp32_precision = "tf32"
            with pytest.raises(RuntimeError, match="precision"):
                torch.get_float32_matmul_precision()
            settings = Settings.read()
            told = settings.precision()
            assert "torch.backends.cuda.matmul.fp32_precision" in told
            assert "torch.set_float32_matmul_precision" not in told
        with settings.held(is_exclusive=True):
            assert matmul.fp32_precision == "tf32"
        assert matmul.fp32_precision == before
        assert torch.get_float32_matmul_precision() == "highest"


def test_what_a_worker_cannot_have_is_named():
    settings = from_elsewhere()
    values = {**settings.torch.values, "torch.set_default_dtype": "float1"}
    settings = replace(settings, torch=replace(settings.torch, values=values))
    with (
        pytest.raises(EstimatorError, match=r"torch.set_default_dtype is 'float1'"),
        settings.held(is_exclusive=True),
    ):
        pass


def test_a_function_of_numpy_that_is_called():
    heard = []
    with np.errstate(divide="call", call=lambda *args: heard.append(args)):
        settings = Settings.read()
    with settings.held(is_exclusive=True):
        np.divide(1.0, 0.0)
    assert len(heard) == 1


def test_reading_begins_no_cuda():
    Settings.read()
    assert not torch.cuda.is_initialized()


@pytest.mark.slow
@pytest.mark.one_end
@pytest.mark.parametrize("changed", [False, True])
def test_workers_import_torch_only_for_what_was_changed(changed):
    arguments = ["changed"] if changed else []
    said = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *arguments],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert said[0] == "{np.float64(0.0)} False"
    assert said[1:] == (["{np.float64(1.0)}"] if changed else [])
