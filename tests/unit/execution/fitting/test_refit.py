"""The best candidate on all rows."""

from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sktune._compat import NoCallbacks
from sktune.execution.estimators._resource import Resource
from sktune.execution.fitting._refit import Refit
from tests.helpers.trained import X, job_of, y


def test_refit_calls_partial_fit_as_often_as_there_are_resources():
    pipeline = Pipeline([("scale", StandardScaler()), ("clf", SGDClassifier())])
    job = job_of(pipeline, Resource("clf__partial_fit", "partial_fit", 4))
    published = []
    publish = lambda *args: published.append(args)  # noqa: E731
    refit = Refit(job, pipeline, {}, 0, None, NoCallbacks(), publish)
    refit.run()
    (_, before), (best, seconds) = published
    assert before is None and seconds > 0
    assert best[-1].t_ == 4 * len(X) + 1
    assert 0 < best.score(X, y) <= 1
