"""scikit-learn's own tests of its two searches, with sktune's in their place.

scikit-learn ships them in its wheel. Here its test module is executed twice more with
the names swapped, since what a test is parametrised with is built while it runs:

- as ``test_*`` with sktune's GridSearchCV and RandomizedSearchCV;
- as ``test_bayes_*`` with BayesSearchCV for RandomizedSearchCV, but for `ABOUT_DRAWS`.

Tests that use neither search (of ParameterGrid, say) are left out.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from unittest import mock

import pytest
import sklearn
import sklearn.model_selection

import sktune

# scikit-learn's tests warn freely; those about a warning look for it themselves.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

SUITE = "sklearn.model_selection.tests.test_search"

# SciPy reads this switch once, when it is imported; see test_array_api.
SCIPY_ARRAY_API = os.environ.get("SCIPY_ARRAY_API") == "1"

# Tests of which candidates are drawn, or in which order: not BayesSearchCV's to meet.
ABOUT_DRAWS = {
    "test_random_search_cv_results_multimetric": "one order for any scoring",
    "test_search_cv_results_rank_tie_breaking": "candidates in the order of the list",
    "test_search_cv_timing": "candidates in the order of the list",
    "test_search_default_iid": "candidates in the order of the list",
    "test_search_with_2d_array": "three draws of seed 0",
}


# scikit-learn changed a message; sktune says it as the current line does.
IN_OTHER_WORDS = set()
if sklearn.__version__ < "1.9":
    IN_OTHER_WORDS = {"test_random_search_bad_cv"}


def load_suite(**searches: type) -> ModuleType:
    """scikit-learn's test module, run with other searches under the old names."""
    importlib.import_module(SUITE)  # so that only the suite itself sees the swap
    spec = importlib.util.find_spec(SUITE)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.multiple(sklearn.model_selection, **searches):
        spec.loader.exec_module(module)
    return module


def using(suite: ModuleType, *searches: str) -> dict[str, Callable]:
    """Tests that name one of the searches, directly or through the suite's helper."""
    words = (*searches, "_searchcv_callback_test_cases")
    return {
        name: test
        for name, test in vars(suite).items()
        if name.startswith("test_")
        and name not in IN_OTHER_WORDS
        and ("array_api" in name) == SCIPY_ARRAY_API
        and any(word in inspect.getsource(test) for word in words)
    }


EXACT = load_suite(
    GridSearchCV=sktune.GridSearchCV, RandomizedSearchCV=sktune.RandomizedSearchCV
)
BAYES = load_suite(
    GridSearchCV=sktune.GridSearchCV, RandomizedSearchCV=sktune.BayesSearchCV
)
exact_tests = using(EXACT, "GridSearchCV", "RandomizedSearchCV")
bayes_tests = using(BAYES, "RandomizedSearchCV")

globals().update(exact_tests)
globals().update(
    {
        name.replace("test_", "test_bayes_", 1): test
        for name, test in bayes_tests.items()
        if name not in ABOUT_DRAWS
    }
)


@pytest.fixture(autouse=True)
def suite_goes_by_its_name(request, monkeypatch):
    """While its test runs, a suite's classes can be pickled by name.

    One of its tests compares all attributes that it finds; `provenance_` is ours.
    """

    def names(search):
        return [name for name in object.__dir__(search) if name != "provenance_"]

    monkeypatch.setattr(sktune.GridSearchCV, "__dir__", names)
    for suite in (EXACT, BAYES):
        if request.function.__globals__ is vars(suite):
            monkeypatch.setitem(sys.modules, SUITE, suite)


if not SCIPY_ARRAY_API:

    def test_array_api():
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, __file__],
            env={**os.environ, "SCIPY_ARRAY_API": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        assert "passed" in done.stdout

    def test_nothing_is_missing():
        assert set(ABOUT_DRAWS) <= set(bayes_tests)
        assert len(exact_tests) > 60
        assert len(bayes_tests) > 20

    def test_sklearn_keeps_its_own_searches():
        assert sklearn.model_selection.GridSearchCV.__module__.startswith("sklearn.")
        assert EXACT.RandomizedSearchCV is sktune.RandomizedSearchCV
        assert BAYES.RandomizedSearchCV is sktune.BayesSearchCV
