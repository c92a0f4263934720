"""Search by successive halving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from numbers import Integral
from typing import Any, ClassVar

import numpy as np

from sktune import _compat
from sktune._types import Evaluation
from sktune._warnings import warn
from sktune.schedule import Rung, exhausting_minimum, halving, iterations, n_survivors
from sktune.search._fidelity import Fidelity, FidelitySearch
from sktune.search.inputs._random_draws import n_different


class SuccessiveHalvingSearchCV(FidelitySearch):
    """Search that gives the better part of the candidates more, again and again.

    Many candidates are trained a little, the best 1/`factor` of them `factor` times as
    much, and so on (successive halving [1]_). Candidates go on where they paused,
    inside cross-validation and pipelines: of 27 candidates with 1 to 27 epochs, 81
    epochs are trained in each split instead of 729.

    Parameters
    ----------
    estimator : estimator object
        A skorch net, a pipeline that ends in one, or any scikit-learn estimator. It
        needs a ``score`` method, or `scoring` must be given.
    param_distributions : dict or list of dict
        Names of parameters and what they may be: a distribution of ``scipy.stats``, or
        a list. Several dicts are conditional subspaces. No candidate is tried twice.
    n_candidates : int or 'exhaust', default='exhaust'
        Candidates of the first rung. ``'exhaust'`` is as many as make the last rung
        reach `max_resources`.
    factor : int or float, default=3
        Of n candidates ``ceil(n / factor)`` go on, with `factor` times the resource.
    resource : str, default='auto'
        What candidates are given more of:

        - ``'max_epochs'`` or ``'net__max_epochs'``: epochs of a skorch net, which goes
          on exactly where it paused;
        - ``'n_samples'``: rows of the training part, in nested subsets that keep the
          shares of the classes, and whole groups where there are `groups`; the test
          part is always whole;
        - ``'n_estimators'``, ``'max_iter'``: of an estimator that continues by
          ``warm_start``;
        - ``'partial_fit'``, ``'clf__partial_fit'``: passes over the training part;
        - any other integer parameter; each rung then trains from scratch.

        ``'auto'`` is the epochs of the net, and ``'n_samples'`` where there is none.
    max_resources : int or 'auto', default='auto'
        The most that a candidate is given. ``'auto'`` is the value that the parameter
        has in `estimator`, or the number of samples.
    min_resources : {'exhaust', 'smallest'} or int, default='smallest'
        What candidates of the first rung are given. ``'smallest'`` is 1, and for
        ``'n_samples'`` 2 rows for each split and class. It is more where samplers
        of imbalanced-learn, or a net's inner split, need more rows. ``'exhaust'`` makes
        the last rung come as near to `max_resources` as it can.
    min_splits : int, default=None
        Splits that candidates of the lowest rung are run on. On how many grows with the
        resource, and in the last rung it is all: with 1 of 5 splits and 1 to 27 epochs
        1, 3, 5 and 5. A candidate goes on where it paused on those that it was run on,
        and begins on the others. All candidates come to the splits in the same random
        order. None runs every rung on all. See the guide "What need not be trained".
    aggressive_elimination : bool, default=False
        Whether to repeat the first rung until there are so few candidates that the last
        rung has fewer than `factor`.
    strategy : str or object, default='random'
        How candidates are proposed: 'random' draws them; 'bayes' asks a surrogate that
        learns from the scores of all rungs; 'annealing' looks near the best of one
        rung, 'local' at their neighbours, and 'evolution' at their children;
        'reinforce' asks a controller that is trained on the scores; or an object with
        ``init``, ``ask`` and ``tell``, such as those of `sktune.strategy`.
    asynchronous : bool, default=False
        Whether a candidate is resumed as soon as it is among the best of those seen so
        far (ASHA [2]_). No worker waits for a straggler then; but with more than
        one worker the result depends on which is fast.
    n_pending : int, default=None
        Candidates that may be in flight when the strategy is asked for another. None
        is 1 where it learns from scores, and no limit where not.
    constraint : callable, default=None
        ``constraint(params) -> bool``; candidates for which it is false are never run.
    checkpoints : str or path-like, default=None
        Folder for the states of paused candidates, of which no more are kept than may
        be resumed. They are removed when the search ends. None is a temporary folder.
        Where a searched parameter reaches the transformers of a pipeline, a state holds
        the transformed training data too.
        Workers that do not see the folder are sent the states.
    cv : int, cross-validation generator or iterable, default=5
        How to split. Splits are drawn once: each candidate has one net for each split,
        and no net is ever scored on rows that it was trained on.
    scoring : str, callable, list, tuple or dict, default=None
        One metric or several. None uses the estimator's ``score``.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate on all data, with the largest resource. With
        several metrics the name of the refit metric, which decides who goes on and who
        is best; where none is named, that is the first. A callable takes `cv_results_`
        and returns the index.
    error_score : 'raise' or numeric, default=np.nan
        Score of a split whose fit raised or whose score is not finite. Such a candidate
        is never resumed and never best. 'raise' raises what the fit raised.
    fit_timeout : float, default=None
        Seconds that the training of one candidate on one split may take, in each rung
        anew; None is no limit. A fit that takes longer has failed. A net, and whatever
        else calls modules of torch, is ended at its next batch; other estimators cannot
        be ended and run to their own end first. `refit` has no limit.
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
    return_train_score : bool, default=True
        Whether to score on the training part as well.
    keep : "best" or int, default=None
        Whether to keep the estimators that the best candidate, or so many of the best,
        had for each split; they are in `kept_`. None keeps none.
    random_state : int, RandomState instance or None, default=None
        Seeds the choice of candidates, and every fit by candidate and split. None does
        both differently at each call.
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
    verbose : int, default=0
        1 shows a bar with the best so far and the time left, or prints lines where
        nobody looks on; 2 and above print what scikit-learn prints of each fit. What
        nets print of their training is printed in the refit only.
    journal : str or path-like, default=None
        File that gets a line for every fit as it ends. If it is there already, the
        search continues where it was ended, by whatever: no fit in it is run again,
        nets go on where they paused, and the result is that of a search that was never
        interrupted. A greater `n_candidates` goes on from there, where the search
        begins alike. See the guide "A search that cannot be lost".
    max_time : float, default=None
        Seconds after which no further fit is started. The best so far is the result
        then, refitted, with a warning; fits that are running are waited for. None is no
        limit.
    max_resources_total : int, default=None
        Most resources that all fits on all splits may spend together, without the
        refit; ``plan().total_resources`` is what they would. Where the next candidate
        would exceed it, the search ends as with `max_time`. None is no limit.
    listeners : sequence of Listener, default=None
        What is told of every fit as its candidate is done, in this process: trackers of
        :mod:`sktune.listeners` (TensorBoard, MLflow, Weights & Biases), or objects of
        your own. One that raises is warned of and told no more; the search goes on.
        See the guide "Tracking".

    Attributes
    ----------
    cv_results_ : dict of numpy (masked) ndarrays
        As of ``RandomizedSearchCV``, with one row for each candidate and rung, and the
        columns ``iter`` (the rung), ``n_resources``, ``bracket`` and ``candidate``.
        Rows with more resources rank before rows with fewer.
    best_estimator_ : estimator
        The best candidate, fitted on all data with the largest resource. Not there if
        ``refit=False``.
    best_score_ : float
        Mean score of the best candidate over the splits, at the most that any got.
    best_params_ : dict
        Without the resource.
    best_index_ : int
        Row of the best candidate: among the largest resource reached, the earlier one
        of equals.
    resource_ : str
        Name of the resource.
    continuation_ : str
        How candidates were given more: ``'epochs'``, ``'warm_start'`` or
        ``'partial_fit'`` where they went on; ``'n_samples'`` or ``'from_scratch'``
        where they were trained anew in each rung.
    min_resources_, max_resources_ : int
    n_resources_, n_candidates_ : list of int
        Of each rung.
    n_iterations_ : int
        Number of rungs.
    n_required_iterations_ : int
        Rungs until fewer than `factor` candidates are left.
    n_possible_iterations_ : int
        Rungs that `max_resources` allows.
    n_remaining_candidates_ : int
        Candidates that would go on from the last rung.
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
        (whether a rule has ended the training). See
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
    HyperbandSearchCV : Several such searches, from bold to careful.

    Notes
    -----
    With ``strategy='random'`` and a resource that is trained from scratch this is
    scikit-learn's ``HalvingRandomSearchCV``, with three differences: `cv_results_`
    holds the resource in ``n_resources`` only and not in the params, the number
    of rungs is counted without rounding errors, and subsets of samples are nested and
    stratified.

    References
    ----------
    .. [1] K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and
       hyperparameter optimization", AISTATS 2016.
    .. [2] L. Li, K. Jamieson, A. Rostamizadeh, E. Gonina, J. Ben-tzur, M. Hardt,
       B. Recht and A. Talwalkar, "A system for massively parallel hyperparameter
       tuning", MLSys 2020.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sktune import SuccessiveHalvingSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = SuccessiveHalvingSearchCV(
    ...     RandomForestClassifier(random_state=0),
    ...     {"max_depth": [1, 2, 3, 5, None], "max_features": [1, 2, 3, 4]},
    ...     n_candidates=9, resource="n_estimators", max_resources=27,
    ...     min_resources="exhaust", random_state=0,
    ... )
    >>> print(search.plan())
    bracket  iter  candidates  n_estimators
          0     0           9             3
          0     1           3             9
          0     2           1            27
    9 candidates x 5 splits, continued from rung to rung: 65 fits, 315 n_estimators
    >>> search.fit(X, y).n_candidates_
    [9, 3, 1]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **FidelitySearch._parameter_constraints,
        "n_candidates": [
            _compat.Interval(Integral, 1, None, closed="left"),
            _compat.StrOptions({"exhaust"}),
        ],
        "min_resources": [
            _compat.Interval(Integral, 1, None, closed="left"),
            _compat.StrOptions({"exhaust", "smallest"}),
        ],
        "aggressive_elimination": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_candidates: int | str = "exhaust",
        factor: float = 3,
        resource: str = "auto",
        max_resources: int | str = "auto",
        min_resources: int | str = "smallest",
        min_splits: int | None = None,
        aggressive_elimination: bool = False,
        strategy: Any = "random",
        asynchronous: bool = False,
        n_pending: int | None = None,
        constraint: Callable[[dict[str, Any]], bool] | None = None,
        checkpoints: Any = None,
        cv: Any = 5,
        scoring: Any = None,
        refit: Any = True,
        error_score: float | str = np.nan,
        fit_timeout: float | None = None,
        fit_memory: float | str | None = None,
        stacked: bool | str = False,
        max_stack: int | None = None,
        return_train_score: bool = True,
        keep: str | int | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        devices: Any = None,
        fits_per_device: int | str = 1,
        verbose: int = 0,
        journal: Any = None,
        max_time: float | None = None,
        max_resources_total: int | None = None,
        listeners: Any = None,
    ) -> None:
        super().__init__(
            estimator,
            param_distributions,
            factor=factor,
            resource=resource,
            max_resources=max_resources,
            min_resources=min_resources,
            min_splits=min_splits,
            strategy=strategy,
            asynchronous=asynchronous,
            n_pending=n_pending,
            constraint=constraint,
            checkpoints=checkpoints,
            cv=cv,
            scoring=scoring,
            refit=refit,
            error_score=error_score,
            fit_timeout=fit_timeout,
            fit_memory=fit_memory,
            stacked=stacked,
            max_stack=max_stack,
            return_train_score=return_train_score,
            keep=keep,
            random_state=random_state,
            n_jobs=n_jobs,
            devices=devices,
            fits_per_device=fits_per_device,
            verbose=verbose,
            journal=journal,
            max_time=max_time,
            max_resources_total=max_resources_total,
            listeners=listeners,
        )
        self.n_candidates = n_candidates
        self.aggressive_elimination = aggressive_elimination

    def _rungs(self, fidelity: Fidelity) -> tuple[Rung, ...]:
        n, least = self._n_candidates(fidelity), fidelity.min_resources
        if "exhaust" in (self.min_resources, self.n_candidates):
            # Where the space has fewer candidates than would make the last rung reach
            # the largest resource, they can begin with more.
            least = exhausting_minimum(n, self.factor, least, fidelity.max_resources)
        rungs = halving(
            n,
            self.factor,
            least,
            fidelity.max_resources,
            aggressive_elimination=self.aggressive_elimination,
        )
        self._check_last(rungs[-1], fidelity)
        return rungs

    def _set_rungs(self, rungs: tuple[Rung, ...]) -> None:
        self.min_resources_ = rungs[0].n_resources
        self.n_required_iterations_, self.n_possible_iterations_ = iterations(
            rungs[0].n_candidates, self.factor, self.min_resources_, self.max_resources_
        )
        self.n_iterations_ = len(rungs)
        self.n_resources_ = [rung.n_resources for rung in rungs]
        self.n_candidates_ = [rung.n_candidates for rung in rungs]
        self.n_remaining_candidates_ = n_survivors(self.n_candidates_[-1], self.factor)

    def _check_last(self, last: Rung, fidelity: Fidelity) -> None:
        if last.n_resources * self.factor <= fidelity.max_resources:
            name = fidelity.resource.name
            warn(
                f"The last rung trains to {name}={last.n_resources}, "
                f"far from max_resources_={fidelity.max_resources}. Use more "
                "candidates, or "
                "min_resources='exhaust' to give them more from the beginning."
            )

    def _n_candidates(self, fidelity: Fidelity) -> int:
        """Candidates of the first rung, no more than the space has."""
        n: Any = self.n_candidates
        if n == "exhaust":
            if self.min_resources == "exhaust":
                raise ValueError(
                    "n_candidates and min_resources cannot be both set to 'exhaust'. "
                    "Give one of them a number."
                )
            n = fidelity.max_resources // fidelity.min_resources
        size = n_different(self.param_distributions, self.constraint)
        if n > size:
            warn(
                f"The space has only {int(size)} candidates, and n_candidates="
                f"{self.n_candidates!r} asks for {n}. It is searched whole."
            )
        return int(min(n, size))

    def _check_n_candidates(self, n_candidates: int) -> None:
        planned = self.n_candidates_[0]
        if n_candidates < planned:
            warn(
                f"Only {n_candidates} candidates were found that constraint allows, "
                f"fewer than the {planned} of the first rung."
            )

    def _count(self, rows: list[Evaluation]) -> None:
        reached = Counter(one.iter for one in rows)
        self.n_iterations_ = len(reached)
        self.n_resources_ = self.n_resources_[: self.n_iterations_]
        self.n_candidates_ = [reached[i] for i in range(self.n_iterations_)]
        self.n_remaining_candidates_ = n_survivors(self.n_candidates_[-1], self.factor)
