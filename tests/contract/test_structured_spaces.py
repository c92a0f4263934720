"""Parameters that are made of parts, in every search and in what is made of one."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.model_selection import RandomizedSearchCV as SklearnRandomizedSearchCV

from sktune import BayesSearchCV, GridSearchCV, RandomizedSearchCV, inspection
from sktune._errors import SpaceError, SpaceTypeError
from sktune.architectures import ArchitectureDisplay, CellSpace, ChainSpace
from sktune.space import Space
from tests.helpers.searches import ONE_BY_ONE, SEARCHES, grid

X, y = load_iris(return_X_y=True)
CELLS = CellSpace(["none", "conv"], n_nodes=3)
CHAINS = ChainSpace([1, 2], width=[4, 8], skip=[False, True])
FIRST = {"cell": ("conv",) * 3, "layers": ({"width": 8, "skip": True},), "lr": 0.5}
# All but the grid's, which lists.
SPACE = {"cell": CELLS, "layers": CHAINS, "lr": loguniform(1e-3, 1.0)}


class Scored(ClassifierMixin, BaseEstimator):
    """Scores are made of the architecture."""

    def __init__(self, cell=None, layers=None, lr=0.1):
        self.cell = cell
        self.layers = layers
        self.lr = lr

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def score(self, X, y):
        widths = sum(layer["width"] for layer in self.layers)
        return self.cell.count("conv") + widths / 100 + self.lr / 1000


def space_of(search):
    return {**SPACE, "lr": [0.5]} if search is grid else SPACE


def searched(search, **kwargs):
    return search(Scored(), space_of(search), **{"cv": 2, "n_iter": 6, **kwargs})


@pytest.mark.parametrize("search", [*SEARCHES, *ONE_BY_ONE[1:]])
def test_every_search_takes_them_and_goes_on_from_its_journal(search, tmp_path):
    space = Space(space_of(search))
    there = tmp_path / "journal"
    fitted = searched(search, journal=there).fit(X, y)
    results = fitted.cv_results_
    for row, params in enumerate(results["params"]):
        assert space.encode(params).shape == (space.n_dims,)  # else an error
        assert type(params["cell"]) is tuple and type(params["layers"]) is tuple
        assert results["param_cell"][row] == params["cell"]
        assert results["param_layers"][row] == params["layers"]
    text = there.read_text()
    again = searched(search, journal=there).fit(X, y)
    assert again.cv_results_["params"] == results["params"]
    assert text.count('"record": "fit"') == there.read_text().count('"record": "fit"')


def test_a_grid_has_every_cell_with_everything_else_once():
    params = searched(grid).fit(X, y).cv_results_["params"]
    keys = {Space(space_of(grid)).key(one) for one in params}
    assert len(keys) == len(params) == CELLS.size * CHAINS.size == 8 * 20


def test_draws_are_those_of_scikit_learns_search():
    arguments = {"n_iter": 5, "cv": 2, "random_state": 3}
    ours = RandomizedSearchCV(Scored(), SPACE, **arguments).fit(X, y)
    theirs = SklearnRandomizedSearchCV(Scored(), SPACE, **arguments).fit(X, y)
    assert ours.cv_results_["params"] == theirs.cv_results_["params"]


def test_a_finite_space_is_used_up():
    search = BayesSearchCV(
        Scored(lr=0.1),
        {"cell": CELLS, "layers": CHAINS},
        n_iter=400,
        cv=2,
        surrogate="tpe",
        random_state=0,
    )
    with pytest.warns(UserWarning, match="160"):
        assert len(search.fit(X, y).cv_results_["params"]) == 160


@pytest.mark.parametrize("surrogate", ["gp", "forest", "tpe"])
def test_bayes_finds_the_best_cell(surrogate):
    search = BayesSearchCV(
        Scored(), SPACE, n_iter=16, cv=2, surrogate=surrogate, random_state=0
    )
    assert search.fit(X, y).best_params_["cell"] == ("conv",) * 3


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return tmp_path_factory.mktemp("journals") / "journal"


@pytest.fixture(scope="module")
def fitted(journal):
    return searched(ONE_BY_ONE[0], n_iter=8, journal=journal).fit(X, y)


def as_csv(fitted, journal):
    path = journal.with_suffix(".csv")
    pd.DataFrame(fitted.cv_results_).to_csv(path)
    return pd.read_csv(path)


@pytest.mark.parametrize(
    "source",
    [
        lambda fitted, journal: fitted,
        lambda fitted, journal: fitted.cv_results_,
        lambda fitted, journal: journal,
        lambda fitted, journal: inspection.to_frame(fitted),
        as_csv,
    ],
)
def test_another_search_learns_from_it(source, fitted, journal, capsys):
    given = source(fitted, journal)
    searched(ONE_BY_ONE[0], n_iter=1, verbose=1, warm_start_from=given).fit(X, y)
    assert "8 of the 8 candidates of warm_start_from" in capsys.readouterr().out


def test_what_is_made_of_a_search(fitted, journal):
    names = {"cell", "layers", "lr"}
    table = inspection.param_importances(fitted)
    assert {row["param"] for row in table} == names
    assert "('conv', 'conv', 'conv')" in str(inspection.results_summary(fitted))
    assert set(inspection.SurrogateDisplay.from_search(journal).grids) <= names
    inspection.ParallelCoordinatesDisplay.from_search(fitted)
    display = ArchitectureDisplay.from_search(fitted, name="cell")
    assert display.title == "cell" and len(display.edges) == 3
    inspection.write_report(fitted, journal.with_suffix(".html"))


def test_initial_points_and_constraint():
    search = searched(
        ONE_BY_ONE[0],
        n_iter=3,
        initial_points=[{**FIRST, "cell": ["conv", "conv", "conv"]}],
        constraint=lambda params: params["cell"].count("conv") >= 2,
    )
    params = search.fit(X, y).cv_results_["params"]
    assert params[0] == FIRST and type(params[0]["cell"]) is tuple
    assert all(one["cell"].count("conv") >= 2 for one in params)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("cell", ("conv", "conv"), "2 operations for 3 edges"),
        ("cell", ("conv", "conv", "cnv"), r"\(1->2\) has the operation 'cnv'.*'conv'"),
        ("cell", "conv", "of type str"),
        ("layers", ({"width": 8},), "layer 0 lacks 'skip'"),
        ("layers", ({"width": 5, "skip": True},), "width=5"),
        ("layers", (), "0 layers, and depth is one of"),
        ("layers", (*FIRST["layers"], {"with": 8}), "layer 1 has 'with'.*'width'"),
    ],
)
def test_a_wrong_initial_point_is_named_before_the_first_fit(name, value, says):
    search = searched(ONE_BY_ONE[0], initial_points=[{**FIRST, name: value}])
    with pytest.raises(SpaceError, match=f"{name}(.|\n)*{says}"):
        search.fit(None, None)


class Broken(CellSpace):
    def split(self, value):
        return {}


class Empty(CellSpace):
    def parts(self):
        return {"0->1": []}


@pytest.mark.parametrize("search", [RandomizedSearchCV, GridSearchCV, BayesSearchCV])
@pytest.mark.parametrize("broken", [Broken, Empty])
def test_what_cannot_be_taken_apart_is_refused_by_name(search, broken):
    search = search(Scored(), {"cell": broken(["none", "conv"])}, cv=2)
    with pytest.raises((SpaceError, SpaceTypeError), match=r"cell(.|\n)*(split|parts)"):
        search.fit(X, y)


def test_a_search_of_them_is_cloned_and_printed():
    search = searched(RandomizedSearchCV)
    copied = clone(search)
    assert copied.param_distributions["cell"] == CELLS
    assert copied.param_distributions["cell"] is not CELLS
    assert "CellSpace(['none', 'conv'], n_nodes=3)" in repr(copied)
