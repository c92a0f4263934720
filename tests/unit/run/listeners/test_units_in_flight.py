"""Which units run, and how many at once."""

import numpy as np
import pytest

from sktune._types import Fit, FitOutcome
from sktune.run.listeners._units_in_flight import UnitsInFlight, seconds_until_done

ROW = np.zeros(0)


def unit(number, n_fits=1):
    return tuple(Fit(number, split, {}, 0, unit=number) for split in range(n_fits))


def outcome(seconds=1.0):
    return FitOutcome({"score": 1.0}, fit_time=seconds)


def run(units, n_workers, n, seconds, n_fits=1):
    """Units of one length on workers of which each has started already."""
    units.begin(n_workers)
    all_units = [unit(i, n_fits) for i in range(n)]
    for one in all_units:
        units.submit(one, 1.0, [ROW] * n_fits, 0.0)
    for i, one in enumerate(all_units):
        now = seconds * (1 + i // n_workers)
        yield now, [units.arrive(fit, outcome(), now) for fit in one][-1]


@pytest.mark.parametrize("n_workers", [1, 2, 3])
def test_units_begin_when_a_worker_is_free(n_workers):
    done = list(run(UnitsInFlight(), n_workers, 12, 2.0, n_fits=3))
    firsts, rest = done[:n_workers], done[n_workers:]
    # What those take that workers begin with is not known.
    assert [one.began for _, one in firsts] == [None] * n_workers
    assert [now - one.began for now, one in rest] == pytest.approx([2.0] * len(rest))
    assert all(one.fit_seconds == 3.0 for _, one in rest)


def test_how_many_are_left():
    units = UnitsInFlight()
    for i, _ in enumerate(run(units, 2, 6, 1.0, n_fits=2), 1):
        assert len(units) == 6 - i
        assert units.n_fits == units.given == 2 * (6 - i)
    assert units.fits_of_a_unit == 2
    assert units.n_of(0) == 0


def test_at_once_is_by_the_plan_at_first_and_then_by_what_was():
    units = UnitsInFlight()
    assert units.at_once(3.0, 0.0, 0.0) == 3.0
    # Two workers, of which one is idle in every second unit of time.
    units.begin(2)
    now, number = 0.0, 0
    while now < 60:
        for n in (2, 1):
            sent = [unit(number + k) for k in range(n)]
            number += n
            for one in sent:
                units.submit(one, 1.0, [ROW], now)
            now += 1.0
            for one in sent:
                units.arrive(one[0], outcome(), now)
    assert units.at_once(2.0, now, 0.0) == pytest.approx(1.5, rel=0.05)


def test_the_last_decides_when_all_is_done():
    assert seconds_until_done([], 2) == 0.0
    assert seconds_until_done([4.0, 1.0, 1.0, 1.0], 2) == 4.0
    assert seconds_until_done([1.0, 1.0, 4.0], 2) == 5.0
    assert seconds_until_done([1.0, 1.0, 4.0], 1) == 6.0


def test_of_a_long_queue_some_are_looked_at():
    units = UnitsInFlight()
    for i in range(999):
        units.submit(unit(i), 1.0, [ROW], 0.0)
    some, each = units.some()
    assert 100 < len(some) <= 200
    assert len(some) * each == pytest.approx(999)
