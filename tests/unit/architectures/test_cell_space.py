"""Cells with operations on edges and on nodes."""

import copy
import pickle

import pytest

from sktune._errors import SpaceError, SpaceTypeError
from sktune.architectures import CellSpace

NAMES = ["none", "skip", "conv1x1", "conv3x3", "avg_pool3x3"]
# As published: arXiv:2001.00326.
TEXT = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+"
    "|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
)
CELL = ("conv3x3", "conv3x3", "avg_pool3x3", "skip", "conv3x3", "skip")


def test_the_cells_of_nas_bench_201():
    space = CellSpace(NAMES)
    assert space.edges == ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    assert space.size == 15_625
    assert space.from_string(TEXT) == CELL
    assert space.to_string(CELL) == TEXT
    assert all(space.from_string(space.to_string(c)) == c for c in space.rvs(20, 0))
    theirs = CellSpace(["none", "skip_connect", "nor_conv_3x3", "avg_pool_3x3"])
    assert theirs.to_string(theirs.from_string(TEXT)) == TEXT


@pytest.mark.parametrize(
    "text", ["", "conv3x3", "|conv3x3~0|", TEXT + "|skip~0|", TEXT.replace("3x3", "9")]
)
def test_another_text_is_refused(text):
    with pytest.raises(SpaceError):
        CellSpace(NAMES).from_string(text)


def test_as_words_and_as_a_graph():
    space = CellSpace(NAMES)
    cell = ("conv3x3", "none", "skip", "none", "none", "none")
    assert space.words(cell) == "1 = conv3x3(0); 2 = skip(1); 3 = nothing"
    assert space.graph(cell) == (
        ["0", "1", "2", "3"],
        [(0, 1, "conv3x3"), (1, 2, "skip")],
    )
    with pytest.raises(SpaceError, match="5 operations for 6 edges"):
        space.words(cell[1:])


def test_operations_on_nodes():
    space = CellSpace(["relu", "tanh"], 4, operations_on="nodes", n_inputs=2)
    assert space.size == 2 * 1 * 2 * 1 * 2 * 3
    cell = (("relu", 0), ("tanh", 0, 1), ("relu", 0, 2))
    assert cell in space
    assert space.words(cell) == "1 = relu(0); 2 = tanh(0 + 1); 3 = relu(0 + 2)"
    assert space.graph(cell)[0] == ["0", "relu", "tanh", "relu"]
    for wrong, says in [
        (
            (("relu", 0), ("tanh", 1, 0), ("relu", 0, 2)),
            r"node 2 has the inputs \(1, 0",
        ),
        ((("relu", 0), ("tanh", 0, 1), ("relu", 0, 3)), "node 3"),
        ((("relu", False), ("tanh", 0, 1), ("relu", 0, 2)), "node 1"),
        ((("relu", 0), "tanh", ("relu", 0, 2)), "node 2"),
        ((("relu", 0), ("tanh", 0, 1)), "2 nodes"),
    ]:
        assert wrong not in space
        with pytest.raises(SpaceError, match=says):
            space.words(wrong)
    with pytest.raises(AttributeError, match="nodes"):
        space.edges  # noqa: B018


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"operations": []}, "operations"),
        ({"operations": "skip"}, "operations='skip'"),
        ({"operations": ["a", "b", "a"]}, "'a' more than once"),
        ({"operations": ["a", 1]}, "operations holds 1"),
        ({"n_nodes": 1}, "n_nodes=1"),
        ({"n_nodes": 2.0}, r"n_nodes=2\.0"),
        ({"n_nodes": True}, "n_nodes=True"),
        ({"operations_on": "edge"}, "operations_on='edge'"),
        ({"n_inputs": 0}, "n_inputs=0"),
        ({"n_inputs": 2}, "n_inputs=2"),
    ],
)
def test_arguments_are_looked_at(arguments, says):
    with pytest.raises((SpaceError, SpaceTypeError), match=says):
        CellSpace(**{"operations": ["a", "b"], **arguments})


@pytest.mark.parametrize(
    "space",
    [
        CellSpace(NAMES),
        CellSpace(NAMES, n_nodes=3),
        CellSpace(["a"], operations_on="nodes", n_inputs=2),
    ],
)
def test_equal_spaces(space):
    for other in (
        pickle.loads(pickle.dumps(space)),
        copy.deepcopy(space),
        eval(repr(space)),
    ):
        assert other == space and hash(other) == hash(space)
        assert other.rvs(random_state=3) == space.rvs(random_state=3)
    assert space != CellSpace(["a"]) and space != 1
