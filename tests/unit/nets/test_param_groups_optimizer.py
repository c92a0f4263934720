import pickle
from functools import partial

import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import LRScheduler
from torch import nn

from sktune import BayesSearchCV, GridSearchCV
from sktune._errors import ParamNameError
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.nets import ParamGroups
from tests.helpers.estimators import Net, SeededNet, blobs
from tests.helpers.searches import SEARCHES, population
from tests.helpers.trained import all_of, at_once, job_of, rungs

pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")

X, y = blobs(60)
GROUPS = [("layers.0*", {"name": "first"}), ("layers.1*", {"lr": 0.3})]


def grouped(optimizer=torch.optim.SGD, groups=GROUPS, **kwargs):
    settings = dict(criterion=nn.CrossEntropyLoss, max_epochs=2, verbose=0, lr=0.1)
    settings |= dict(train_split=None, optimizer=ParamGroups(optimizer))
    settings |= dict(optimizer__param_groups=groups)
    return SeededNet(Net, **{**settings, **kwargs})


def of_groups(net, option="lr"):
    return [group[option] for group in net.optimizer_.param_groups]


def weights(net):
    return torch.cat([p.flatten() for p in net.module_.parameters()]).detach().numpy()


def test_options_reach_their_groups():
    net = grouped().initialize()
    assert type(net.optimizer_) is torch.optim.SGD
    assert of_groups(net) == [0.1, 0.3, 0.1]
    net = grouped(
        optimizer__param_groups__first__lr=0.5,
        optimizer__param_groups__1__momentum=0.9,
        optimizer__param_groups__2__lr=0.7,
        optimizer__momentum=0.2,
    ).initialize()
    assert of_groups(net) == [0.5, 0.3, 0.7]
    assert of_groups(net, "momentum") == [0.2, 0.9, 0.2]
    assert net.get_params()["optimizer__param_groups"] is GROUPS
    assert GROUPS[0] == ("layers.0*", {"name": "first"}), "the user's are not changed"


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.AdamW])
def test_it_trains_as_groups_of_skorch_do(optimizer):
    of_skorch = [("layers.0*", {"lr": 0.01}), ("layers.1*", {"lr": 0.3})]
    plain = grouped(optimizer, of_skorch).set_params(optimizer=optimizer).fit(X, y)
    ours = clone(grouped(optimizer)).set_params(optimizer__param_groups__0__lr=0.01)
    assert np.array_equal(weights(ours.fit(X, y)), weights(plain))


def test_skorchs_own_name_once_the_net_is_made():
    net = grouped(optimizer__param_groups__0__lr=0.5).initialize()
    net.set_params(optimizer__param_groups__0__lr=0.6)
    assert of_groups(net) == [0.6, 0.3, 0.1]


def test_one_number_for_the_rates_of_all_groups():
    groups = [("layers.0*", {"name": "first"}), ("layers.1*", {})]
    net = grouped(groups=groups, optimizer__group_decay=2.0, lr=0.4)
    assert of_groups(net.initialize()) == [0.1, 0.2, 0.4]
    net = clone(net).set_params(optimizer__param_groups__first__lr=0.3)
    assert of_groups(net.initialize()) == [0.3, 0.2, 0.4], "what is set is kept"
    assert of_groups(grouped(optimizer__group_decay=2.0).initialize())[1] == 0.3


@pytest.mark.parametrize(
    ("decay", "groups", "message"),
    [(0.0, GROUPS, "=0.0 has to be greater"), (2.0, [], "all parameters are in one")],
)
def test_a_decay_that_cannot_be(decay, groups, message):
    with pytest.raises(ValueError, match=f"^group_decay.*{message}"):
        grouped(groups=groups, optimizer__group_decay=decay).initialize()


def test_names_of_the_decay_before_the_first_fit():
    space = {"optimizer__group_decay": [1.0, 2.6]}
    search = GridSearchCV(grouped(), space, cv=2).fit(X, y)
    assert len(set(search.cv_results_["mean_test_score"])) == 2
    for name in ("optimizer__group_decy", "optimizer__param_groups__0__group_decay"):
        with pytest.raises(ParamNameError, match=r"group_decay|has no option"):
            GridSearchCV(grouped(), {name: [1.0]}, cv=2).fit(X, y)


def test_schedulers_go_on_from_the_rates_of_groups():
    step = LRScheduler("StepLR", step_size=1, gamma=0.5)
    net = grouped(callbacks=[step], optimizer__param_groups__first__lr=0.8)
    assert of_groups(net.fit(X, y)) == pytest.approx([0.2, 0.075, 0.025])


def test_without_skorch():
    layer = nn.Linear(2, 1)
    made = ParamGroups(torch.optim.SGD)(layer.parameters(), lr=1, param_groups__0__lr=2)
    assert [group["lr"] for group in made.param_groups] == [2]
    groups = [{"params": [layer.weight]}, {"params": [layer.bias]}]
    made = ParamGroups(torch.optim.SGD)(groups, lr=1, param_groups__1__lr=2)
    assert [group["lr"] for group in made.param_groups] == [1, 2]
    assert "lr" not in groups[1]


def test_it_is_a_value_like_others():
    one = ParamGroups(torch.optim.SGD)
    assert repr(one) == "ParamGroups(SGD)"
    assert one == ParamGroups(torch.optim.SGD) != ParamGroups(torch.optim.Adam)
    assert hash(one) == hash(pickle.loads(pickle.dumps(one)))
    assert clone(one, safe=False) == one
    fitted = pickle.loads(pickle.dumps(grouped().fit(X, y)))
    assert of_groups(fitted.fit(X, y)) == [0.1, 0.3, 0.1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("3__lr", "no parameter group '3'. There are .'0', '1', '2', 'first'.;"),
        ("frist__lr", "no parameter group 'frist'"),
        ("0__momentun", "SGD has no option 'momentun'. Did you mean 'momentum'"),
        ("0", "SGD has no option ''"),
    ],
)
def test_what_is_not_there(name, message):
    net = grouped(**{f"optimizer__param_groups__{name}": 0.1})
    with pytest.raises(ValueError, match=f"^param_groups__{name}: .*{message}"):
        net.initialize()


def test_a_pattern_that_matches_nothing_makes_no_group():
    groups = [("no_layer", {"name": "none"}), *GROUPS]
    net = grouped(groups=groups, optimizer__param_groups__none__lr=0.5)
    with pytest.raises(ValueError, match=r"'none'.* that matches no parameter"):
        net.initialize()
    net = grouped(groups=groups, optimizer__param_groups__first__lr=0.5).initialize()
    assert of_groups(net) == [0.5, 0.3, 0.1], "a name does not move"


def test_paused_is_never_paused(tmp_path):
    step = LRScheduler("StepLR", step_size=2, gamma=0.5)
    estimator = grouped(torch.optim.Adam, callbacks=[step])
    params = {
        "optimizer__param_groups__first__lr": 0.02,
        "optimizer__param_groups__1__weight_decay": 0.01,
    }
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(estimator, Resource("max_epochs", "epochs", 9), checkpoints)
        seen = [all_of(one) for one, _ in rungs(job, (1, 4, 9), params)]
    assert seen == [all_of(at_once(estimator, n, **params)) for n in (1, 4, 9)]


# -- searched -----------------------------------------------------------------------


@pytest.mark.parametrize("search", [one for one in SEARCHES if one is not population])
@pytest.mark.parametrize("prefix", ["", "net__"])
def test_searched_rates_are_those_of_the_groups(search, prefix):
    estimator = grouped()
    if prefix:
        estimator = Pipeline([("scale", StandardScaler()), ("net", estimator)])
    space = {
        "optimizer__param_groups__first__lr": [0.5, 0.01],
        "optimizer__param_groups__1__lr": [0.4],
        "lr": [0.2],
    }
    space = {prefix + name: values for name, values in space.items()}
    fitted = search(estimator, space, cv=2, n_iter=2).fit(X, y)
    best = fitted.best_estimator_[-1] if prefix else fitted.best_estimator_
    first = fitted.best_params_[f"{prefix}optimizer__param_groups__first__lr"]
    assert of_groups(best) == [first, 0.4, 0.2]
    # In plain skorch, too.
    again = clone(estimator).set_params(**fitted.best_params_).fit(X, y)
    again = again[-1] if prefix else again
    if best.max_epochs == again.max_epochs:
        assert np.array_equal(weights(again), weights(best))


def test_a_population_changes_rates_of_groups_by_number():
    """skorch finds no group by its name in a net that has been initialized."""
    space = {"optimizer__param_groups__first__lr": [0.5, 0.01]}
    with pytest.raises(ParamNameError, match=r"Invalid parameter .*first__lr"):
        population(grouped(), space, cv=2).fit(X, y)
    space = {"optimizer__param_groups__0__lr": [0.5, 0.01]}
    best = population(grouped(), space, cv=2).fit(X, y)
    rate = best.best_params_["optimizer__param_groups__0__lr"]
    assert of_groups(best.best_estimator_)[0] == rate


def test_distributions_and_optimizers():
    choices = [ParamGroups(torch.optim.SGD), ParamGroups(partial(torch.optim.Adam))]
    space = {
        "optimizer": choices,
        "optimizer__param_groups__0__lr": loguniform(1e-4, 1e-1),
    }
    search = BayesSearchCV(grouped(), space, n_iter=3, cv=2, random_state=0).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    rates = search.cv_results_["param_optimizer__param_groups__0__lr"]
    assert len(set(rates)) == 3
    assert of_groups(search.best_estimator_)[0] == rates[search.best_index_]
