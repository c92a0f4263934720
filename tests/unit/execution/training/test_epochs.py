"""Nets that end their training themselves, and nets that cannot be paused."""

import pytest
from skorch import NeuralNetClassifier

from sktune._errors import EstimatorError
from tests.helpers.estimators import net
from tests.helpers.trained import EPOCHS, Count, Interrupting, job_of, run, rungs


def test_a_net_that_ended_itself_is_not_trained_further(checkpoints):
    Count.n_epochs = 0
    callbacks = [Count, Interrupting("callback")]
    job = job_of(net(callbacks=callbacks), EPOCHS, checkpoints)
    scores = {score for _, score in rungs(job, (1, 3, 5, 9))}
    assert len(job.scorer.estimator.history) == Count.n_epochs == 2
    assert len(scores) <= 2  # one at the first resource, one at all others


class Twice(NeuralNetClassifier):
    def fit(self, X, y=None, **fit_params):
        super().fit(X, y)
        return self.partial_fit(X, y)


class ByItself(NeuralNetClassifier):
    def partial_fit(self, X, y=None, classes=None, **fit_params):
        self.initialize()
        return self


class Deaf(NeuralNetClassifier):
    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        return super().fit_loop(X, y, **fit_params)


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Twice, "Twice.fit does not train in one `fit_loop`"),
        (ByItself, "ByItself.fit does not train"),
        (Deaf, "Deaf.fit_loop trained more than the 3 epochs"),
    ],
)
def test_nets_that_cannot_be_paused_say_so(checkpoints, cls, message):
    job = job_of(cls(**net().get_params(deep=False)), EPOCHS, checkpoints)
    with pytest.raises(EstimatorError, match=message):
        run(job, 3)
