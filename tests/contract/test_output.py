"""What a search prints, and that nets in it print nothing."""

import re

import pytest
from scipy.stats import uniform
from sklearn.pipeline import Pipeline

from tests.helpers.estimators import Score, blobs, net
from tests.helpers.searches import X, bayes, every_search, grid, y

# Spaces are small here, and Hyperband says so.
pytestmark = pytest.mark.filterwarnings("ignore:Hyperband plans")


@every_search
def test_a_net_that_is_a_searched_value_is_silent(search, capfd):
    space = {"net": [net(verbose=1)]}
    fitted = search(
        Pipeline([("net", None)]),
        space,
        n_iter=1,
        cv=2,
        refit=False,
        scoring="accuracy",
    )
    fitted.fit(*blobs(60))
    assert capfd.readouterr().out == ""


def test_progress(capsys):
    bayes(Score(), {"a": uniform(0, 1)}, n_iter=3, cv=2, verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == ("Fitting 2 folds for each of 3 candidates, totalling 6 fits")
    assert re.match(r"\[1/3\] score -0\.\d+, best -0\.\d+ \| .* left \| a=0", lines[1])
    bayes(Score(), {"a": uniform(0, 1)}, n_iter=3, cv=2).fit(X, y)
    assert capsys.readouterr().out == ""


def test_nets_print_nothing_in_a_search(capfd):
    X, y = blobs(60)
    loud = net(verbose=1)
    fitted = grid(loud, {"lr": [0.1]}, cv=2, refit=False, n_jobs=2).fit(X, y)
    assert capfd.readouterr().out == ""
    assert loud.verbose == 1
    fitted.set_params(refit=True).fit(X, y)
    assert fitted.best_estimator_.verbose == 1
