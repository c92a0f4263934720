import pytest

from sktune.execution.checkpoint._paused_fit import checkpoints_in


@pytest.fixture
def checkpoints(tmp_path):
    with checkpoints_in(tmp_path) as one:
        yield one
