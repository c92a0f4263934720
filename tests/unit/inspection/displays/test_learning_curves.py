"""Pictures and tables of how candidates learnt."""

import numpy as np
import pytest
from skorch.dataset import ValidSplit

from sktune import GridSearchCV, HyperbandSearchCV
from sktune.inspection import (
    LearningCurvesDisplay,
    learning_curves,
    plot_learning_curves,
)
from tests.helpers.estimators import blobs, net

X, y = blobs()


def two_points(curve):
    return len(curve) == 2 and curve[-1] < 0.3


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    journal = tmp_path_factory.mktemp("curves") / "search.jsonl"
    search = GridSearchCV(
        net(max_epochs=4, verbose=0, train_split=ValidSplit(4)),
        {"lr": [0.1, 1e-5, 0.2, 0.15]},
        cv=3,
        random_state=0,
        early_stopping=two_points,
        journal=journal,
    )
    return search.fit(X, y)


def test_a_row_for_each_point(stopped):
    table = learning_curves(stopped)
    assert len(table) == sum(len(curve["epochs"]) for curve in stopped.curves_)
    assert {row["on"] for row in table} == {"train_split"}
    for curve in stopped.curves_:
        rows = [
            row
            for row in table
            if (row["candidate"], row["split"]) == (curve["candidate"], curve["split"])
        ]
        assert [row["epoch"] for row in rows] == list(curve["epochs"])
        assert [row["score"] for row in rows] == list(curve["scores"])
        assert {row["stopped"] for row in rows} == {curve["stopped"]}
    assert len(learning_curves(stopped.journal)) == len(table)


def test_a_line_for_each_candidate(stopped):
    ax = plot_learning_curves(stopped)
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert set(lines) == {"the best candidate", "stopped", "trained to its end"}
    best = [c for c in stopped.curves_ if c["candidate"] == stopped.best_index_]
    mean = np.mean([curve["scores"] for curve in best], axis=0)
    np.testing.assert_allclose(lines["the best candidate"].get_ydata(), mean)
    assert ax.get_xlabel() == "epoch"
    assert "validation part" in ax.get_ylabel()
    assert len(plot_learning_curves(stopped.journal).get_lines()) == len(ax.get_lines())


def test_rungs_go_on_where_they_paused():
    space = {"lr": [0.1, 0.2, 0.01, 0.001]}
    one = net(verbose=0, train_split=ValidSplit(4))
    search = HyperbandSearchCV(
        one, space, factor=2, max_resources=4, cv=3, random_state=0
    )
    with pytest.warns(UserWarning):
        search.fit(X, y)
    ax = plot_learning_curves(search)
    n_lines = len({row["candidate"] for row in search.curves_})
    assert len(ax.get_lines()) == n_lines
    assert max(line.get_xdata()[-1] for line in ax.get_lines()) == 4


def test_there_are_none(tmp_path):
    plain = GridSearchCV(net(max_epochs=1, verbose=0), {"lr": [0.1]}, cv=3)
    with pytest.raises(ValueError, match="has no learning curves"):
        learning_curves(plain.fit(X, y))
    with pytest.raises(ValueError, match=r"GridSearchCV has no learning curves"):
        LearningCurvesDisplay.from_search(plain)


def curve(candidate, n_resources, scores, split=0):
    return {
        "candidate": candidate,
        "split": split,
        "n_resources": n_resources,
        "epochs": range(1, len(scores) + 1),
        "scores": scores,
        "on": "test",
        "stopped": False,
    }


def labels_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_rungs_pauses_and_failures():
    curves = [
        curve(0, 1, [0.1]),
        curve(0, 3, [0.1, 0.4, 0.6]),
        curve(1, 1, [0.05]),
        curve(2, 1, [0.2]),
        curve(2, 3, [0.2, 0.3, np.nan]),
    ]
    display = LearningCurvesDisplay(curves=curves, best=0, failed=[2, 3]).plot()
    assert labels_of(display.ax_) == [
        "the best candidate",
        "trained to its end",
        "paused, and not resumed",
        "paused, and resumed",
        "2 failed, 1 without a curve",
    ]
    rungs, pauses, failed = display.ax_.collections
    assert [path[0, 0] for path in rungs.get_segments()] == [1, 3]
    np.testing.assert_allclose(pauses.get_offsets(), [[1, 0.1], [1, 0.2]])
    np.testing.assert_allclose(failed.get_offsets(), [[2, 0.3]])


def test_the_winner_of_a_journal_is_that_of_its_search(stopped):
    a, b = map(LearningCurvesDisplay.from_search, (stopped, stopped.journal))
    assert a.best == b.best == stopped.best_index_
    assert a.plot(b.ax_) is a
    assert a.ax_ is b.ax_
    with pytest.raises(ValueError, match="Did you mean 'score'"):
        LearningCurvesDisplay.from_search(stopped, metric="scor")
