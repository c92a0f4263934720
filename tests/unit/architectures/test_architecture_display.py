"""The picture of an architecture."""

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.dummy import DummyClassifier

from sktune import RandomizedSearchCV
from sktune._errors import SpaceError
from sktune.architectures import ArchitectureDisplay, CellSpace, ChainSpace

CELLS = CellSpace(["none", "skip", "conv"])
CHAINS = ChainSpace([1, 2], width=[4, 8])


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def test_each_edge_is_an_arrow_and_each_operation_in_the_legend():
    cell = ("conv", "skip", "none", "conv", "none", "skip")
    display = ArchitectureDisplay.from_architecture(CELLS, cell, title="cell")
    display.figure_.canvas.draw()  # warns of what does not fit
    assert len(display.ax_.patches) == 4
    legend = display.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["conv", "skip"]
    texts = [text.get_text() for text in display.ax_.texts]
    assert texts == ["input", "1", "2", "output", "cell"]


def test_a_chain_is_drawn_where_it_is_told_to():
    figure, ax = pyplot.subplots()
    display = ArchitectureDisplay.from_architecture(CHAINS, ({"width": 4},), ax=ax)
    assert display.ax_ is ax and display.figure_ is figure
    assert [text.get_text() for text in ax.texts][:2] == ["input", "width 4"]
    assert ax.get_legend() is None
    with pytest.raises(SpaceError, match="width=5"):
        ArchitectureDisplay.from_architecture(CHAINS, ({"width": 5},))


class Net(DummyClassifier):
    def __init__(self, cell=None, layers=None, n=1):
        super().__init__()
        self.cell = cell
        self.layers = layers
        self.n = n


@pytest.mark.parametrize(
    ("space", "name", "ok"),
    [
        ({"cell": CELLS, "n": [1, 2]}, None, True),
        ({"cell": CELLS, "layers": CHAINS}, "layers", True),
        ([{"cell": CELLS}], "cell", True),
        ({"cell": CELLS, "layers": CHAINS}, None, False),
        ({"cell": CELLS}, "cel", False),
        ({"n": [1, 2]}, None, False),
    ],
)
def test_the_best_of_a_search(space, name, ok):
    search = RandomizedSearchCV(Net(), space, n_iter=2, cv=2, random_state=0)
    with pytest.raises(ValueError, match="Fit it first"):
        ArchitectureDisplay.from_search(search)
    search.fit(np.zeros((8, 1)), np.arange(8) % 2)
    if not ok:
        with pytest.raises(ValueError, match="name="):
            ArchitectureDisplay.from_search(search, name=name)
        return
    display = ArchitectureDisplay.from_search(search, name=name)
    assert display.title == (name or "cell")
