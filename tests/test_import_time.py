"""`import sktune` is quick: what is heavy is imported when it is first needed."""

import subprocess
import sys

HEAVY = ("matplotlib", "skorch", "torch")
TIMED = """
import time
import sklearn.model_selection
start = time.perf_counter()
import sktune
sktune.BayesSearchCV
print(time.perf_counter() - start)
"""


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_heavy_packages_stay_away():
    loaded = run(
        "import sys, sktune; sktune.GridSearchCV, sktune.BayesSearchCV;"
        f"print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    assert loaded == ""


def test_import_adds_little_to_that_of_sklearn():
    # The least disturbed of several runs: others may use the machine too.
    assert min(float(run(TIMED)) for _ in range(5)) < 0.3
