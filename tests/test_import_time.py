"""`import sktune` is quick: what is heavy is imported when it is first needed."""

import subprocess
import sys

import pytest

import sktune

HEAVY = ("matplotlib", "skorch", "sklearn.ensemble", "sklearn.tree", "torch")
TIMED = """
import time
import sklearn.model_selection
start = time.process_time()
import sktune
{first_use}
print(time.process_time() - start)
"""


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def seconds(first_use: str) -> float:
    """Processor time; the least of several runs, since others may use the machine."""
    return min(float(run(TIMED.format(first_use=first_use))) for _ in range(5))


def test_heavy_packages_stay_away():
    loaded = run(
        "import sys, sktune; sktune.GridSearchCV, sktune.BayesSearchCV;"
        f"print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    assert loaded == ""


@pytest.mark.slow
def test_import_adds_little_to_that_of_sklearn():
    assert seconds("") < 0.1
    assert seconds("sktune.BayesSearchCV") < 0.3


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
