"""Bayesian search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from sktune import _compat
from sktune._protocols import Strategy
from sktune._types import Params, WarmStartObservation
from sktune.run import refit_metric_names
from sktune.search._sequential_search import SequentialSearch
from sktune.search.inputs._objectives import read_objectives
from sktune.search.inputs._warm_start_from import read_warm_start
from sktune.space import Space
from sktune.strategy import Bayes


class BayesSearchCV(SequentialSearch):
    """Search that learns from each candidate which one to try next.

    After a quasi-random start (up to 8 candidates, and no more than half of `n_iter`),
    a Gaussian process, or what `surrogate` names, is fitted to the scores seen so far,
    and the candidate of the largest expected improvement comes next [1]_, [2]_.
    Everything else is as in scikit-learn's ``RandomizedSearchCV``: cross-validation,
    distributions of ``scipy.stats``, pipelines, metadata routing, `cv_results_`.

    Parameters
    ----------
    estimator : estimator object
        A skorch net, a pipeline, or any scikit-learn estimator. It needs a ``score``
        method, or `scoring` must be given.
    param_distributions : dict or list of dict
        Names of parameters and what they may be: a distribution of ``scipy.stats``, a
        list of numbers, which are ordered and taken as they are, or a list of anything
        else. Distributions are searched on their own scale, ``loguniform`` on a log
        scale. Several dicts are conditional subspaces, such as one for each optimizer.
    n_iter : int, default=10
        Number of candidates, in all. No candidate is tried twice; a space that has
        fewer is searched whole, with a warning.
    acquisition : {'log_ei', 'pi', 'ucb'}, default='log_ei'
        What the next candidate maximises: the logarithm of the expected improvement
        [3]_, the probability of improvement, or the upper confidence bound. With 'gp'
        the first is the augmented expected improvement [8]_, which is less where the
        noise of scores would hide it, so that what is known is not tried again and
        again. With 'tpe' the first two are the same, and the third is refused.
    surrogate : {'gp', 'forest', 'tpe', 'pairs'}, default='gp'
        Model of the scores. 'gp' is a Gaussian process with a lengthscale for each
        parameter, half of which is a sum of the parameters' main effects. 'forest' is a
        random forest [4]_, for spaces with many categories or many conditional
        subspaces; where numbers decide, the process finds more. 'tpe' is the
        tree-structured Parzen estimator [5]_: densities of the good candidates and of
        the others, whose ratio decides; it is several times quicker, and finds less
        with the same number of candidates. 'pairs' is a Gaussian process on categories
        and pairs of these, for spaces that have nothing else, such as those of cells;
        the next candidate is the best of a function that is drawn from its posterior
        (Thompson sampling), and `acquisition` is left as it is. Of more than 500
        candidates all look at the better half of that number and at the latest.
    objectives : sequence of str, default=None
        Metrics of `scoring` whose Pareto front is searched: candidates than which no
        other is better in one of them without being worse in another. What comes next
        is the candidate of the largest expected hypervolume improvement [6]_, with two
        or three objectives, 'gp' and 'log_ei'; else, by random weights of the
        objectives [7]_. `refit` still names the one by which the best candidate is
        chosen, and `pareto_front_` has the front. None searches by the metric of
        `refit` alone. See the guide "Several objectives".
    n_pending : int, default=1
        Candidates that may be in flight at once. With 1, workers share the splits of
        one candidate. More keeps more workers busy, and each candidate knows less when
        it is chosen. The result depends on `n_pending`, and never on `n_jobs`.
    initial_points : list of dict, default=None
        Candidates to try first; they count towards `n_iter`.
    warm_start_from : fitted search, dict, DataFrame, path, study or list, default=None
        Earlier searches to learn from, on other data or other splits maybe: fitted ones
        of sktune or scikit-learn, their `cv_results_`, data frames of these, paths of
        journals, studies of Optuna, or a list of such. None of their candidates is run
        for it, or is in `cv_results_`; the first candidate is the one that is expected
        to be best. They need the refit metric of this search, and their parameters may
        differ. See the guide "Warm start".
    constraint : callable, default=None
        ``constraint(params) -> bool``; candidates for which it is false are never run.
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
        the refit metric, which decides what is tried next and who is best; where none
        is named, that is the first. A callable takes `cv_results_` and returns the
        index.
    cv : int, cross-validation generator or iterable, default=None
        How to split; None is 5 folds, stratified for classifiers.
    verbose : int, default=0
        1 shows a bar with the best so far and the time left, or prints lines where
        nobody looks on; 2 and above print what scikit-learn prints of each fit. What
        nets print of their training is printed in the refit only.
    pre_dispatch : int or str, default='2*n_jobs'
        Units of work that are sent to workers ahead of time.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice of candidates, and every fit by candidate and split. None does
        both differently at each call.
    error_score : 'raise' or numeric, default=np.nan
        Score of a split whose fit raised or whose score is not finite; such a candidate
        is never best, and its neighbourhood is avoided. 'raise' raises what the fit
        raised.
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
        As of ``RandomizedSearchCV``; rows are in the order in which candidates were
        tried.
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
        one of `objectives` (by default, of all metrics) without being worse in another,
        the best in the first first.
        See :func:`sktune.inspection.pareto_front`.
    multimetric_ : bool
    classes_ : ndarray of shape (n_classes,)
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (`n_features_in_`,)

    See Also
    --------
    RandomizedSearchCV : Draws candidates without learning from them.
    GridSearchCV : Tries every combination of lists.

    References
    ----------
    .. [1] D. R. Jones, M. Schonlau and W. J. Welch, "Efficient global optimization of
       expensive black-box functions", Journal of Global Optimization 13, 1998.
    .. [2] J. Snoek, H. Larochelle and R. P. Adams, "Practical Bayesian optimization of
       machine learning algorithms", NeurIPS 2012.
    .. [3] S. Ament, S. Daulton, D. Eriksson, M. Balandat and E. Bakshy, "Unexpected
       improvements to expected improvement for Bayesian optimization", NeurIPS 2023.
    .. [4] F. Hutter, H. H. Hoos and K. Leyton-Brown, "Sequential model-based
       optimization for general algorithm configuration", LION 2011.
    .. [5] J. Bergstra, R. Bardenet, Y. Bengio and B. Kegl, "Algorithms for
       hyper-parameter optimization", NIPS 2011.
    .. [6] K. Yang, M. Emmerich, A. Deutz and T. Baeck, "Efficient computation of
       expected hypervolume improvement using box decomposition algorithms", Journal of
       Global Optimization 75, 2019.
    .. [7] J. Knowles, "ParEGO: a hybrid algorithm with on-line landscape approximation
       for expensive multiobjective optimization problems", IEEE Transactions on
       Evolutionary Computation 10, 2006.
    .. [8] D. Huang, T. T. Allen, W. I. Notz and N. Zeng, "Global optimization of
       stochastic black-box systems via sequential kriging meta-models", Journal of
       Global Optimization 34, 2006.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from sktune import BayesSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": loguniform(1e-2, 1e2), "gamma": loguniform(1e-3, 1)}
    >>> search = BayesSearchCV(SVC(), space, n_iter=8, random_state=0).fit(X, y)
    >>> len(search.cv_results_["params"])
    8
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SequentialSearch._parameter_constraints,
        "acquisition": [_compat.StrOptions({"log_ei", "pi", "ucb"})],
        "surrogate": [_compat.StrOptions({"gp", "forest", "tpe", "pairs"})],
        "objectives": [list, tuple, None],
        "warm_start_from": "no_validation",  # where it is read, with a better message
    }

    _shared: ClassVar[tuple[str, ...]] = (*SequentialSearch._shared, "warm_start_from")

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        acquisition: str = "log_ei",
        surrogate: str = "gp",
        objectives: Sequence[str] | None = None,
        n_pending: int = 1,
        initial_points: Sequence[dict[str, Any]] | None = None,
        warm_start_from: Any = None,
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
            param_distributions,
            n_iter=n_iter,
            n_pending=n_pending,
            initial_points=initial_points,
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
        self.acquisition = acquisition
        self.surrogate = surrogate
        self.objectives = objectives
        self.warm_start_from = warm_start_from

    def _strategy(self, initial_points: tuple[Params, ...]) -> Strategy:
        return Bayes(
            acquisition=self.acquisition,
            surrogate=self.surrogate,
            initial_points=initial_points,
        )

    def _objectives(self) -> tuple[str, ...]:
        return read_objectives(
            self.objectives,
            self.scoring,
            racing=self.racing,
            early_stopping=self.early_stopping,
        )

    def _warm_start(self, space: Space) -> Sequence[WarmStartObservation]:
        return read_warm_start(
            self.warm_start_from,
            space,
            self.estimator,
            refit_metric_names(self.scoring, self.refit),
            objectives=self._objectives(),
            verbose=self.verbose,
        )
