"""Names that are no parameters, and what is said of them."""

import re

import pytest
import torch
from scipy.stats import loguniform
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from torch.optim.lr_scheduler import OneCycleLR

from sktune._errors import EstimatorError, ParamNameError
from sktune.execution.estimators._parameter_names import check_names
from tests.helpers.estimators import Net, Score, net


def stopping(**kwargs):
    return net(callbacks=[("stop", EarlyStopping(monitor="train_loss"))], **kwargs)


def pipe(last=None):
    return Pipeline([("scale", StandardScaler()), ("net", last or stopping())])


def scheduled(*args, **kwargs):
    return net(callbacks=[("lr", LRScheduler(*args, **kwargs))])


NO_NET = pipe("passthrough")
TARGET = TransformedTargetRegressor(regressor=pipe())
BAGGING = BaggingClassifier(estimator=stopping())
VOTING = VotingClassifier([("one", stopping()), ("two", LogisticRegression())])
SEARCH = GridSearchCV(stopping(), {})
BRANCHES = [{"optimizer": [torch.optim.Adam]}, {"optimizer": [torch.optim.SGD]}]
STEPS = {"net": [stopping(), net(lr=0.5)]}

TABLE = [
    # estimator, name, what else is searched, hint
    (stopping(), "lrr", {}, "lr"),
    (stopping(), "LR", {}, "lr"),
    (stopping(), "max_epoch", {}, "max_epochs"),
    (stopping(), "hiden", {}, "module__hidden"),
    (stopping(), "hidden", {}, "module__hidden"),
    (stopping(), "module__hiden", {}, "module__hidden"),
    (stopping(), "modul__hidden", {}, "module__hidden"),
    (stopping(), "modul__hiden", {}, "module__hidden"),
    (stopping(), "module_hidden", {}, "module__hidden"),
    (stopping(), "module__hidden__x", {}, "module__hidden"),
    (stopping(), "optimizer__hidden", {}, "module__hidden"),
    (stopping(), "module__lr", {}, "lr"),
    (stopping(), "net__lr", {}, "lr"),
    (stopping(), "weight_decay", {}, "optimizer__weight_decay"),
    (stopping(), "optimiser__weight_decay", {}, "optimizer__weight_decay"),
    (stopping(), "iterator_train_shuffle", {}, "iterator_train__shuffle"),
    (stopping(), "criterion__label_smooth", {}, "criterion__label_smoothing"),
    (stopping(), "callbacks__stpo__patience", {}, "callbacks__stop__patience"),
    (stopping(), "callbacks__stop__patiense", {}, "callbacks__stop__patience"),
    (stopping(), "callback__stop__patience", {}, "callbacks__stop__patience"),
    (stopping(), "stop__patiense", {}, "callbacks__stop__patience"),
    (stopping(), "stpo__patience", {}, "callbacks__stop__patience"),
    (stopping(), "patience", {}, "callbacks__stop__patience"),
    (stopping(), "callbacks__stpo", {}, "callbacks__stop"),
    (scheduled("StepLR", step_size=2), "lr__step_siz", {}, "callbacks__lr__step_size"),
    (stopping(), "optimizer__betsa", BRANCHES[0], "optimizer__betas"),
    (stopping(), "optimizer__momentun", BRANCHES[1], "optimizer__momentum"),
    (pipe(), "lr", {}, "net__lr"),
    (pipe(), "hiden", {}, "net__module__hidden"),
    (pipe(), "net__hidden", {}, "net__module__hidden"),
    (pipe(), "clf__lr", {}, "net__lr"),
    (pipe(), "stop__patiense", {}, "net__callbacks__stop__patience"),
    (pipe(), "callbacks__stop__patience", {}, "net__callbacks__stop__patience"),
    (pipe(), "net__stop__patience", {}, "net__callbacks__stop__patience"),
    (pipe(), "scale__with_men", {}, "scale__with_mean"),
    (pipe(), "net__lrr", STEPS, "net__lr"),
    (pipe(), "net__module__hiden", STEPS, "net__module__hidden"),
    (pipe("passthrough"), "net__modul__hidden", STEPS, "net__module__hidden"),
    (
        pipe("passthrough"),
        "net__stop__patience",
        STEPS,
        "net__callbacks__stop__patience",
    ),
    (TARGET, "lr", {}, "regressor__net__lr"),
    (TARGET, "regressor__lr", {}, "regressor__net__lr"),
    (BAGGING, "lr", {}, "estimator__lr"),
    (BAGGING, "base_estimator__lr", {}, "estimator__lr"),
    (BAGGING, "estimator__hiden", {}, "estimator__module__hidden"),
    (VOTING, "lr", {}, "one__lr"),
    (VOTING, "two__c", {}, "two__C"),
    (SEARCH, "lr", {}, "estimator__lr"),
    (LogisticRegression(), "clf__C", {}, "C"),
]


@pytest.mark.parametrize(
    ("estimator", "name", "others", "hint"),
    TABLE,
    ids=[f"{type(row[0]).__name__}-{row[1]}-{len(row[2])}" for row in TABLE],
)
def test_a_typo_and_its_hint(estimator, name, others, hint):
    message = f"^Invalid parameter {name!r}: .* Did you mean {hint!r}[?]"
    with pytest.raises(ParamNameError, match=message) as caught:
        check_names(estimator, [{}, {name: [1], **others}])
    assert len(str(caught.value)) < 400, "it can be read"
    check_names(estimator, [{hint: [1], **others}])


def test_what_may_be_set_in_some_of_the_estimators_that_are_searched():
    parts = {"net": [LogisticRegression(), net()]}
    check_names(pipe(), [{**parts, "net__lr": loguniform(0.1, 1)}])
    check_names(pipe(), [{**parts, "net__C": [1.0]}])
    with pytest.raises(ParamNameError, match="'net__lr': LogisticRegression has no"):
        check_names(pipe(), [{"net": [LogisticRegression()], "net__lr": [0.1]}])
    with pytest.raises(ParamNameError, match=r"'net__lr': 'net' is 'passthrough'\.$"):
        check_names(pipe("passthrough"), [{"net__lr": [0.1]}])


# -- what the estimator itself raises -----------------------------------------------


class Careful(Score):
    """Refuses values where they are set."""

    def set_params(self, **params):
        for name, value in params.items():
            if name == "depth" and not value > 0:
                raise ValueError(f"depth={value}")
            setattr(self, name, value)
        return self


class Drawn:
    """A distribution that can be drawn from, and no more."""

    def rvs(self, random_state=None):
        raise AssertionError("a check draws nothing")


class Renaming(NeuralNetClassifier):
    """Knows its callbacks by other names."""

    def _set_params_callback(self, **params):
        names = {"callbacks__halt__patience": "callbacks__stop__patience"}
        return super()._set_params_callback(**{names[k]: params[k] for k in params})


def test_a_net_may_have_names_of_its_own():
    own = Renaming(**stopping().get_params(deep=False))
    check_names(own, [{"callbacks__halt__patience": [3]}])
    with pytest.raises(ParamNameError, match="no callback 'hold'"):
        check_names(own, [{"callbacks__hold__patience": [3]}])


def test_a_policy_that_skorch_does_not_find():
    message = (
        "^Parameter 'callbacks__lr__max_lr': it cannot be set: AttributeError: module "
        "'skorch.callbacks.lr_scheduler' has no attribute 'OneCycleLR'. .* pass the "
        r"class: LRScheduler\(torch.optim.lr_scheduler.OneCycleLR, ...\)"
    )
    by_name = scheduled("OneCycleLR", max_lr=0.1, total_steps=99)
    with pytest.raises(EstimatorError, match=message) as caught:
        check_names(by_name, [{"callbacks__lr__max_lr": loguniform(0.1, 1)}])
    assert isinstance(caught.value.__cause__, AttributeError)
    by_class = scheduled(OneCycleLR, max_lr=0.1, total_steps=99)
    check_names(by_class, [{"callbacks__lr__max_lr": loguniform(0.1, 1)}])


def test_callbacks_that_raise():
    class Broken(Callback):
        def __init__(self, a=1):
            self.a = a

        def initialize(self):
            raise OSError("no server")

    with pytest.raises(EstimatorError, match="OSError: no server") as caught:
        check_names(net(callbacks=[Broken()]), [{"callbacks__Broken__a": [2]}])
    assert isinstance(caught.value.__cause__, OSError)
    twice = net(callbacks=[("a", EarlyStopping()), ("a", EarlyStopping())])
    with pytest.raises(ValueError, match="duplicate user-set callback name 'a'"):
        check_names(twice, [{"callbacks__a__patience": [2]}])


def test_what_set_params_raises_is_said():
    with pytest.raises(ParamNameError, match=r"raised ValueError \(depth=-1\)") as e:
        check_names(Careful(), [{"depth": [-2, -1]}])
    assert isinstance(e.value.__cause__, ValueError)
    check_names(Careful(), [{"depth": [-1, 1]}])  # the fits will tell
    check_names(Careful(), [{"depth": loguniform(0.1, 1)}])
    check_names(Careful(), [{"depth": Drawn()}])
    with pytest.raises(ParamNameError, match="Score has no parameter 'depth'"):
        check_names(Score(), [{"depth": Drawn()}])


def test_arguments_that_a_scheduler_was_not_made_with():
    message = r"StepLR takes it.* Give it a first value: LRScheduler\(..., gamma=...\)"
    with pytest.raises(ParamNameError, match=message):
        check_names(scheduled("StepLR", step_size=2), [{"callbacks__lr__gamma": [0.1]}])


def test_callbacks_that_are_not_there():
    with pytest.raises(ParamNameError, match="callbacks='disable' leaves the net none"):
        check_names(net(callbacks="disable"), [{"callbacks__print_log__sink": [print]}])
    name = "callbacks__stop__patience"
    with pytest.raises(ParamNameError, match=re.escape("no callback 'stop'. Its")):
        check_names(net(), [{name: [3]}])
    with pytest.raises(ParamNameError, match="may be None, which has no parameters"):
        check_names(stopping(), [{"callbacks__stop": [None], name: [3]}])
    either = [None, EarlyStopping(monitor="train_loss")]
    check_names(stopping(), [{"callbacks__stop": either, name: [3]}])


def test_instances_and_functions_as_modules():
    def hidden_is_chosen(hidden=3):
        return Net(hidden)

    made_by = net().set_params(module=hidden_is_chosen)
    check_names(made_by, [{"module__hidden": [4]}])
    with pytest.raises(
        ParamNameError, match=r"hidden_is_chosen takes no arg.*'dropout"
    ):
        check_names(made_by, [{"module__dropout": [0.1]}])
