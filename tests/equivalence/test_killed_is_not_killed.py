"""A search that is killed at any instant is, once continued, one that was not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

KILLS = {
    "flat": 12,
    "bayes": 8,
    "halving": 10,
    "hyperband": 8,
    "stacked": 8,
    "threads": 6,
    "asynchronous": 6,
    "freeze and thaw": 6,
    "population": 8,
}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """All in one process, since what takes longest is to import torch."""
    folder = tmp_path_factory.mktemp("killed")
    kills = [f"{name}={n}" for name, n in KILLS.items()]
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.helpers.sigkill",
        str(folder),
        "0",
    ]
    process = subprocess.run(
        [*command, *kills],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.one_end
@pytest.mark.timeout(400)  # on a machine that others use too
@pytest.mark.parametrize("name", KILLS)
def test_killed_is_not_killed(reports, name):
    report = reports[name]
    assert report["wrong"] == []
    assert report["kills"] == KILLS[name]
    assert report["sessions"] > report["searches"], "some were killed among their fits"
