"""What the page's script is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sktune.inspection._search_record import RecordedRow, SearchRecord
from sktune.inspection.page._data import as_script, data_of

EVIL = "</script><script>document.title='broken'</script><!--&"


def row(candidate, params, scores, **more):
    return RecordedRow(candidate, params, {"score": scores}, 0.5, **more)


def record(*rows, **more):
    names = {name for one in rows for name in one.params}
    told = {"scales": dict.fromkeys(names, "linear"), "n_splits": 2, **more}
    made = SearchRecord("Search", ("score",), "score", rows, None, **told)
    return replace(made, best=next(iter(made.ranked), None))


def test_rows_are_in_the_order_of_rungs_whatever_ended_first():
    rows = [
        row(1, {"a": 2}, {0: 0.5}, n_resources=1, bracket=0, iter=0),
        row(1, {"a": 2}, {0: 0.7}, n_resources=3, bracket=0, iter=1),
        row(0, {"a": 1}, {0: 0.4}, n_resources=1, bracket=0, iter=0),
    ]
    data = data_of(record(*rows))
    assert data == data_of(record(*reversed(rows)))
    assert data["candidates"] == [0, 1]
    assert [one[:2] for one in data["rows"]] == [[0, 1], [1, 1], [1, 3]]
    assert data["ranked"] == [2, 1, 0]
    assert data["params"][0]["values"] == [1, 2]


def test_means_failures_and_splits_that_were_not_run():
    data = data_of(
        record(
            row(0, {}, {0: 0.5, 1: 1.0}),
            row(1, {}, {0: 0.25}, stopped=True),
            row(2, {}, {0: float("nan"), 1: 0.5}, failed=True),
        )
    )
    assert data["scores"] == [[0.75, 0.25, None]]
    assert data["stds"] == [[0.25, 0.0, None]]
    assert [one[2] for one in data["rows"]] == [2, 1, 2]
    assert [one[4] for one in data["rows"]] == [0, 2, 1]


def test_params():
    """Absent is not None, a category is told by its place, and a word is cut."""
    rows = [
        row(0, {"n__lr": 0.123456789, "act": "tanh", "n__depth": None}, {0: 1.0}),
        row(1, {"n__lr": float("inf"), "act": "x" * 500}, {0: 0.5}),
        row(2, {"n__lr": 2**80, "act": "relu", "n__depth": 3}, {0: 0.5}),
    ]
    scales = {"n__lr": "log", "act": "category", "n__depth": "linear"}
    arguments = {"param_distributions": {"act": ["relu", "tanh"]}}
    data = data_of(record(*rows, scales=scales, arguments=arguments))
    lr, act, depth = data["params"]
    assert (lr["short"], lr["scale"]) == ("lr", "log")
    assert lr["values"] == [0.12346, "inf", str(2**80)]
    assert act["words"] == ["relu", "tanh", "x" * 59 + "…"]  # in the order given
    assert act["values"] == [1, 2, 0]
    assert depth["values"] == ["None", None, 3]


def curve(candidate, split, scores, epochs=None):
    epochs = epochs or range(1, len(scores) + 1)
    return {
        "candidate": candidate, "split": split, "epochs": epochs, "scores": scores,
        "n_resources": None, "on": "test", "stopped": False,
    }  # fmt: skip


def test_curves_are_means_where_all_splits_came():
    rows = [row(0, {}, {0: 1.0, 1: 1.0}), row(4, {}, {0: 1.0})]
    curves = [
        curve(0, 0, [0.0, 0.5, 1.0]),
        curve(0, 1, [1.0, 0.5]),
        curve(4, 0, [0.25, 0.5], epochs=[2, 6]),
        curve(9, 0, [0.5]),  # not among the rows
    ]
    data = data_of(record(*rows, curves=curves))
    assert data["curves"] == [[0, 0, [0.5, 0.5]], [1, [2, 6], [0.25, 0.5]]]
    assert data["on"] == ["test"]


def test_long_curves_are_thinned():
    rows = [row(k, {}, {0: 1.0}) for k in range(500)]
    curves = [curve(k, 0, [e / 1000 for e in range(1000)]) for k in range(500)]
    told = data_of(record(*rows, curves=curves))["curves"]
    assert {len(scores) for _, _, scores in told} == {20}
    assert {(epochs[0], epochs[-1]) for _, epochs, _ in told} == {(1, 1000)}


@pytest.mark.parametrize("text", [EVIL, "<!-- <script>", "\u2028 &amp;"])
def test_data_cannot_end_their_element(text):
    told = as_script({"words": [text]})
    assert "<" not in told and "&" not in told
    assert json.loads(told) == {"words": [text]}
