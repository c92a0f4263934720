"""The points of `preflight`, each looked at where it applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sktune._random import derive_seed
from sktune._types import Fit
from sktune.advice._check import Check, not_applicable
from sktune.advice._course_checks import (
    CALLBACKS,
    FITS,
    MEMORY,
    STACKS,
    check_callbacks,
    check_continuation,
    check_device,
    check_fits,
    check_memory,
    check_stacks,
)
from sktune.advice._first_batch_checks import (
    INPUT,
    TARGET,
    TRAINED,
    first_batch_checks,
)
from sktune.advice._last_net import last_net, net_of
from sktune.advice._learning_checks import (
    BY_HEART,
    EPOCH,
    RATES,
    Tried,
    check_by_heart,
    check_epoch,
)
from sktune.advice._row_checks import (
    BATCHES,
    SCALE,
    check_batches,
    check_classes,
    check_scale,
    counted_batch_sizes,
)
from sktune.advice._time_estimate import TimeEstimate, Timer
from sktune.execution.estimators._net_targets import loss_name
from sktune.execution.estimators._nets import are_of_skorch
from sktune.execution.guards._random_states import own_random_states
from sktune.execution.training._task import Task
from sktune.search._preview import Preview, preview
from sktune.search._stacking import plan_of_stacks

_NO_NET = "the estimator is no net, and does not end in one"
# Losses that compare classes; with others y is numbers.
_OF_CLASSES = {"CrossEntropyLoss", "NLLLoss", "MultiMarginLoss", "BCEWithLogitsLoss"}
_N_TRIED = 3
_MAX_SHAPES = 3
# Of nets that take longer for an epoch than these seconds, stacks are not tried.
_TOO_LONG = 5.0


# -- the data and the net ----------------------------------------------------------


def points_of_data(one: Preview) -> list[Check]:
    """Rows, the first batch, and whether something is learnt."""
    job = one.job
    fits = [unit[0] for unit in one.candidates()]
    smallest = None
    if job.subsets is not None:
        least = min(rung.n_resources for rung in one.proposal.cost.rungs)
        smallest = [subset.rows(least) for subset in job.subsets]
    splits = [(_rows(a), _rows(b)) for a, b in job.splits]
    checks = [check_classes(job.estimator, one.data.y, splits, smallest)]
    if _net_of(job.estimator) is None:
        names = (INPUT, TARGET, TRAINED, BATCHES, SCALE, BY_HEART, EPOCH, RATES)
        return checks + [not_applicable(name, _NO_NET) for name in names]
    with own_random_states(derive_seed(one.root, "preflight")):
        return checks + _points_of_net(one, fits, smallest)


def _points_of_net(one: Preview, fits: Sequence[Fit], smallest: Any) -> list[Check]:
    try:
        first = _tried(one, fits[0])
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return [
            Check(INPUT, "fail", f"what comes before the net fails: {text}"),
            *_not_come_to(TARGET, TRAINED, BATCHES, SCALE, BY_HEART, EPOCH, RATES),
        ]
    data = first.X, first.y, first.fit_params
    checks = first_batch_checks(first.net, *data, fits[0].params)
    there = {check.name for check in checks}
    checks += _not_come_to(*(n for n in (INPUT, TARGET, TRAINED) if n not in there))
    checks.sort(key=lambda check: (INPUT, TARGET, TRAINED).index(check.name))
    is_number = loss_name(first.net.criterion) not in _OF_CLASSES
    scale = check_scale(first.X, first.y, of_numbers=is_number)
    if any(check.status in ("fail", "na") for check in checks):
        return [*checks, scale, *_not_come_to(BATCHES, BY_HEART, EPOCH, RATES)]
    batches = _batches(one, first, fits, smallest)
    if batches.status == "fail":
        return [*checks, scale, batches, *_not_come_to(BY_HEART, EPOCH, RATES)]
    return [*checks, scale, batches, *_learning(one, first, fits)]


def _learning(one: Preview, first: Tried, fits: Sequence[Fit]) -> Iterator[Check]:
    steps = ("train_step", "train_step_single", "fit_loop", "run_single_epoch")
    if not are_of_skorch(type(first.net), steps):
        name = type(first.net).__name__
        yield not_applicable(BY_HEART, f"{name} has a training step of its own")
    else:
        try:
            data = first.X, first.y, first.fit_params
            yield check_by_heart(first.net, *data)
        except Exception as error:
            yield not_applicable(BY_HEART, f"it cannot be tried: {error}")
    try:
        yield from check_epoch([_tried(one, fit) for fit in _by_rate(fits)])
    except Exception as error:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        yield Check(EPOCH, "fail", f"an epoch fails: {text}")
        yield from _not_come_to(RATES)


def _tried(one: Preview, fit: Fit) -> Tried:
    """The net of a candidate with all it may get, and what reaches it."""
    task = Task(one.job, replace(fit, n_resources=None))
    task.prepare()
    data = task.data
    assert data is not None
    given = data.X, data.y, dict(data.fit_params)
    net, X, y, fit_params = last_net(task.estimator, *given)
    rates = {k: v for k, v in fit.params.items() if k.endswith("lr")}
    return Tried(rates or fit.params, net, X, y, fit_params)


def _by_rate(fits: Sequence[Fit]) -> list[Fit]:
    """Candidates of the least, the middle and the largest learning rate."""

    def rate(fit: Fit) -> float:
        rates = [v for k, v in fit.params.items() if k.endswith("lr")]
        return float(rates[0]) if rates and isinstance(rates[0], int | float) else 0.0

    found = sorted(fits, key=rate)
    places = {0, len(found) // 2, len(found) - 1}
    return [found[k] for k in sorted(places)][:_N_TRIED]


def _batches(one: Preview, first: Tried, fits: Sequence[Fit], smallest: Any) -> Check:
    numbers = {len(_rows(train)) for train, _ in one.job.splits if len(_rows(train))}
    if smallest is not None and one.job.subsets is not None:
        rungs = {rung.n_resources for rung in one.proposal.cost.rungs}
        numbers = {subset.n_rows(r) for subset in one.job.subsets for r in rungs}
    if one.search.refit and one.data.y is not None:
        numbers.add(len(one.data.y))
    sizes = [
        next((v for k, v in fit.params.items() if k.endswith("batch_size")), None)
        for fit in fits
    ]
    own = int(first.net.batch_size)
    counted = counted_batch_sizes(
        [own if size is None else int(size) for size in sizes]
    )
    data = first.X, first.y, first.fit_params
    return check_batches(first.net, *data, sorted(numbers), counted)


def _not_come_to(*names: str) -> list[Check]:
    return [not_applicable(name, "not tried: see what fails above") for name in names]


def _net_of(estimator: Any) -> Any:
    try:
        return net_of(estimator)
    except TypeError:
        return None


def _rows(rows: Any) -> Any:
    import numpy as np

    return rows if isinstance(rows, slice) else np.asarray(rows)


# -- the course of the search ------------------------------------------------------


def points_of_course(
    one: Preview, told: Sequence[str], n_candidates: int, time_limit: float
) -> tuple[list[Check], TimeEstimate | None]:
    """What continues, where it runs, and how long it takes.

    Parameters
    ----------
    one : Preview
    told : sequence of str
        What the search has warned of.
    n_candidates, time_limit : as `preflight` takes them
    """
    net = _net_of(one.job.estimator)
    checks = [
        check_continuation(one.search, told),
        check_device(one.search, net, one.n_slots),
    ]
    timer = Timer(one, n_candidates, time_limit)
    try:
        time = timer.estimate()
    except Exception as error:
        text = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        return [*checks, Check(FITS, "fail", text), *_without_time(one, net)], None
    fits = check_fits(time)
    if fits.status == "fail":
        return [*checks, fits, *_without_time(one, net)], None
    return [*checks, fits, check_memory(time)], time


def _without_time(one: Preview, net: Any) -> list[Check]:
    """The points that are left where no fit comes to its end."""
    return [*_not_come_to(MEMORY, STACKS), check_callbacks(one.search, net, None)]


def points_of_stacks(
    search: Any, X: Any, y: Any, params: Mapping[str, Any], time: TimeEstimate
) -> list[Check]:
    """What stacks, and what callbacks bar; some shapes are tried."""
    net = _net_of(search.estimator)
    if net is None:
        return [not_applicable(name, _NO_NET) for name in (STACKS, CALLBACKS)]
    if time.per_step is not None and time.per_step > _TOO_LONG:
        why = "epochs take long, so that it is not tried: see search.stacking(X, y)"
        return [not_applicable(STACKS, why), check_callbacks(search, net, None)]
    with preview(search, X, y, params, stacked=search.stacked or True) as one:
        plan = plan_of_stacks(one, _MAX_SHAPES)
        searched = one.search
        searched.stacked = search.stacked
        return [
            check_stacks(searched, net, plan),
            check_callbacks(searched, net, plan),
        ]
