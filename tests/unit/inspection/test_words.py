"""What a journal says in JSON, as a person would write it."""

import numpy as np
import pytest
import torch
from scipy.stats import loguniform, randint
from sklearn.preprocessing import StandardScaler

from sktune.inspection._words import words_of
from sktune.journal import as_json


class Own:
    """Of a test; one of a script is told with a digest of its code."""


@pytest.mark.parametrize(
    "value, words",
    [
        (torch.nn.ReLU, "ReLU"),
        (np.mean, "mean"),
        (loguniform(1e-3, 1), "loguniform(0.001, 1)"),
        (randint(low=1, high=9), "randint(low=1, high=9)"),
        (
            StandardScaler(with_std=False),
            "StandardScaler(copy=True, with_mean=True, with_std=False)",
        ),
        ((1, "a"), "(1, 'a')"),
        ((64,), "(64,)"),
        ([torch.nn.ReLU, torch.nn.Tanh, None], "[ReLU, Tanh, None]"),
        (["relu", "model.pt"], "['relu', 'model.pt']"),
        ({"a": 1.0, "b": [2]}, "{'a': 1.0, 'b': [2]}"),
        ({3, 1}, "{'1', '3'}"),
        (True, "True"),
    ],
)
def test_words(value, words):
    assert words_of(as_json(value)) == words


def test_code_of_a_script_is_no_word():
    assert words_of("__main__.Net 09995707") == "Net"
    assert words_of("__main__.make.<locals>.Net 09995707") == "Net"


def test_text_that_a_user_gave_is_quoted():
    assert words_of("logs/search.jsonl", quoted=True) == "'logs/search.jsonl'"
    assert words_of("search.jsonl", quoted=True) == "'search.jsonl'"
