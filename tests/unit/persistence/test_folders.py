"""Folders that go with a search, however it ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sktune.persistence import remove_folder, temporary_folder

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


def test_a_folder_goes_that_somebody_writes_into(tmp_path):
    """As a worker of dask does that is not told that its search is over."""
    folders = [temporary_folder(tmp_path) for _ in range(200)]
    over = threading.Event()

    def write():
        while not over.is_set():
            for k in range(3):
                with suppress(OSError):
                    (current / str(k)).touch()

    current = folders[0]
    writer = threading.Thread(target=write)
    writer.start()
    for current in folders:
        time.sleep(0.001)
        remove_folder(current)
    over.set()
    writer.join()
    assert list(tmp_path.iterdir()) == []
