"""Importances of parameters, from what was recorded."""

import numpy as np
import pytest

from sktune.inspection import param_importances
from sktune.inspection._param_importances import importances_of
from sktune.inspection._search_record import RecordedRow, SearchRecord


def record(params, scores, scales=None, levels=None):
    levels = levels or [None] * len(params)
    rows = tuple(
        RecordedRow(
            i, p, {"score": {0: float(s)}}, 0.0, failed=bool(np.isnan(s)), n_resources=r
        )
        for i, (p, s, r) in enumerate(zip(params, scores, levels, strict=True))
    )
    names = dict.fromkeys(name for p in params for name in p)
    scales = scales or dict.fromkeys(names, "linear")
    return SearchRecord("Search", ("score",), "score", rows, 0, 1, scales)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def by_name(table):
    return {
        tuple(filter(None, (row["param"], row["with"]))): row["importance"]
        for row in table
    }


def test_what_matters_comes_first(rng):
    x, z = rng.random(80), rng.random(80)
    params = [{"a": a, "b": b, "c": "u"} for a, b in zip(x, z, strict=True)]
    scales = {"a": "linear", "b": "linear", "c": "category"}
    table = importances_of(record(params, 3 * z + x, scales))
    assert [row["param"] for row in table[:3]] == ["b", "a", "c"]
    found = by_name(table)
    assert found["b",] == pytest.approx(0.9, abs=0.06)
    assert found["a",] == pytest.approx(0.1, abs=0.06)
    assert found["c",] == pytest.approx(0.0, abs=1e-9)
    assert all(row["std"] >= 0 for row in table)
    assert "importance" in repr(table)


def test_scales_words_and_what_is_not_set(rng):
    lr = 10 ** rng.uniform(-5, 0, 90)
    kind = rng.choice(["x", "y"], 90)
    params = [
        {"lr": one, "kind": word} if word == "x" else {"kind": word, "depth": None}
        for one, word in zip(lr, kind, strict=True)
    ]
    scores = np.where(kind == "x", np.log10(lr), 0.0)
    scales = {"lr": "log", "kind": "category", "depth": "category"}
    table = importances_of(record(params, scores, scales))
    found = by_name(table)
    # Which of the two is told by whether the other is set, so that they share.
    assert table[0]["param"] == "lr"
    assert found["lr",] > 0.3
    assert sum(found.values()) == pytest.approx(1.0, abs=0.15)


def test_a_pit_is_not_all_the_variance(rng):
    a, b = rng.random(60), rng.random(60)
    scores = a.copy()
    scores[b.argmax()] = -1e30
    params = [{"a": x, "b": z} for x, z in zip(a, b, strict=True)]
    assert by_name(importances_of(record(params, scores)))["a",] > 0.7


def test_where_most_are_equal_the_others_are_the_variance(rng):
    a, b = rng.random(60), rng.random(60)
    scores = np.where(a > 0.1, 1.0, 0.0)
    params = [{"a": x, "b": z} for x, z in zip(a, b, strict=True)]
    assert by_name(importances_of(record(params, scores)))["a",] > 0.9


def test_failures_are_left_out(rng):
    a = rng.random(40)
    scores = np.where(a > 0.9, np.nan, a)
    table = importances_of(record([{"a": x} for x in a], scores))
    assert by_name(table)["a",] == pytest.approx(1.0)


def test_rungs_are_compared_at_the_largest(rng):
    a, b = rng.random(120), rng.random(120)
    levels = rng.choice([1, 9], 120).tolist()
    scores = np.where(np.equal(levels, 9), a, b - 2.0)
    params = [{"a": x, "b": z} for x, z in zip(a, b, strict=True)]
    found = by_name(importances_of(record(params, scores, levels=levels)))
    assert found["a",] > 0.9


def test_bad_input(search):
    with pytest.raises(ValueError, match="n_trees=0 must be at least 1"):
        param_importances(search, n_trees=0)
    with pytest.raises(ValueError, match=r"at least 4 candidates, and Search has 3"):
        importances_of(record([{"a": x} for x in (1.0, 2.0, 3.0)], [1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="Did you mean 'score'"):
        param_importances(search, metric="scor")


def test_equal_scores_and_the_same_answer_twice(search):
    found = by_name(importances_of(record([{"a": x} for x in (1.0, 2, 3, 4)], [1] * 4)))
    assert found == {("a",): 0.0}
    assert param_importances(search) == param_importances(search)
