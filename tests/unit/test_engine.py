"""The loop, driven without training anything."""

import pytest

from sktune._protocols import Listener
from sktune._random import derive_seed
from sktune._types import FitOutcome, Problem, Resume, Start
from sktune.engine import Engine
from sktune.schedule import Asynchronous, Brackets, Flat, halving


class Counting:
    """Names the number of what it has been told, and of what is pending."""

    def __init__(self, limit=None):
        self.limit = limit

    def init(self, problem):
        return ()

    def tell(self, state, observation):
        return (*state, observation.candidate)

    def ask(self, state, candidate, pending, seed):
        if candidate == self.limit:
            return None
        return {"told": state, "pending": len(pending), "seed": seed}


class Reordered:
    """Workers that finish fits in an order of their own."""

    def __init__(self, order):
        self.queue, self.order, self.fits = [], order, []

    n_workers = 1

    def submit(self, unit):
        self.queue += unit
        self.fits += unit

    def next_done(self):
        if not self.queue:
            return []
        fit = self.queue.pop(self.order(len(self.queue)))
        return [(fit, FitOutcome({"score": 1.0}))]


def score(outcome):
    return outcome.score("score")


class Told(Listener):
    """Calls a function for what it is told of."""

    def __init__(self, on_evaluation=None, on_stop=None):
        if on_evaluation is not None:
            self.on_evaluation = on_evaluation
        if on_stop is not None:
            self.on_stop = on_stop


ORDERS = {
    "first": lambda n: 0,
    "last": lambda n: n - 1,
    "middle": lambda n: n // 2,
}


def run(order, n=6, n_pending=2, n_splits=3, limit=None, seen=None):
    workers = Reordered(order)
    engine = Engine(
        Counting(limit),
        Flat(n),
        Problem(None, n_splits=n_splits),
        workers,
        n_pending=n_pending,
        root=7,
        score=score,
        listeners=[Told(lambda c, o: None if seen is None else seen.append(o))],
    )
    return engine, engine.run(), workers


@pytest.mark.parametrize("n_pending", [1, 2, 6, 100])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_what_is_known_does_not_depend_on_who_is_fast(order, n_pending):
    _, evaluations, _ = run(order, n_pending=n_pending)
    for c in (one.candidate for one in evaluations):
        n_told = max(0, c.id - n_pending + 1)
        assert c.params["told"] == tuple(range(n_told))
        assert c.params["pending"] == c.id - n_told


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_observations_come_in_the_order_of_starting(order):
    seen = []
    run(order, seen=seen)
    assert [o.candidate for o in seen] == list(range(6))
    assert all(o.scores == {0: 1.0, 1: 1.0, 2: 1.0} and not o.failed for o in seen)


def test_every_candidate_runs_on_every_split_with_its_own_seed():
    _, _, workers = run(ORDERS["first"])
    places = [(f.candidate, f.split) for f in workers.fits]
    assert sorted(places) == [(c, s) for c in range(6) for s in range(3)]
    seeds = {place: f.seed for place, f in zip(places, workers.fits, strict=True)}
    assert len(set(seeds.values())) == 18
    assert seeds[4, 1] == derive_seed(7, "fit", 4, 1)


def test_a_strategy_that_runs_out():
    engine, evaluations, workers = run(ORDERS["middle"], limit=4)
    assert engine.exhausted
    assert len(evaluations) == 4
    assert len(workers.fits) == 12


def test_digits_that_depend_on_threads_are_not_told():
    seen = []
    for noise in (0.0, 1e-14):
        workers = Reordered(ORDERS["first"])
        Engine(
            Counting(),
            Flat(1),
            Problem(None),
            workers,
            root=0,
            score=lambda outcome, noise=noise: 0.123456789123456 + noise,
            listeners=[Told(lambda c, o: seen.append(o.scores))],
        ).run()
    assert seen[0] == seen[1] == {0: 0.1234567891}


# -- schedules that pause ------------------------------------------------------------


class Straggling:
    """Workers of which one is with candidate 0 until nothing else is left to do."""

    def __init__(self, n_workers, schedule=None):
        self.n_workers, self.schedule = n_workers, schedule
        self.queue, self.done = [], []

    def submit(self, unit):
        self.queue += unit

    def next_done(self):
        if not self.queue:
            return []
        if self.schedule is not None:
            # Nobody is idle while there is a decision, and none is made too early.
            assert len(self.queue) >= self.n_workers or self.schedule.has_none
            assert len(self.queue) < self.n_workers + N_SPLITS
        others = [fit for fit in self.queue if fit.candidate != 0]
        fit = (others or self.queue)[0]
        self.queue.remove(fit)
        self.done.append(fit)
        return [(fit, FitOutcome({"score": float(fit.candidate)}))]


N_SPLITS = 2


class Asked:
    """A schedule that notes whether its last answer was that there is no decision."""

    def __init__(self, schedule):
        self.schedule, self.in_order, self.has_none = schedule, schedule.in_order, False
        self.init, self.close = schedule.init, schedule.close

    def next(self, state):
        decision, state = self.schedule.next(state)
        self.has_none = decision is None
        return decision, state

    def tell(self, *args):
        self.has_none = False
        return self.schedule.tell(*args)


def search(schedule, workers, **options):
    return Engine(
        Counting(),
        schedule,
        Problem(None, n_splits=N_SPLITS),
        workers,
        root=7,
        score=score,
        **options,
    ).run()


@pytest.mark.parametrize("n_workers", [3, 4, 8])
def test_asynchronous_candidates_pass_a_straggler(n_workers):
    asked = Asked(Asynchronous(halving(27, 3, 1, 27), 3))
    workers = Straggling(n_workers, asked)
    search(asked, workers)
    late = [k for k, fit in enumerate(workers.done) if fit.candidate == 0]
    before = workers.done[: late[0]]
    assert {fit.candidate for fit in before} == set(range(1, 27))
    assert max(fit.n_resources for fit in before) == 27


def test_where_the_order_counts_nobody_passes():
    workers = Straggling(4)
    search(Brackets(halving(9, 3, 1, 9)), workers)
    late = [k for k, fit in enumerate(workers.done) if fit.candidate == 0]
    assert {fit.n_resources for fit in workers.done[: late[0]]} == {1}


@pytest.mark.parametrize(
    "schedule",
    [Brackets(halving(9, 3, 1, 9)), Asynchronous(halving(9, 3, 1, 9), 3)],
    ids=["synchronous", "asynchronous"],
)
@pytest.mark.parametrize("n_workers", [1, 4])
def test_who_will_not_be_resumed_is_stopped_once(schedule, n_workers):
    """Stopped while paused: after its last score, and not while it is on its way."""
    stopped, told = [], []
    evaluations = search(
        schedule,
        Straggling(n_workers),
        listeners=[
            Told(
                on_stop=lambda c: stopped.append((c, told.count(c))),
                on_evaluation=lambda one, _: told.append(one.candidate.id),
            )
        ],
    )
    rows = [one.candidate.id for one in evaluations]
    best = [one.candidate.id for one in evaluations if one.n_resources == 9]
    assert len(best) == 1
    paused = sorted(set(range(9)) - set(best))
    assert sorted(stopped) == [(c, rows.count(c)) for c in paused]


# -- several at once, and an end before the end ----------------------------------------


class AtOnce(Straggling):
    """Workers whose fits all end at the same time, or one by one."""

    def __init__(self, at_once):
        super().__init__(4)
        self.at_once, self.arrived = at_once, []

    def next_done(self):
        if not self.arrived:
            while self.queue:
                self.arrived += super().next_done()
        n = len(self.arrived) if self.at_once else 1
        done, self.arrived = self.arrived[:n], self.arrived[n:]
        return done


def test_of_fits_that_end_at_once_each_is_dealt_with_to_its_end():
    """Before the next: what is decided depends on their order alone."""
    seen = []
    for at_once in (True, False):
        evaluations = search(
            Asynchronous(halving(9, 3, 1, 9), 3), AtOnce(at_once), n_pending=4
        )
        seen.append([(e.candidate.id, e.candidate.params) for e in evaluations])
    assert seen[0] == seen[1]


@pytest.mark.parametrize("limit", [0, 1, 4, 10])
def test_nothing_is_decided_on_when_the_search_may_not_go_on(limit):
    asked = []

    def may_go_on(decision, evaluations):
        asked.append(decision)
        return len(asked) <= limit

    evaluations = search(
        Brackets(halving(9, 3, 1, 9)), Straggling(2), may_go_on=may_go_on
    )
    assert len(evaluations) == limit
    assert len(asked) == limit + 1, "once it may not, it is not asked again"
    assert all(len(one.outcomes) == N_SPLITS for one in evaluations)


# -- splits, curves, units -------------------------------------------------------------


class OneDecisionAtATime:
    """A schedule that makes the given decisions, each when all before it are told."""

    in_order = True

    def __init__(self, *decisions):
        self.decisions, self.reports = decisions, []

    def init(self, n_splits):
        assert n_splits == N_SPLITS
        return 0, 0

    def next(self, state):
        n_decided, n_told = state
        if n_decided == len(self.decisions) or n_decided > n_told:
            return None, state
        return self.decisions[n_decided], (n_decided + 1, n_told)

    def tell(self, state, report):
        self.reports.append(report)
        return state[0], state[1] + 1

    def close(self, state):
        return state


class Recording:
    """Workers that return outcomes with a curve, and keep the units."""

    n_workers = 1

    def __init__(self):
        self.units, self.queue = [], []

    def submit(self, unit):
        self.units.append(unit)
        self.queue.append(unit)

    def next_done(self):
        if not self.queue:
            return []
        return [(fit, self.outcome(fit)) for fit in self.queue.pop(0)]

    def outcome(self, fit):
        curve = (0.5, 0.75) if fit.split else None
        return FitOutcome({"score": 1.0 + fit.split}, reached=2, curve=curve)


def test_a_decision_may_name_splits_and_an_observation_lack_some():
    schedule = OneDecisionAtATime(Start(splits=(1,)), Resume(0, None, 1, splits=(0,)))
    workers, seen = Recording(), []
    told = Told(lambda one, observation: seen.append(observation))
    evaluations = search(schedule, workers, listeners=[told])
    assert [[fit.split for fit in unit] for unit in workers.units] == [[1], [0]]
    # All that there are at that resource.
    assert [o.scores for o in seen] == [{1: 2.0}, {0: 1.0, 1: 2.0}]
    assert not any(o.failed for o in seen) and seen[0].score == 2.0
    assert all(one.is_complete for one in evaluations)
    first, second = schedule.reports
    assert first.curves == second.curves == {1: (0.5, 0.75)}
    assert first.reached == {1: 2} and second.reached == {0: 2, 1: 2}


def test_a_rule_and_a_parent_travel_with_every_fit():
    def rule(curve):
        return False

    decisions = Start(pause=True), Start(stop_rule=rule, parent=0), Resume(1, None, 1)
    workers = Recording()
    search(OneDecisionAtATime(*decisions), workers)
    fits = [fit for unit in workers.units for fit in unit]
    assert [fit.parent for fit in fits] == [None] * 2 + [0] * 4
    assert [fit.stop_rule for fit in fits] == [None] * 2 + [rule] * 2 + [None] * 2


@pytest.mark.parametrize("n_pending", [1, 3])
def test_units_follow_from_decisions_and_keys(n_pending):
    """Only what is decided on together, and of one key, is trained together."""
    workers = Recording()
    search(
        Flat(3), workers, n_pending=n_pending, stack_key=lambda fit: fit.split or None
    )
    together = [[(f.candidate, f.split) for f in unit] for unit in workers.units]
    if n_pending == 1:
        assert together == [[(c, s)] for c in range(3) for s in range(2)]
    else:
        seconds = [(c, 1) for c in range(3)]
        assert together == [[(0, 0)], seconds, [(1, 0)], [(2, 0)]]
    numbers = [{fit.unit for fit in unit} for unit in workers.units]
    assert numbers == [{k} for k in range(len(workers.units))]


def test_listeners_are_told_of_fits_in_the_order_of_decisions():
    orders = []
    for order in ORDERS.values():
        fits = []

        class Notes(Listener):
            def on_fit(self, fit, outcome, fits=fits):
                fits.append((fit.candidate, fit.split))

        Engine(
            Counting(),
            Flat(4),
            Problem(None, n_splits=3),
            Reordered(order),
            root=7,
            score=score,
            listeners=[Notes()],
        ).run()
        orders.append(fits)
    assert orders[0] == orders[1] == orders[2] == sorted(orders[0])


class Guided:
    """Starts as long as more is expected of a new candidate than of any other."""

    in_order, is_guided = True, True

    def init(self, n_splits):
        return 0

    def next(self, state, expect=None):
        values = expect([0, state])
        if state < 5 and values[1] > values[0]:
            return Start(), state + 1
        return None, state

    def tell(self, state, report):
        return state

    def close(self, state):
        return state


class Expecting(Counting):
    """Expects less and less of new ones, and notes what it was told."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def expect(self, state, candidates, number, pending, seed):
        self.calls.append((state, tuple(candidates), number, len(pending), seed))
        return [0.0, 3.0 - number]


def test_a_guided_schedule_knows_what_the_strategy_expects():
    strategy = Expecting()
    workers = Reordered(lambda n: 0)
    engine = Engine(strategy, Guided(), Problem(None), workers, root=5, score=score)
    assert len(engine.run()) == 3
    states, candidates, numbers, pending, seeds = zip(*strategy.calls, strict=True)
    assert states[0] == () and states[-1] == (0, 1, 2)
    assert candidates == tuple((0, number) for number in numbers)
    assert numbers[:4] == (0, 1, 2, 3) and pending[:4] == (0, 1, 2, 3)
    # As `ask` would be: by the number of the candidate.
    assert seeds == tuple(derive_seed(5, "ask", number) for number in numbers)
