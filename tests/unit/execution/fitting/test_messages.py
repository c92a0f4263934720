"""What is printed and warned of a fit is what scikit-learn prints and warns."""

import re
import warnings

import numpy as np
import pytest
from sklearn import model_selection

import sktune
from tests.helpers.estimators import Score, blobs

X, y = blobs(30)


def raises(estimator, X, y):
    raise ValueError("no score")


def said(package, capsys, **kwargs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        package.GridSearchCV(
            Score(bad=(2,)), {"a": [1, 2], "b": [0.5]}, cv=2, **kwargs
        ).fit(X, y)
    printed = re.sub(r"total time=.*", "total time", capsys.readouterr().out)
    # Tracebacks lead through other files; progress is sktune's own.
    lines = [line for line in printed.splitlines() if not line.startswith("[1/2]")]
    lines = [re.sub(r"\.{3,}", "...", line) for line in lines if line[:2] != "[2"]
    lines = [line for line in lines if not line.startswith("Refitting")]
    texts = [
        re.sub(r"(?s)Traceback.*?\n(\w+Error)", r"\1", str(w.message)) for w in caught
    ]
    # scikit-learn says of each fit that its scorer raised; here they are counted.
    counted = r"\d of \d train-test partitions"
    texts = [re.sub(counted, "this train-test partition", text) for text in texts]
    once = [text for text in texts if not text.startswith("Scoring failed")]
    once += {text for text in texts if text.startswith("Scoring failed")}
    return lines, sorted(once)


@pytest.mark.parametrize("verbose", [0, 1, 2, 3, 10])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_train_score": True, "error_score": -1.0},
        {"scoring": ["accuracy", "f1_macro"], "refit": False},
        {"scoring": {"a": "accuracy", "b": raises}, "refit": "a"},
        {"scoring": raises, "refit": False, "error_score": 0.0},
    ],
    ids=["plain", "train", "several", "one raises", "raises"],
)
def test_the_same_is_said(options, verbose, capsys):
    options = {"error_score": np.nan, **options, "verbose": verbose}
    ours, theirs = (said(p, capsys, **options) for p in (sktune, model_selection))
    assert ours == theirs
    assert verbose < 2 or len(ours[0]) > 2


def test_a_resource_that_is_a_parameter_is_named(capsys):
    sktune.SuccessiveHalvingSearchCV(
        Score(), {"a": [1.0, 2.0]}, resource="b", max_resources=2, factor=2, cv=2,
        n_candidates=2, verbose=10,
    ).fit(X, y)  # fmt: skip
    lines = capsys.readouterr().out.splitlines()
    starts = [line for line in lines if "START" in line]
    assert len(starts) == 6 and all("a=" in line and "b=" in line for line in starts)
