"""Values as places on an axis."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from sktune import GridSearchCV
from sktune.inspection._param_scales import (
    NOT_SET,
    ParamScale,
    number_text,
    round_numbers,
    scales_of,
)
from sktune.inspection._search_record import record_of


def scale(kind, numbers=(), words=()):
    low, high = (min(numbers), max(numbers)) if numbers else (float("nan"),) * 2
    return ParamScale("net__a", "a", kind, low, high, words, tuple(numbers))


def test_numbers():
    assert scale("linear", (0.0, 1.0, 4.0)).place(1) == 0.25
    assert scale("log", (1e-4, 1.0)).place(1e-2) == pytest.approx(0.5)
    assert scale("linear", (3.0,)).place(3.0) == 0.5


def test_words():
    words = scale("category", words=("None", "relu", "tanh"))
    assert [words.place(v) for v in (None, "relu", "tanh")] == [0.0, 0.5, 1.0]
    assert words.ticks() == [(0.0, "None"), (0.5, "relu"), (1.0, "tanh")]
    assert scale("category", words=("relu",)).place("relu") == 0.5


def test_what_is_beside_numbers_is_below_them():
    mixed = scale("linear", (1.0, 2.0), ("None", NOT_SET))
    assert 0.0 > mixed.place(None) > mixed.place(NOT_SET)
    assert [label for _, label in mixed.ticks()] == ["not set", "None", "1", "2"]


def test_ticks_are_few_and_round():
    many = scale("log", tuple(10.0**-k for k in range(8)))
    assert many.ticks()[0][1] == "1e-7"
    assert len(many.ticks()) <= 8
    narrow = scale("log", tuple(2.0 + k / 7 for k in range(8)))
    assert len(narrow.ticks()) >= 2
    even = scale("linear", tuple(float(k) for k in range(17)))
    assert all(float(label).is_integer() for _, label in even.ticks())
    odd = scale("log", (0.00123456, 0.0876543, 0.76543))
    assert [label for _, label in odd.ticks()] == ["0.01", "0.1"]
    near = scale("linear", (0.0, 0.001, 1.0))
    assert [label for _, label in near.ticks()] == ["0", "1"]
    assert round_numbers(0.0, 1.0)[:2] == [0.0, 0.2]
    assert number_text(1e-5) == "1e-5"


def test_long_values_that_begin_alike_are_told_apart(tmp_path):
    """Labels are short; what they name is the whole value."""
    begin = "a description that is much longer than a label may be: "
    notes = [begin + end for end in ("good", "bad", "good, too")]
    search = GridSearchCV(
        Noted(), {"note": notes}, cv=2, journal=tmp_path / "journal.jsonl"
    ).fit(np.zeros((8, 1)), np.arange(8) % 2)
    for given in (search, search.journal):
        scale = scales_of(record_of(given))["note"]
        assert len(scale.words) == 3
        assert len({scale.place(note) for note in notes}) == 3
        labels = [label for _, label in scale.ticks()]
        assert len(set(labels)) == 3 and max(map(len, labels)) < 45


class Noted(ClassifierMixin, BaseEstimator):
    def __init__(self, note=""):
        self.note = note

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)
