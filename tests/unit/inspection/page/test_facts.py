"""What the page says in words."""

from __future__ import annotations

from sktune.inspection.page import _facts
from tests.unit.inspection.page.test_data import record, row

NET = {"class": "skorch.classifier.NeuralNetClassifier", "params": {}}
SCALE = {"class": "sklearn.preprocessing._data.StandardScaler", "params": {}}


def fit(candidate, split, error=None, **more):
    status = "ok" if error is None else "failed"
    told = {"candidate": candidate, "split": split, "status": status}
    return {**told, "fit_error": error, **more}


def test_title():
    steps = [{"tuple": ["scale", SCALE]}, {"tuple": ["net", NET]}, "passthrough"]
    pipeline = {"class": "sklearn.pipeline.Pipeline", "params": {"steps": steps}}
    made = record(arguments={"estimator": pipeline})
    assert _facts.title_of(made) == "Search of StandardScaler, NeuralNetClassifier"
    assert _facts.title_of(record()) == "Search"


def test_figures():
    rows = [
        row(0, {}, {0: 0.5, 1: 0.7}, score_time=0.25),
        row(1, {}, {0: 0.5}, stopped=True),
        row(2, {}, {0: float("nan"), 1: 0.4}, failed=True),
    ]
    fits = [
        fit(0, 0, reached=3, ended="2026-11-29T09:34:24.820+00:00"),
        fit(0, 0, reached=9),  # went on
        fit(2, 0, "ValueError: no", reached=1),
        fit(7, 0, "ValueError: of a search that was longer"),
    ]
    made = record(*rows, fits=fits, n_candidates=9)
    figures = {one.name: (one.value, *one.notes) for one in _facts.figures_of(made)}
    assert figures == {
        "Best score": ("0.6", "candidate 0", "± 0.1 over 2 splits"),
        "Candidates": ("3", "of 9 planned", "1 failed"),
        "Fits": ("5", "1 failed", "1 candidate stopped early"),
        "Fitting": ("2.5 s", "and 500 ms of scoring"),
        "Epochs trained": ("10",),
    }
    assert _facts.last_fit_of(made) == ["last fit ended 2026-11-29 09:34:24 UTC"]


def test_figures_of_nothing():
    figures = {one.name: one for one in _facts.figures_of(record())}
    assert figures["Best score"].notes == ("no fit has ended yet",)
    assert figures["Fits"].value == "0"


def test_rungs():
    rows = [
        row(0, {}, {0: 0.5}, n_resources=1, bracket=0, iter=0),
        row(1, {}, {0: 0.25}, n_resources=1, bracket=0, iter=0, failed=True),
        row(0, {}, {0: 0.75}, n_resources=1000, bracket=0, iter=1),
    ]
    head, *lines = _facts.rungs_of(record(*rows, resource="max_epochs"))
    assert head[2:] == ["max_epochs", "candidates", "failed", "best score", "fitting"]
    assert lines == [
        ["0", "0", "1", "2", "1", "0.5000", "1 s"],
        ["0", "1", "1\u202f000", "1", "0", "0.7500", "500 ms"],
    ]
    assert _facts.rungs_of(record(row(0, {}, {0: 1.0}))) == []


def test_failures_that_differ_by_numbers_are_told_once():
    error = "Traceback\n  File 'a'\nValueError: lr={} is too large\n"
    rows = [row(k, {}, {0: 1.0}) for k in range(10)]
    fits = [fit(k, 0, error.format(k)) for k in range(10)]
    fits += [{**fit(3, 1), "score_error": "Traceback\nKeyError: 'a'"}]
    (first, second), n_more = _facts.failures_of(record(*rows, fits=fits))
    assert first.message == "ValueError: lr=0 is too large"
    told = "10 fits of candidates 0, 1, 2, 3, 4, 5, 6, 7 and 2 more"
    assert _facts.counts_of(first) == told
    assert _facts.counts_of(second) == "1 fit of candidate 3"
    assert (second.message, n_more) == ("Traceback KeyError: 'a'", 0)


def test_of_many_kinds_of_failures_the_most_frequent_are_shown():
    rows = [row(0, {}, {0: 1.0})]
    fits = [fit(0, k, f"Error{'abcdefghijklmnopqrst'[k]}: no") for k in range(20)]
    kinds, n_more = _facts.failures_of(record(*rows, fits=fits))
    assert (len(kinds), n_more) == (8, 12)


def test_arguments():
    space = [{"lr": {"distribution": "uniform", "args": {"tuple": [0, 1]}}}, {"a": [1]}]
    given = {"param_distributions": space, "journal": "a.jsonl", "estimator": NET}
    assert _facts.lines_of(given) == [
        ("param_distributions", "lr: uniform(0, 1)\n\na: [1]"),
        ("journal", "a.jsonl"),
        ("estimator", "NeuralNetClassifier()"),
    ]
