"""Searches with a journal, and journals that were cut short."""

import json

import numpy as np

from tests.helpers.estimators import Score

SPACE = {"a": [0.0, 0.25, 0.5, 0.75], "b": [0.5]}


class Counted(Score):
    """Counts its fits, in a list of the test's."""

    fits = []

    def fit(self, X, y, sample_weight=None):
        self.fits.append(self.a)
        return super().fit(X, y)


def make(search, journal=None, estimator=None, space=SPACE, **kwargs):
    estimator = Counted() if estimator is None else estimator
    return search(estimator, space, **{"cv": 2, "journal": journal, **kwargs})


def cut(journal, n_fits):
    """Leave so many fits in the journal, as if the search had been killed then."""
    lines = journal.read_text().splitlines(keepends=True)
    kinds = [json.loads(line)["record"] for line in lines]
    last = [k for k, kind in enumerate(kinds) if kind == "fit"][n_fits]
    journal.write_text("".join(lines[:last]))


def assert_same(fitted, expected, times=False):
    a, b = fitted.cv_results_, expected.cv_results_
    assert list(a) == list(b)
    for key in a:
        if times or "_time" not in key:
            np.testing.assert_equal(list(a[key]), list(b[key]), err_msg=key)
    assert fitted.best_params_ == expected.best_params_
    assert fitted.best_index_ == expected.best_index_
