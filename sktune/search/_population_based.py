"""Search that trains a population, whose params change while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from sktune import _compat
from sktune._random import derive_seed
from sktune._types import Evaluation, Params, Problem, Stage
from sktune.execution import check_inherited
from sktune.journal import stages_in_results
from sktune.run import AllFailed, Cost, Proposal
from sktune.schedule import (
    Population,
    PopulationPlan,
    Rung,
    every_interval,
    n_evaluations,
)
from sktune.search._fidelity import Fidelity, FidelitySearch
from sktune.search.inputs._data import Data
from sktune.space import Space, Values
from sktune.strategy import Explore

# Of a parameter that takes no more, all values are tried before the first fit.
_MAX_TRIED = 8


class PopulationBasedSearchCV(FidelitySearch):
    """Search that trains a population, and changes params while it is trained.

    All members are trained for an interval and compared. Then the worst are replaced by
    children of the best: a child takes over the weights of its parent on each split,
    its optimizer and its history, and is trained on with params that differ a little
    from the parent's. So what is found is not one set of params but a schedule of them,
    in the time that it takes to train `population_size` candidates to the end
    (population-based training [1]_).

    Parameters
    ----------
    estimator : estimator object
        A skorch net, a pipeline that ends in one, or any scikit-learn estimator. It
        needs a ``score`` method, or `scoring` must be given.
    param_distributions : dict or list of dict
        Names of parameters and what they may be: a distribution of ``scipy.stats``, or
        a list. Several dicts are conditional subspaces; a child stays in that of its
        parent. Where training continues, only what can be changed in the midst of it:
        of a net ``lr``, ``batch_size``, parameters of the optimizer, and those of the
        module and the criterion that leave all weights of one shape, such as a dropout.
        Others are refused before the first fit.
    population_size : int, default=12
        Members, all of which are trained at any time. The first are drawn as
        ``RandomizedSearchCV`` draws them.
    resource : str, default='auto'
        What members are given more of, as of `HyperbandSearchCV`: the epochs of a net,
        which goes on exactly where it paused, ``'partial_fit'``, or a parameter such as
        ``'max_iter'`` of an estimator with ``warm_start``. With ``'n_samples'``, or
        where nothing continues, each generation is trained from scratch, and children
        take over nothing but params. ``'auto'`` is the epochs of the net, and
        ``'n_samples'`` where there is none.
    max_resources : int or 'auto', default='auto'
        The most that a member is given, with all its ancestors. ``'auto'`` is the value
        that the parameter has in `estimator`, or the number of samples.
    interval : int or 'auto', default='auto'
        Resources between two comparisons. ``'auto'`` is a tenth of the most, a
        third where nothing continues.
    quantile : float, default=0.25
        Share of the population that is replaced after each interval, at least one
        member, and of those that may be parents; at most 0.5.
    resample : float, default=0.25
        Probability that a parameter of a child is drawn anew. Else numbers are
        multiplied by 0.8 or 1.2, within their range; of a list of numbers it is the one
        before or after; and what has no order is as of the parent.
    initial_points : list of dict, default=None
        First members of the population.
    constraint : callable, default=None
        ``constraint(params) -> bool``; candidates for which it is false are never run.
    checkpoints : str or path-like, default=None
        Folder for the states of members, which are removed when the search ends. None
        is a temporary folder. Workers that do not see the folder are sent the states.
    cv : int, cross-validation generator or iterable, default=5
        How to split. Splits are drawn once: each candidate has one net for each split,
        and no net is ever scored on rows that it was trained on.
    scoring : str, callable, list, tuple or dict, default=None
        One metric or several. None uses the estimator's ``score``.
    refit : bool, str or callable, default=True
        Whether to train the best member on all data as it came about: with the params
        of its first ancestor as far as that one went, then with those of the next, in
        the end with its own. With several metrics the name of the refit metric, which
        decides who is replaced and who is best; where none is named, that is the first.
        A callable takes `cv_results_` and returns the index.
    error_score : 'raise' or numeric, default=np.nan
        Score of a split whose fit raised or whose score is not finite. Such a candidate
        is replaced and never best. 'raise' raises what the fit raised.
    fit_timeout : float, default=None
        Seconds that the training of one candidate on one split may take, at each level
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
        splits of a member, and members that are trained at the same time. Each is the
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
        interrupted. See the guide "A search that cannot be lost".
    max_time : float, default=None
        Seconds after which no further fit is started. The best so far is the result
        then, refitted, with a warning; fits that are running are waited for. None is no
        limit.
    max_resources_total : int, default=None
        Most resources that all fits on all splits may spend together, without the
        refit; ``plan().total_resources`` is what they would. Where the next fits would
        exceed it, the search ends as with `max_time`. None is no limit.
    listeners : sequence of Listener, default=None
        What is told of every fit as its candidate is done, in this process: trackers of
        :mod:`sktune.listeners` (TensorBoard, MLflow, Weights & Biases), or objects of
        your own. One that raises is warned of and told no more; the search goes on.
        See the guide "Tracking".

    Attributes
    ----------
    cv_results_ : dict of numpy (masked) ndarrays
        As of ``RandomizedSearchCV``, with one row for each member and generation, and
        the columns ``iter`` (the generation), ``n_resources`` (those of its ancestors
        included), ``bracket`` (0), ``candidate`` and ``parent`` (the candidate whose
        weights it has begun with, -1 for those who began anew). Rows with more
        resources rank before rows with fewer.
    best_estimator_ : estimator
        The best member, trained on all data with the params of its lineage one after
        the other. Not there if ``refit=False``.
    best_score_ : float
        Mean score of the best member over the splits, in the last generation.
    best_params_ : dict
        Its params in the end, without the resource.
    best_lineage_ : list of dict
        How it came about: ``candidate``, ``params``, and ``n_resources`` up to which it
        was trained with these. The last one is the best member itself.
    best_index_ : int
        Row of the best member: among the largest resource reached, the earlier one of
        equals.
    resource_ : str
        Name of the resource.
    continuation_ : str
        How members were given more: ``'epochs'``, ``'warm_start'`` or ``'partial_fit'``
        where they went on; ``'n_samples'`` or ``'from_scratch'`` where they were
        trained anew.
    min_resources_, max_resources_ : int
    n_resources_, n_candidates_ : list of int
        Resources at the end of each generation, and its members.
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
    HyperbandSearchCV : Searches what cannot change in the midst of a training, too.
    FreezeThawSearchCV : Params that stay, and resources for whom a model favours.

    Notes
    -----
    Generations are synchronous: all are compared when all are done, so that the result
    does not depend on `n_jobs`. Who has children goes on when these are done, since
    they begin with its state; so about a fourth of the fits of a generation waits for
    others. A child has the random numbers of its parent: with the same params it would
    be the same net.

    The score of the best member is the best of many that have been compared again and
    again on the same splits. As of any search it is too good by some; nested
    cross-validation says what is to be expected.

    References
    ----------
    .. [1] M. Jaderberg, V. Dalibard, S. Osindero, W. M. Czarnecki, J. Donahue,
       A. Razavi, O. Vinyals, T. Green, I. Dunning, K. Simonyan, C. Fernando and
       K. Kavukcuoglu, "Population based training of neural networks",
       arXiv:1711.09846, 2017.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sktune import PopulationBasedSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = PopulationBasedSearchCV(
    ...     SGDClassifier(random_state=0), {"alpha": loguniform(1e-5, 1.0)},
    ...     population_size=4, resource="partial_fit", max_resources=9, interval=3,
    ...     random_state=0,
    ... )
    >>> print(search.plan())
    bracket  iter  candidates  partial_fit
          0     0           4            3
          0     1           4            6
          0     2           4            9
    4 members x 5 splits, continued, 1 replaced 2 times: 60 fits, 180 partial_fit
    >>> search = search.fit(X, y)
    >>> search.best_lineage_[-1]["params"] == search.best_params_
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{
            name: allowed
            for name, allowed in FidelitySearch._parameter_constraints.items()
            if name
            not in ("factor", "strategy", "asynchronous", "min_splits", "n_pending")
        },
        "population_size": [_compat.Interval(Integral, 1, None, closed="left")],
        "interval": [
            _compat.Interval(Integral, 1, None, closed="left"),
            _compat.StrOptions({"auto"}),
        ],
        "quantile": [_compat.Interval(Real, 0, 0.5, closed="right")],
        "resample": [_compat.Interval(Real, 0, 1, closed="both")],
        "initial_points": [list, tuple, None],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        population_size: int = 12,
        resource: str = "auto",
        max_resources: int | str = "auto",
        interval: int | str = "auto",
        quantile: float = 0.25,
        resample: float = 0.25,
        initial_points: Sequence[dict[str, Any]] | None = None,
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
            factor=3,
            resource=resource,
            max_resources=max_resources,
            min_resources="smallest",
            min_splits=None,
            strategy="random",
            asynchronous=False,
            n_pending=None,
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
        self.population_size = population_size
        self.interval = interval
        self.quantile = quantile
        self.resample = resample
        self.initial_points = initial_points

    # -- before anything is trained ------------------------------------------------

    def _fidelity(self, X: Any, y: Any, n_splits: int) -> Fidelity:
        fidelity = super()._fidelity(X, y, n_splits)
        most, interval = fidelity.max_resources, self.interval
        if not isinstance(interval, str) and interval > most:
            raise ValueError(
                f"interval={interval} is more than max_resources_={most}. Give a "
                f"smaller interval, or more {fidelity.resource.name}."
            )
        for branch in Space(self.param_distributions, self.constraint).branches:
            values = {name: _tried_values(each) for name, each in branch.items()}
            check_inherited(self.estimator, fidelity.resource, values)
        return fidelity

    def _population(self, fidelity: Fidelity, seed: int = 0) -> Population:
        most = fidelity.max_resources
        interval: Any = self.interval
        if isinstance(interval, str):
            n_intervals = 10 if fidelity.resource.continues else 3
            interval = max(1, most // n_intervals)
        return Population(
            self.population_size,
            every_interval(interval, fidelity.min_resources, most),
            self._n_replaced,
            seed,
        )

    @property
    def _n_replaced(self) -> int:
        n = self.population_size
        return min(max(1, int(self.quantile * n)), n // 2)

    def _rungs(self, fidelity: Fidelity) -> tuple[Rung, ...]:
        return self._population(fidelity).rungs

    def _set_rungs(self, rungs: tuple[Rung, ...]) -> None:
        self.n_resources_ = [rung.n_resources for rung in rungs]

    def _plan(
        self, rungs: tuple[Rung, ...], resource: Any, n_splits: int
    ) -> PopulationPlan:
        how = resource.name, resource.continues, n_splits
        return PopulationPlan(rungs, *how, n_replaced=self._n_replaced)

    # -- the search ----------------------------------------------------------------

    def _propose(self, data: Data, root: int) -> Proposal:
        fidelity = self._fidelity_of(data)
        resource = fidelity.resource
        schedule = self._population(fidelity, derive_seed(root, "parents"))
        self._set_rungs(schedule.rungs)
        space = Space(self.param_distributions, self.constraint)
        strategy = Explore(self._first_members(space, root), self.resample)
        return Proposal(
            strategy,
            schedule,
            Problem(space, None, resource.max_resources, data.n_splits),
            n_evaluations(schedule.rungs),
            None,
            Cost(schedule.rungs, resource.continues, True),
            AllFailed(schedule.rungs, resource.name),
            resource,
        )

    def _first_members(self, space: Space, root: int) -> list[Params]:
        """Those that are given, and then random ones."""
        n = self.population_size
        given = [space.canonical(point) for point in self.initial_points or ()]
        if len(given) > n:
            raise ValueError(
                f"initial_points holds {len(given)} members of a population of "
                f"population_size={n}. Give fewer of them, or a larger population."
            )
        drawn, _ = self._strategy(n, root)
        known = {space.key(point) for point in given}
        others = [one for one in drawn.candidates if space.key(one) not in known]
        return [*given, *others][:n]

    def _announcement(self, proposal: Proposal) -> str:
        schedule: Any = proposal.schedule
        assert proposal.resource is not None
        plan = self._plan(schedule.rungs, proposal.resource, self.n_splits_)
        return f"{plan.summary}. `print(search.plan(X, y))` shows the generations"

    def _count(self, rows: list[Evaluation]) -> None:
        members = [one.iter for one in rows]
        self.n_candidates_ = [members.count(i) for i in range(len(self.n_resources_))]

    @property
    def best_lineage_(self) -> list[dict[str, Any]]:
        """The best member and its ancestors, the first of them first."""
        if not hasattr(self, "best_index_"):
            raise AttributeError(
                f"{type(self).__name__} has no best_lineage_ before it is fitted."
            )
        results, row = self.cv_results_, int(self.best_index_)
        number = int(results["candidate"][row])
        n_resources, params = int(results["n_resources"][row]), results["params"][row]
        own = Stage(number, n_resources, params)
        return [stage._asdict() for stage in (*stages_in_results(results, number), own)]


def _tried_values(dimension: Values) -> list[Any]:
    """Values of a parameter by which one may see whether it can change."""
    if not dimension.is_continuous and dimension.size <= _MAX_TRIED:
        return list(dimension.values())
    return [dimension.value(u) for u in (0.0, 0.5, 1.0)]
