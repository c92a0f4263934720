"""Random search."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from numbers import Integral
from sys import maxsize
from typing import Any, ClassVar

import numpy as np

from sktune import _compat
from sktune._random import derive_seed
from sktune._warnings import at_the_users_line, warn
from sktune.run import Proposal
from sktune.search._flat_search import FlatSearch
from sktune.search.inputs._data import Data
from sktune.search.inputs._random_draws import (
    LazyDraws,
    accepted_draws,
    all_refused,
    check_any,
    draw_accepted,
    draws_lazily,
    sampler,
)
from sktune.space import Space, allows, to_python
from sktune.strategy import Listed


class RandomizedSearchCV(FlatSearch):
    """Search over random draws, as ``sklearn.model_selection.RandomizedSearchCV``.

    The same arguments, candidates, order, scores and attributes; a changed import is
    all it takes. What it does beyond: the splits are drawn once, data goes to each
    worker once, results do not depend on `n_jobs` for nets either, names and dtypes are
    checked before the first fit, and scipy's new distributions
    (``scipy.stats.Uniform``) may be used.

    Parameters
    ----------
    estimator : estimator object
        A skorch net, a pipeline, or any scikit-learn estimator. It needs a ``score``
        method, or `scoring` must be given.
    param_distributions : dict or list of dict
        Names of parameters and what to draw them from: a distribution of
        ``scipy.stats``, or a list. Of several dicts one is drawn first, all being
        equally likely. If all are lists, no candidate is drawn twice.
    n_iter : int, default=10
        Number of candidates.
    initial_points : list of dict, default=None
        Candidates to try first; they count towards `n_iter`.
    constraint : callable, default=None
        ``constraint(params) -> bool``; draws for which it is false are drawn again.
    racing : bool or float, default=False
        Whether a candidate is spared its remaining splits as soon as it is clearly
        behind the best: splits run in turn, and the mean difference to the best
        complete candidate on the same splits is judged by its standard error. True is
        2.33 standard errors behind, one in a hundred by chance; a number sets how many.
        Only candidates that were run on all splits can be best. See the guide "What
        need not be trained".
    early_stopping : {'growth', 'median'} or rule, default=None
        Whether the training of a net is ended at an epoch from which, by its learning
        curve, it cannot become the best. 'growth' stops what neither is among the
        better candidates of that epoch nor on its way there, 'median' what is below the
        median of that epoch.
        Curves are of the net's own validation part, or, with ``train_split=None``,
        scores on the test part of the split at some epochs. A rule is one of
        `sktune.schedule`, or a callable ``rule(curve) -> bool``. Candidates that were
        stopped rank behind those that were not.
    scoring : str, callable, list, tuple or dict, default=None
        One metric or several. None uses the estimator's ``score``.
    n_jobs : int, default=None
        Fits that run at the same time. None is 1 unless in a
        ``joblib.parallel_config``; -1 is one for each processor.
    devices : str, torch.device, list or dict, default=None
        Where fits run: "auto" for every GPU that is there, a device such as "cuda:1", a
        list of devices, or a dict of devices and the number of fits that may share
        each. Every fit waits for a device and has it written to its nets. None leaves
        the estimator's own. See :doc:`/guides/devices`.
    fits_per_device : int or "auto", default=1
        Fits that may share one device at a time; "auto" measures how many its memory
        has room for. Fits beyond that wait.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all data. With several metrics the name of
        the one that decides; a callable takes `cv_results_` and returns the index.
    cv : int, cross-validation generator or iterable, default=None
        How to split; None is 5 folds, stratified for classifiers.
    verbose : int, default=0
        1 shows a bar with the best so far and the time left, or prints lines where
        nobody looks on; 2 and above print what scikit-learn prints of each fit. What
        nets print of their training is printed in the refit only.
    pre_dispatch : int or str, default='2*n_jobs'
        Units of work that are sent to workers ahead of time.
    random_state : int, RandomState instance or None, default=None
        Draws the candidates, and seeds every fit by candidate and split. None does both
        differently at each call.
    error_score : 'raise' or numeric, default=np.nan
        Score of a split whose fit raised or whose score is not finite. 'raise' raises
        what the fit raised.
    fit_timeout : float, default=None
        Seconds that the training of one candidate on one split may take; None
        is no limit. A fit that takes longer has failed. A net, and whatever else calls
        modules of torch, is ended at its next batch; other estimators cannot be ended
        and run to their own end first. `refit` has no limit.
    fit_memory : int, float or str, default=None
        Memory that one candidate may take on one split, beyond what its process had
        before: bytes, or a string such as "500MB", "2GB" or "1.5GiB"; None is no limit.
        A fit that takes more has failed, and the others have not. A net, and whatever
        else calls modules of torch, is ended at its next batch; memory that is far too
        much at once is refused; a worker process in which neither helps ends. `refit`
        has no limit. See the guide "Workers".
    stacked : bool or "auto", default=False
        Whether nets of one shape are trained as one, in a fraction of the time: the
        splits of a candidate, and candidates that are decided on together. Each is the
        net that it would be by itself, but for rounding. "auto" tries both for a few
        batches of each shape and takes the quicker. What cannot be stacked is trained
        by itself: `paths_` says why. See the guide "Nets trained as one".
    max_stack : int, default=None
        Nets that are trained as one at most. None is a number that follows from the
        size of the data and, on a device, of its memory.
    return_train_score : bool, default=False
        Whether to score on the training part as well.
    keep : "best" or int, default=None
        Whether to keep the estimators that the best candidate, or so many of the best,
        had for each split; they are in `kept_`. None keeps none.
    journal : str or path-like, default=None
        File that gets a line for every fit as it ends. If it is there already, the
        search continues where it was ended, by whatever: no fit in it is run again,
        and the result is that of a search that was never interrupted. A greater
        `n_iter` goes on from there, where the search begins alike.
        See the guide "A search that cannot be lost".
    max_time : float, default=None
        Seconds after which no further fit is started. The best so far is the result
        then, refitted, with a warning; fits that are running are waited for. None is no
        limit.
    listeners : sequence of Listener, default=None
        What is told of every fit as its candidate is done, in this process: trackers of
        :mod:`sktune.listeners` (TensorBoard, MLflow, Weights & Biases), or objects of
        your own. One that raises is warned of and told no more; the search goes on.
        See the guide "Tracking".

    Attributes
    ----------
    cv_results_ : dict of numpy (masked) ndarrays
        Column by column what scikit-learn's holds.
    best_estimator_ : estimator
        The best candidate, fitted on all data. Not there if ``refit=False``.
    best_score_ : float
        Mean score of the best candidate over the splits.
    best_params_ : dict
    best_index_ : int
        Row of the best candidate; the earlier one of equals.
    scorer_ : function or dict
    n_splits_ : int
    refit_time_ : float
        Seconds that fitting the best candidate took.
    leases_ : list of dict
        With `devices`, what ran where: `candidate` and `split` (None for the refit),
        `n_resources`, `device`, `slot`, `start` and `end` in seconds since the epoch,
        `host`, `pid`, and `out_of_memory` where a fit was tried again alone.
    paths_ : list of dict
        With nets, how each was trained: `candidate` and `split` (None for the refit),
        `n_resources`, `batches` ("arrays" where they were cut at once, else "rows" and
        why), `stacked` (nets that were trained as one, at most) and `reason` (why it
        was trained by itself, where it might not have been).
    curves_ : list of dict
        With nets, their learning curves: `candidate`, `split`, `n_resources`, `epochs`,
        `scores` after each of these (greater is better), `on` ("train_split", the net's
        own validation part, or "test", the test part of the split) and `stopped`
        (whether `early_stopping` has ended the training). See
        :func:`sktune.inspection.learning_curves`.
    kept_ : list of KeptCandidate
        With `keep`, the best candidates that were run on all splits, best first:
        `candidate`, `params`, `score`, `estimators` (fitted on the training part of
        each split) and ``out_of_fold(X)``, their predictions for the rows that each was
        not trained on.
    provenance_ : dict
        What it takes to train a candidate again: the `root` of the seeds, a fingerprint
        of the `splits`, `versions`, `hardware` and `threads`. See
        :func:`sktune.inspection.reproduce`.
    pareto_front_ : ndarray of int
        With several metrics, the rows of `cv_results_` than which no other is better in
        one metric without being worse in another, the best in the first metric first.
        See :func:`sktune.inspection.pareto_front`.
    multimetric_ : bool
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    See Also
    --------
    GridSearchCV : Tries every combination of lists.
    BayesSearchCV : Learns from each candidate which one to try next.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import RandomizedSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-3, 1)}
    >>> search = RandomizedSearchCV(SVC(), space, n_iter=5, random_state=0).fit(X, y)
    >>> len(search.cv_results_["params"])
    5
    """

    _draws_candidates = True
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **FlatSearch._parameter_constraints,
        "param_distributions": [dict, list],
        "n_iter": [_compat.Interval(Integral, 1, None, closed="left")],
        "initial_points": [list, tuple, None],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        initial_points: Sequence[dict[str, Any]] | None = None,
        constraint: Callable[[dict[str, Any]], bool] | None = None,
        racing: bool | float = False,
        early_stopping: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        devices: Any = None,
        fits_per_device: int | str = 1,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: float | str = np.nan,
        fit_timeout: float | None = None,
        fit_memory: float | str | None = None,
        stacked: bool | str = False,
        max_stack: int | None = None,
        return_train_score: bool = False,
        keep: str | int | None = None,
        journal: Any = None,
        max_time: float | None = None,
        listeners: Any = None,
    ) -> None:
        super().__init__(
            estimator,
            racing=racing,
            early_stopping=early_stopping,
            constraint=constraint,
            scoring=scoring,
            n_jobs=n_jobs,
            devices=devices,
            fits_per_device=fits_per_device,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            fit_timeout=fit_timeout,
            fit_memory=fit_memory,
            stacked=stacked,
            max_stack=max_stack,
            return_train_score=return_train_score,
            keep=keep,
            journal=journal,
            max_time=max_time,
            listeners=listeners,
        )
        self.param_distributions = param_distributions
        self.n_iter = n_iter
        self.initial_points = initial_points

    def _propose(self, data: Data, root: int) -> Proposal:
        random_state = self.random_state
        if random_state is None:
            random_state = derive_seed(root, "draw")
        first = self._first()
        if draws_lazily(self.param_distributions, self.n_iter, random_state):
            drawn = self._draw_later(first, random_state)
            return self._flat(Listed(drawn), len(drawn), data, root)
        candidates = tuple(
            {k: to_python(v) for k, v in params.items()}
            for params in chain(first, self._draw(first, random_state))
        )
        return self._flat(Listed(candidates), len(candidates), data, root)

    def _draw_later(self, first: list[dict[str, Any]], random_state: Any) -> LazyDraws:
        """As many candidates as fit into no memory are drawn while fits run."""
        accepts = self._accepts(first)
        draws = accepted_draws(self.param_distributions, random_state, accepts)
        drawn = LazyDraws(chain(first, draws), min(self.n_iter, maxsize))
        check_any(drawn, self.constraint)
        return drawn

    def _check_n_candidates(self, n_candidates: int) -> None:
        dicts, n = self.param_distributions, self.n_iter
        if n_candidates < n and draws_lazily(dicts, n, self.random_state):
            warn(
                f"Only {n_candidates} candidates were found that constraint allows, "
                f"fewer than n_iter={n}."
            )

    def _first(self) -> list[dict[str, Any]]:
        """`initial_points`, each once."""
        if not self.initial_points:
            return []
        space = Space(self.param_distributions, self.constraint)
        points = [space.canonical(params) for params in self.initial_points]
        unique = {space.key(params): params for params in points}
        return list(unique.values())[: self.n_iter]

    def _draw(
        self, first: list[dict[str, Any]], random_state: Any
    ) -> Iterable[dict[str, Any]]:
        """The draws that follow `first`."""
        dicts = self.param_distributions
        if self.constraint is None and not first:
            with at_the_users_line():  # where the space is smaller than that
                return list(sampler(dicts, self.n_iter, random_state))
        wanted, accepts = self.n_iter - len(first), self._accepts(first)
        drawn, n_draws = draw_accepted(dicts, wanted, random_state, accepts)
        self._check_n_drawn(len(first) + len(drawn), n_draws)
        return drawn

    def _accepts(self, first: list[dict[str, Any]]) -> Callable[[dict[str, Any]], bool]:
        """Whether a draw may be run: allowed, and not among those tried first."""
        if not first:
            return partial(allows, self.constraint)
        space = Space(self.param_distributions, self.constraint)
        taken = {space.key(params) for params in first}
        return lambda params: space.allows(params) and space.key(params) not in taken

    def _check_n_drawn(self, n: int, n_draws: int) -> None:
        if n == 0:
            raise all_refused(self.constraint, n_draws)
        if n < self.n_iter:
            warn(
                f"Only {n} candidates were found in {n_draws} draws, fewer than "
                f"n_iter={self.n_iter}. Running {n} iterations."
            )
