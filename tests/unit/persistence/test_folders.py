"""Folders that go with a search, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

KILLED = """
import os, signal, sys
from sktune.execution import checkpoints_in
with checkpoints_in(sys.argv[1]) as checkpoints:
    checkpoints.save(0, 0, lambda file: file.write(b"state"))
    print(checkpoints.path, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_the_folder_goes_with_a_search_that_is_killed(tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert killed.returncode == -signal.SIGKILL
    folder = Path(killed.stdout.strip())
    assert folder.parent == tmp_path
    for _ in range(100):
        if not folder.exists():
            break
        time.sleep(0.1)
    assert not list(tmp_path.iterdir())
