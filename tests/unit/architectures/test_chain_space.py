"""Layers one after another."""

import copy
import pickle

import pytest

from sktune._errors import SpaceError, SpaceTypeError
from sktune.architectures import ChainSpace

SPACE = ChainSpace(
    [1, 2],
    only_if={"kernel": {"block": ["conv"]}},
    block=["conv", "dense"],
    kernel=[3, 5],
    skip=[False, True],
)


def test_counted():
    one_layer = 2 * 2 + 2
    assert SPACE.size == one_layer + one_layer**2 == len(list(SPACE))
    assert ChainSpace(0, width=[1]).size == 1
    assert list(ChainSpace([0, 1], width=[1, 2])) == [
        (),
        ({"width": 1},),
        ({"width": 2},),
    ]


def test_as_words_and_as_a_graph():
    chain = (
        {"block": "dense", "skip": True},
        {"block": "conv", "kernel": 3, "skip": False},
    )
    assert chain in SPACE
    assert SPACE.words(chain) == (
        "2 layers: block dense, skip; block conv, kernel 3, no skip"
    )
    nodes, edges = SPACE.graph(chain)
    assert len(nodes) == 3 and edges == [(0, 1, ""), (1, 2, "")]
    assert ChainSpace([0, 1], width=[1]).words(()) == "0 layers"


@pytest.mark.parametrize(
    ("chain", "says"),
    [
        ({"block": "dense"}, "of type dict"),
        (("dense",), "layer 0 is 'dense'"),
        (({"block": "dense", "kernel": 3, "skip": True},), "only_if forbids"),
        (({"block": "conv", "skip": True},), "lacks 'kernel'"),
        (({"block": "conv", "kernel": 4, "skip": True},), "kernel=4"),
        (({"block": "dense", "skip": 1},), "skip=1"),
        (({"block": "dense", "skip": True},) * 3, "3 layers"),
    ],
)
def test_why_not(chain, says):
    assert chain not in SPACE
    with pytest.raises(SpaceError, match=says):
        SPACE.words(chain)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"depth": 1}, "nothing to choose"),
        ({"depth": [], "width": [1]}, r"depth=\[\]"),
        ({"depth": [1, 1], "width": [1]}, "1 more than once"),
        ({"depth": -1, "width": [1]}, "depth holds -1"),
        ({"depth": 1.5, "width": [1]}, r"depth=1\.5"),
        ({"depth": True, "width": [1]}, "depth holds True"),
        ({"depth": 1, "width": 3}, "width=3"),
        ({"depth": 1, "width": [8, 8]}, "8 more than once"),
        ({"depth": 1, "width": [1], "only_if": {"a": {}}}, "only_if holds 'a'"),
        ({"depth": 1, "width": [1], "only_if": [1]}, r"only_if=\[1\]"),
        (
            {"depth": 1, "a": [1], "b": [1], "only_if": {"a": {"b": [1]}}},
            "'a' depend on 'b'",
        ),
        (
            {"depth": 1, "a": [1], "b": [1], "only_if": {"b": {"a": [2]}}},
            "'a' being 2",
        ),
    ],
)
def test_arguments_are_looked_at(arguments, says):
    with pytest.raises((SpaceError, SpaceTypeError), match=says):
        ChainSpace(**arguments)


def test_equal_spaces():
    for other in (
        pickle.loads(pickle.dumps(SPACE)),
        copy.deepcopy(SPACE),
        eval(repr(SPACE)),
    ):
        assert other == SPACE and hash(other) == hash(SPACE)
    assert ChainSpace([1, 2], block=["conv"]) != SPACE and SPACE != 1
