"""`import sktune` is quick: what is heavy is imported when it is first needed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import sktune

HEAVY = ("matplotlib", "skorch", "sklearn.ensemble", "sklearn.tree", "torch")
TIMED = """
import time
start = time.process_time()
import sklearn.model_selection
middle = time.process_time()
import sktune
{first_use}
print(middle - start, time.process_time() - middle)
"""


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def share(first_use: str) -> float:
    """Of the processor time that scikit-learn's import takes, in a few processes.

    The least of each, since others may use the machine, and it may be a slow one.
    """
    times = [run(TIMED.format(first_use=first_use)).split() for _ in range(2)]
    theirs, ours = (min(map(float, column)) for column in zip(*times, strict=True))
    return ours / theirs


def test_heavy_packages_stay_away():
    loaded = run(
        "import sys, sktune; sktune.GridSearchCV, sktune.BayesSearchCV;"
        f"print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    assert loaded == ""


@pytest.mark.slow
def test_import_adds_little_to_that_of_sklearn():
    assert share("") < 0.05
    assert share("sktune.BayesSearchCV") < 0.4


def test_workers_import_no_searches():
    """What a worker reads names the rooms of execution, and no more is imported."""
    loaded = run(
        "import sys, sktune.execution.dispatch._batch;"
        "print('sktune.search' in sys.modules, 'sktune.strategy' in sys.modules)"
    )
    assert loaded == "False False"


def test_the_public_names():
    for name in sktune.__all__:
        assert getattr(sktune, name) is not None
        assert name in dir(sktune)
    assert not hasattr(sktune, "GridSearch")


def test_rooms_that_users_import_from():
    found = run(
        "import sktune;print(sktune.strategy.Bayes().surrogate, 'space' in dir(sktune))"
    )
    assert found == "gp True"
    reference = (Path(__file__).parents[1] / "docs" / "reference.md").read_text()
    rooms = set(re.findall(r"currentmodule:: sktune\.(\w+)", reference))
    assert "advice" in rooms and rooms <= set(dir(sktune))
    for room in rooms:
        assert getattr(sktune, room).__name__ == f"sktune.{room}"
