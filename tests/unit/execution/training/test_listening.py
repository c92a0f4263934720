"""What a net records of its epochs, rules that stop it, and weights it inherits."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor
from skorch.callbacks import EpochScoring
from skorch.dataset import ValidSplit

from sktune._types import Fit
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting._unit import run_unit
from sktune.execution.guards._random_states import preserved_random_states
from sktune.execution.training._listening import curve_of
from tests.helpers.estimators import Net, net
from tests.helpers.trained import all_of, at_once, job_of, run

EPOCHS = Resource("max_epochs", "epochs", 9)
VALID = dict(train_split=ValidSplit(4), verbose=0)


@dataclass(frozen=True)
class After:
    """Stops after so many epochs."""

    n_epochs: int

    def __call__(self, curve):
        return len(curve) >= self.n_epochs


def outcome_of(job, n_resources=None, **kwargs):
    pause = n_resources is not None and n_resources < 9
    fit = Fit(0, 0, {}, 7, n_resources, pause, **kwargs)
    with preserved_random_states():
        (outcome,) = run_unit(job, (fit,))
    return outcome


def test_the_curve_is_the_score_on_the_validation_part():
    one = at_once(net(**VALID), 4)
    assert curve_of(one) == tuple(one.history[:, "valid_acc"])
    outcome = run(job_of(net(max_epochs=4, **VALID), None), None)
    assert outcome.curve == curve_of(one) and outcome.reached == 4


def test_or_the_loss_with_its_sign_turned():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4)).astype("f4"), rng.normal(size=(40, 3)).astype("f4")
    one = NeuralNetRegressor(Net, max_epochs=3, **VALID).fit(X, y)
    assert curve_of(one) == tuple(-loss for loss in one.history[:, "valid_loss"])
    scoring = EpochScoring("r2", lower_is_better=True, name="odd", on_train=False)
    one = NeuralNetRegressor(Net, max_epochs=3, callbacks=[scoring], **VALID).fit(X, y)
    assert curve_of(one) == tuple(-value for value in one.history[:, "odd"])


def test_there_is_none_without_a_validation_part():
    outcome = run(job_of(net(max_epochs=2, verbose=0), None), None)
    assert outcome.curve is None and outcome.reached == 2
    on_train = EpochScoring("accuracy", name="acc", on_train=True)
    assert curve_of(net(max_epochs=2, callbacks=[on_train]).fit(*job_data())) is None
    assert curve_of(net()) is None, "not fitted"
    outcome = run(job_of(SGDClassifier(random_state=0), None), None)
    assert outcome.curve is None and outcome.reached is None


def job_data():
    job = job_of(net(), None)
    return job.X, job.y


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_rule_stops_a_fit_that_is_trained_at_once(in_pipeline):
    estimator = net(max_epochs=9, **VALID)
    if in_pipeline:
        estimator = make_pipeline(StandardScaler(), estimator)
    job = job_of(estimator, None)
    outcome = outcome_of(job, stop_rule=After(3))
    assert outcome.reached == len(outcome.curve) == 3 and outcome.fit_error is None
    whole = outcome_of(job)
    assert whole.reached == 9 and whole.curve[:3] == outcome.curve
    # Nothing of the listening is left in the net.
    one = job.scorer.estimator[-1] if in_pipeline else job.scorer.estimator
    assert type(one) is type(net()) and pickle.loads(pickle.dumps(one)) is not None


def test_and_one_that_goes_on(tmp_path):
    """The epochs until there are those of a fit that nobody stopped."""
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(net(**VALID), EPOCHS, checkpoints)
        first = outcome_of(job, 2, stop_rule=After(5))
        assert first.reached == 2
        stopped = outcome_of(job, 8, stop_rule=After(5))
        assert stopped.reached == 5
        assert all_of(job.scorer.estimator) == all_of(at_once(net(**VALID), 5))
        # A fit that was ended stays so, as after skorch's EarlyStopping.
        again = outcome_of(job, 9)
        assert again.reached == 5


def test_others_refuse_what_is_for_nets():
    job = job_of(SGDClassifier(), Resource("partial_fit", "partial_fit", 9))
    with pytest.raises(ValueError, match="cannot be trained with a stop rule"):
        outcome_of(job, 3, stop_rule=After(1))
    with pytest.raises(ValueError, match=r"stop rule can end .* of a skorch net"):
        outcome_of(job_of(SGDClassifier(), None), stop_rule=After(1))
