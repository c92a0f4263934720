"""One thread each: tests are many, tiny, and run two at a time."""

import signal

import pytest
import scipy.linalg  # noqa: F401  (its BLAS is another than numpy's)
import sklearn  # noqa: F401
import threadpoolctl
import torch

torch.set_num_threads(1)
threadpoolctl.threadpool_limits(limits=1)
# Ignored where a shell has started the tests in the background, and so in what they
# start themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    """Leave out what runs for minutes, unless it is named."""
    if "soak" not in config.option.markexpr:
        soaks = [item for item in items if item.get_closest_marker("soak")]
        config.hook.pytest_deselected(items=soaks)
        items[:] = [item for item in items if item not in soaks]


@pytest.fixture
def locks(tmp_path, monkeypatch):
    """Locks of a test's own: other tests on this machine have devices, too."""
    monkeypatch.setenv("SKTUNE_DEVICE_LOCKS", str(tmp_path / "locks"))
    return tmp_path / "locks"
