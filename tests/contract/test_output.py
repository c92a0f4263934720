"""What a search prints, and that nets in it print nothing."""

import re
import sys

import pytest
from scipy.stats import uniform
from sklearn.pipeline import Pipeline

from tests.helpers.estimators import Score, blobs, net
from tests.helpers.searches import (
    X,
    bayes,
    every_search,
    grid,
    halving,
    hyperband,
    y,
)

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


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_says_when_it_starts_workers_and_refits(n_jobs, capsys):
    search = halving(Score(), {"a": uniform(0, 1)}, resource="b", max_resources=4)
    search.set_params(cv=3, verbose=1, n_jobs=n_jobs).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert ("Starting 2 workers" in lines) == (n_jobs == 2)
    assert lines[-1] == "Refitting the best candidate on all 150 rows"
    # Of the last candidate the refit is left.
    assert re.search(r"\d s gone, 0 s left", lines[-2])
    search.set_params(refit=False).fit(X, y)
    assert "Refitting" not in capsys.readouterr().out


def test_progress_of_a_journal_begins_where_it_ended(tmp_path, capsys):
    space, journal = {"a": uniform(0, 1)}, tmp_path / "search.jsonl"
    given = {"cv": 2, "verbose": 1, "journal": journal}
    bayes(Score(), space, n_iter=4, **given).fit(X, y)
    capsys.readouterr()
    bayes(Score(), space, n_iter=4, **given).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"8 fits are known from {journal}"
    assert lines[2].startswith("[4/4]")
    assert "? left" in lines[2]  # nothing tells how long the refit will take
    assert lines[3] == "Refitting the best candidate on all 150 rows"
    assert len(lines) == 4


@pytest.mark.parametrize("search", [halving, hyperband])
def test_a_fit_says_of_which_rung_it_is(search, capsys):
    searched = search(
        Score(), {"a": uniform(0, 1)}, resource="b", max_resources=4, cv=2, verbose=2
    )
    plan = searched.plan(X, y)
    searched.set_params(refit=False).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    fits = [line for line in lines if line.startswith("[CV] END")]
    assert len(fits) == plan.n_fits
    for rung in plan.rungs:
        told = f", b={rung.n_resources} (bracket {rung.bracket}, iter {rung.iter});"
        assert sum(told in line for line in fits) == 2 * rung.n_candidates


def test_nets_print_nothing_in_a_search(capfd):
    X, y = blobs(60)
    loud = net(verbose=1)
    fitted = grid(loud, {"lr": [0.1]}, cv=2, refit=False, n_jobs=2).fit(X, y)
    assert capfd.readouterr().out == ""
    assert loud.verbose == 1
    fitted.set_params(refit=True).fit(X, y)
    assert fitted.best_estimator_.verbose == 1


def loud(sink=print, **kwargs):
    """A net that prints all that it can, on both streams."""
    from skorch.callbacks import PrintLog, ProgressBar

    callbacks = [
        ("bar", ProgressBar),
        ProgressBar(detect_notebook=False),
        ("log", PrintLog(sink=sink)),
    ]
    told = {"callbacks__bar__postfix_keys": ["train_loss"]}
    return net(verbose=1, callbacks=callbacks, **told, **kwargs)


def to_stderr(text):
    print(text, file=sys.stderr)


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("search", [grid, halving])
def test_progress_bars_and_tables_are_silent_in_a_search(search, n_jobs, capfd):
    given = loud(to_stderr)
    searched = search(given, {"lr": [0.1, 0.2]}, n_iter=2, cv=2, n_jobs=n_jobs)
    searched.set_params(refit=False).fit(*blobs(60))
    out, err = capfd.readouterr()
    assert out + err == ""


def test_callbacks_that_are_searched_are_silent_too(capfd):
    callbacks = loud(to_stderr).callbacks
    grid(
        net(), {"callbacks": [callbacks, callbacks[1:2]]}, cv=2, refit=False, n_jobs=1
    ).fit(*blobs(60))
    out, err = capfd.readouterr()
    assert out + err == ""


def test_the_refit_prints_as_the_net_does(capfd):
    given = loud(to_stderr)
    fitted = grid(given, {"lr": [0.1]}, cv=2).fit(*blobs(60))
    out, err = capfd.readouterr()
    assert out.count("train_loss") == 1
    assert "epoch" in err
    assert "it/s" in err
    best = fitted.best_estimator_
    assert (best.verbose, best.callbacks[2][1].sink) == (1, to_stderr)
    kinds = [type(callback).__name__ for _, callback in best.callbacks_]
    assert kinds.count("ProgressBar") == 2


@pytest.mark.parametrize("search", [grid, halving])
def test_silence_changes_nothing_that_is_trained(search):
    histories = {}

    def fit(name, given):
        def scoring(estimator, X, y):
            rows = [
                {k: v for k, v in row.items() if k not in ("dur", "batches")}
                for row in estimator.history
            ]
            histories.setdefault(name, []).append(rows)
            return estimator.score(X, y)

        space = {"lr": [0.1, 0.2]}
        searched = search(given, space, n_iter=2, cv=2, scoring=scoring, refit=False)
        return searched.set_params(random_state=0).fit(*blobs(60))

    ours, plain = fit("loud", loud(to_stderr)), fit("plain", net())
    assert histories["loud"] == histories["plain"]
    for key in ("mean_test_score", "split0_test_score", "split1_test_score"):
        assert ours.cv_results_[key].tolist() == plain.cv_results_[key].tolist()
