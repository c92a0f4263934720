"""What is before the step that goes on: fitted once, or as often as it must."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sktune.execution.estimators._resource import Resource, find_resource
from tests.helpers.estimators import net
from tests.helpers.trained import all_of, at_once, job_of, run


def test_a_prefix_that_fails(checkpoints):
    pipeline = Pipeline([("scale", StandardScaler(with_mean="no")), ("net", net())])
    resource = Resource("net__max_epochs", "epochs", 9)
    job = job_of(pipeline, resource, checkpoints, error_score=np.nan)
    assert "with_mean" in run(job, 3).fit_error


N_SLOW = []


def slow(X):
    N_SLOW.append(1)
    time.sleep(0.2)
    return X


def test_a_prefix_is_fitted_once_by_workers_at_the_same_time(checkpoints):
    step = FunctionTransformer(slow)
    pipeline = Pipeline([("slow", step), ("clf", SGDClassifier(random_state=0))])
    resource = Resource("clf__partial_fit", "partial_fit", 9)
    # Scores nothing: the test part goes through the step as well.
    job = job_of(pipeline, resource, checkpoints, scorer=lambda *args: 0.0)
    assert not job.draws_globally  # else the threads would wait for each other anyway
    N_SLOW.clear()
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda number: run(job, 1, candidate=number), range(3)))
    assert len(N_SLOW) == 1


class Generating(StandardScaler):
    """Cannot be pickled."""

    def fit(self, X, y=None, sample_weight=None):
        self.generator_ = (number for number in range(3))
        return super().fit(X, y)


def test_a_prefix_that_cannot_be_pickled(checkpoints):
    pipeline = Pipeline([("scale", Generating()), ("net", net())])
    resource = Resource("net__max_epochs", "epochs", 9)
    job = job_of(pipeline, resource, checkpoints)
    with pytest.warns(UserWarning, match="could not be saved"):
        run(job, 3)
    run(job, 9)
    assert all_of(job.scorer.estimator[-1]) == all_of(at_once(pipeline, 9)[-1])


class Meeting(Generating):
    """Is fitted only while another is."""

    together = threading.Barrier(2)

    def fit(self, X, y=None, sample_weight=None):
        Meeting.together.wait(10)
        return super().fit(X, y)


def test_a_prefix_that_cannot_be_pickled_is_not_waited_for(checkpoints):
    last = SGDClassifier(random_state=0)
    resource = Resource("clf__partial_fit", "partial_fit", 9)
    pipeline = Pipeline([("scale", Generating()), ("clf", last)])
    job = job_of(pipeline, resource, checkpoints, scorer=lambda *args: 0.0)
    # Else the threads would wait for each other anyway.
    vars(job)["draws_globally"] = False
    with pytest.warns(UserWarning, match="could not be saved"):
        run(job, 1)
    slow = Pipeline([("scale", Meeting()), ("clf", last)])
    job = replace(job, estimator=slow)
    vars(job)["draws_globally"] = False
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda number: run(job, 1, candidate=number), (1, 2)))


class Sometimes(Pipeline):
    """Fits its last step once more, where there are more than a few rows."""

    def fit(self, X, y=None, **params):
        super().fit(X, y, **params)
        if len(X) > 9:
            self.steps[-1][1].fit(X, y)
        return self


def test_a_pipeline_that_fits_its_last_step_again_after_all(checkpoints):
    pipeline = Sometimes([("scale", StandardScaler()), ("net", net())])
    resource = find_resource(pipeline, "auto", 9, [], None)
    job = job_of(pipeline, resource, checkpoints, error_score=np.nan)
    message = "Sometimes.fit does not fit its last step just once, so that this step"
    assert message in run(job, 3).fit_error
