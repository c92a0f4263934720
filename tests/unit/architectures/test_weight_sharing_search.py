"""Searches with shared weights: their stages, their results, what they refuse."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from skorch import NeuralNetClassifier
from torch import nn

from sktune._errors import (
    EstimatorError,
    EstimatorTypeError,
    ParamNameError,
    SpaceError,
    SpaceTypeError,
)
from sktune.architectures import (
    Cell,
    CellNet,
    CellSpace,
    DARTSSearchCV,
    WeightSharingSearchCV,
)
from sktune.architectures._inherited_weights import Supernets, with_cell
from tests.helpers.cells import SPACE, net_of_cells, rows

X, y = rows()
SPLITS = [(np.arange(0, 40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]
KINDS = {
    "random": (WeightSharingSearchCV, {"strategy": "random"}),
    "controller": (WeightSharingSearchCV, {"controller_steps": 5}),
    "first order": (DARTSSearchCV, {"watch": False}),
    "perturbation": (DARTSSearchCV, {"order": 2, "perturbation": True, "max_free": 3}),
}
ignores_losses = pytest.mark.filterwarnings("ignore:The cell that shared weights chose")


def search_of(kind, estimator=None, space=SPACE, name="module__cell", **options):
    kind, given = KINDS.get(kind, (kind, {}))
    given = {"n_candidates": 6, "n_separate": 2, "random_state": 0, "cv": 2} | given
    if estimator is None:
        estimator = net_of_cells()
    return kind(estimator, {name: space}, **given | options)


def same_results(one, other):
    for name in ("cv_results_", "shared_results_"):
        mine, others = getattr(one, name), getattr(other, name)
        assert mine.keys() == others.keys()
        for key, values in mine.items():
            if "time" not in key:
                np.testing.assert_array_equal(values, others[key], err_msg=key)


@pytest.fixture(scope="module", params=list(KINDS))
def fitted(request):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sktune.architectures._shared_weights_search.warn", lambda _: 0)
        return search_of(request.param).fit(X, y)


def test_results_are_those_of_a_search(fitted):
    results = fitted.cv_results_
    cells = [params["module__cell"] for params in results["params"]]
    assert len(set(cells)) == len(cells)
    assert all(cell in SPACE for cell in cells)
    assert fitted.best_params_ == results["params"][fitted.best_index_]
    assert fitted.best_score_ == results["mean_test_score"].max()
    assert fitted.best_estimator_.module_.layers[1].names == tuple(
        (name,) for name in fitted.best_params_["module__cell"]
    )
    assert fitted.predict(X).shape == y.shape
    assert 0 <= fitted.score(X, y) <= 1
    assert fitted.n_splits_ == 2
    assert fitted.classes_.tolist() == [0, 1]


def test_what_was_trained_has_both_scores(fitted):
    shared = dict(
        zip(
            [one["cell"] for one in fitted.shared_results_["params"]],
            fitted.shared_results_["mean_test_score"],
            strict=True,
        )
    )
    results = fitted.cv_results_
    for params, score in zip(
        results["params"], results["mean_shared_score"], strict=True
    ):
        assert shared[params["module__cell"]] == score
    assert fitted.rank_correlation_["n"] == len(results["params"])
    assert fitted.rank_correlation_random_["n"] == 2


def test_cells_are_compared_by_who_chose_them(fitted):
    results, one = fitted.cv_results_, fitted.comparison_
    scores, origins = results["mean_test_score"], results["origin"]
    assert one.first == scores[0]
    assert one.best == scores[origins == "shared weights"].max()
    assert one.random_shared_weights in scores
    assert one.n_random == 2
    assert one.n_random_at_equal_cost >= 1
    assert one.is_worse_than_random == (one.first < one.random_median)
    assert set(fitted.seconds_) >= {"supernet", "shared scores", "separate training"}


@ignores_losses
@pytest.mark.parametrize("kind", ["controller", "first order"])
def test_one_answer_for_any_number_of_workers(kind):
    one = search_of(kind).fit(X, y)
    same_results(one, search_of(kind, n_jobs=2).fit(X, y))
    assert one.best_params_["module__cell"] in SPACE


@ignores_losses
def test_scores_are_those_of_inherited_weights():
    """Of the supernet of the split, on its test part, with the cell alone."""
    search = search_of("random", cv=SPLITS, n_random=0).fit(X, y)
    kept = {}
    trained = WeightSharingSearchCV._trained

    def keep(self, *given):
        kept["supernets"] = trained(self, *given)
        return kept["supernets"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WeightSharingSearchCV, "_trained", keep)
        again = clone(search).fit(X, y)
    same_results(search, again)
    supernets = kept["supernets"]
    for k, params in enumerate(search.shared_results_["params"]):
        for split, (_, test) in enumerate(SPLITS):
            module = supernets.estimators[split].module_
            alone = net_of_cells(module__cell=params["cell"]).initialize()
            alone.module_.load_state_dict(module.state_dict(), strict=False)
            score = np.mean(alone.predict(X[test]) == y[test])
            key = f"split{split}_test_score"
            assert search.shared_results_[key][k] == score


def test_statistics_of_batch_norm_are_those_of_the_cell():
    space = CellSpace(["skip", "conv1x1", "conv3x3"], 2)
    net = NeuralNetClassifier(
        CellNet,
        module__cell=space,
        module__n_inputs=1,
        module__n_outputs=2,
        module__channels=4,
        module__n_cells=1,
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=1,
        verbose=0,
    )
    torch.manual_seed(0)
    images = np.random.default_rng(0).normal(size=(30, 1, 4, 4)).astype("float32")
    net.fit(images, np.arange(30) % 2)
    before = {k: v.clone() for k, v in net.module_.state_dict().items()}
    found = with_cell(net, ("conv3x3",), images)
    module = found.module_.eval()
    assert all(torch.equal(v, before[k]) for k, v in net.module_.state_dict().items())
    stem = module.layers[0](torch.tensor(images))
    conv = module.layers[1].operation(0, "conv3x3")
    hidden = conv[1](conv[0](stem))
    mean = hidden.mean((0, 2, 3))
    torch.testing.assert_close(conv[2].running_mean, mean, atol=1e-3, rtol=0)
    others = net.module_.layers[1].operation(0, "conv3x3")[2].running_mean
    assert not torch.allclose(others, mean, atol=1e-2)
    assert module.output.weight is net.module_.output.weight


def test_a_supernet_is_found_by_its_rows():
    supernets = Supernets(["a", "b"], SPLITS)
    assert supernets.trained_on(np.arange(20, 60)) == "b"
    with pytest.raises(ValueError, match="No supernet"):
        supernets.trained_on(np.arange(3))


@ignores_losses
def test_in_pipelines_and_nested():
    estimator = make_pipeline(StandardScaler(), net_of_cells())
    options = {"name": "neuralnetclassifier__module__cell", "n_random": 0}
    search = search_of("random", estimator, **options)
    search.set_params(n_candidates=3, n_separate=1)
    results = cross_validate(search, X, y, cv=2, return_estimator=True)
    assert np.isfinite(results["test_score"]).all()
    best = results["estimator"][0].best_params_
    assert set(best) == {"neuralnetclassifier__module__cell"}
    assert results["estimator"][0].comparison_ is None


class OwnNet(nn.Module):
    """Has a cell that it was given, and no idea of supernets."""

    def __init__(self, architecture):
        super().__init__()
        self.cell = Cell(architecture, 4, "rows")
        self.output = nn.Linear(4, 2)

    def forward(self, X):
        return self.output(self.cell(X))


@ignores_losses
def test_a_module_of_a_users_own_and_a_metric():
    net = NeuralNetClassifier(
        OwnNet, criterion=nn.CrossEntropyLoss, max_epochs=2, train_split=None, verbose=0
    )
    search = search_of("random", net, name="module__architecture", n_random=0)
    search.set_params(scoring="neg_log_loss", refit=False).fit(X, y)
    assert search.best_score_ < 0
    with pytest.raises(AttributeError, match="predict"):
        search.predict(X)


def test_it_is_not_fitted_before_fit():
    search = clone(search_of("controller"))
    assert search.get_params()["controller_steps"] == 5
    with pytest.raises(NotFittedError):
        search.predict(X)


def test_a_random_cell_that_is_better_is_said_to_be():
    """Shared weights judge by one metric, and what is trained is scored by another."""
    search = search_of("random", n_candidates=15, n_separate=3, n_random=6)

    def reverse(estimator, X, y):
        score = np.mean(estimator.predict(X) == y)
        return -score if type(estimator).__name__ == "InheritedWeights" else score

    with pytest.warns(UserWarning, match="worse than .* the median of 6 cells"):
        search.set_params(scoring=reverse, supernet_epochs=12)
        search.estimator.set_params(max_epochs=12)
        search.fit(X, y)
    assert search.comparison_.is_worse_than_random
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"estimator": SVC()}, EstimatorTypeError, "SVC.. has no net.*skorch net"),
        ({"space": ["skip"]}, SpaceTypeError, "no space of cells.*CellSpace"),
        ({"name": "module__cel"}, ParamNameError, "no argument 'cel'.*mean 'cell'"),
        ({"name": "lr"}, ParamNameError, "'lr', which is no .* begin with 'module__'"),
        ({"space": CellSpace(["skipp"], 2)}, SpaceError, "'skipp'.*mean 'skip'"),
        (
            {"estimator": net_of_cells(callbacks="disable")},
            EstimatorError,
            "callbacks='disable'.*callbacks=None",
        ),
        (
            {"estimator": NeuralNetClassifier(nn.Linear), "name": "module__bias"},
            TypeError,
            "in_features",
        ),
        (
            {"estimator": NeuralNetClassifier(nn.Identity), "name": "module__cell"},
            EstimatorError,
            "Identity has no cell with shared weights.*hand its argument",
        ),
        (
            {"estimator": NeuralNetClassifier(nn.Identity())},
            EstimatorError,
            "is made already. Give the net the class",
        ),
        ({"strategy": "best"}, ValueError, "'strategy' parameter.*'controller'"),
        ({"valid_size": 1.0}, ValueError, "'valid_size' parameter"),
        ({"scoring": ["accuracy"]}, ValueError, "'scoring' parameter"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_fit(change, error, message):
    search = search_of("controller", **change)
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(error, match=message),
    ):
        patch.setattr(WeightSharingSearchCV, "_trained", None)
        search.fit(X, y)


def test_one_parameter_is_searched():
    search = search_of("random")
    search.param_distributions = {"module__cell": SPACE, "lr": [0.1]}
    with pytest.raises(SpaceError, match=r"has \['lr', 'module__cell'\].*one space"):
        search.fit(X, y)


def test_darts_refuses_orders_that_are_none():
    with pytest.raises(ValueError, match="'order' parameter"):
        search_of(DARTSSearchCV, order=3).fit(X, y)


def test_a_supernet_that_cannot_be_trained_ends_the_search():
    with pytest.raises(RuntimeError):
        search_of("random").fit(X[:, :3], y)
