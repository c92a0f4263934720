"""A rule for `refit`: what a Gaussian process of all scores expects most of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sktune._types import Observation, Params, Problem
from sktune.inspection._comparable_rows import ComparableRows, Results
from sktune.inspection._record_surrogate import space_tried
from sktune.inspection._search_record import plain
from sktune.inspection._surrogate_maps import encoded
from sktune.space import Space
from sktune.strategy import FittedSurrogate

_FEWEST = 4  # candidates from which on a process tells more than their scores


@dataclass(frozen=True)
class PosteriorMean:
    """Choose the candidate of which a Gaussian process of all scores expects most.

    The best of many candidates has been lucky, too. What its neighbours scored tells
    how much: the process takes apart what is due to params and what is noise. Give it
    to any search as `refit`, of sktune or of scikit-learn, or call it with the
    `cv_results_` of one that is fitted.

    Parameters
    ----------
    param_distributions : dict or list of dict, default=None
        What was searched, which says on which scale numbers are; a `param_grid` will
        do, too. None goes by what was tried: from the least to the greatest number, on
        the scale on which they are more even.
    metric : str, default="score"
        The metric to compare by; its name where `scoring` has several.

    Raises
    ------
    SpaceError
        If `param_distributions` cannot be searched. When it is called: if a candidate
        is not in it.
    ValueError
        When it is called: if there is no such metric.

    Notes
    -----
    The process is that of `BayesSearchCV`, fitted to the mean scores. One of the
    candidates is chosen, the one with the greatest posterior mean ([1]_, eq. 2.25); no
    params are made up. Only rows are compared that were given as much as the best
    (`n_resources`), and that have a finite score on each of its splits; of fewer than
    four the best is taken. As with every callable `refit`, the search has no
    `best_score_`.

    References
    ----------
    .. [1] C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine
           Learning", MIT Press, 2006.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import BayesSearchCV
    >>> from sktune.inspection import PosteriorMean
    >>> space = {"C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-3, 1e1)}
    >>> search = BayesSearchCV(
    ...     SVC(), space, n_iter=12, refit=PosteriorMean(space), random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> float(search.cv_results_["mean_test_score"][search.best_index_]) > 0.95
    True
    """

    param_distributions: Any = None
    metric: str = "score"

    def __post_init__(self) -> None:
        if self.param_distributions is not None:
            Space(self.param_distributions)  # which says what is wrong with it

    def __call__(self, cv_results: Results) -> int:
        """Index of the chosen row.

        Parameters
        ----------
        cv_results : dict of arrays
            The `cv_results_` of a search.
        """
        found = ComparableRows.of(cv_results, self.metric)
        if len(found.rows) < _FEWEST:
            return int(found.rows[0])
        tried: list[Params] = [cv_results["params"][row] for row in found.rows]
        if self.param_distributions is None:
            tried = [{n: plain(v) for n, v in params.items()} for params in tried]
            space = space_tried(tried)
        else:
            space = Space(self.param_distributions)
        observations = [
            Observation(k, params, dict(enumerate(scores)))
            for k, (params, scores) in enumerate(
                zip(tried, found.scores.tolist(), strict=True)
            )
        ]
        surrogate = FittedSurrogate.of(Problem(space), observations)
        expected, _, _ = surrogate.predict(encoded(space, tried))
        return int(found.rows[np.argmax(expected)])  # of equals the best
