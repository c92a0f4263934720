"""How many splits candidates are run on, where some are spared the rest."""

import pytest

from sktune.run.listeners._spared_splits import SparedSplits


def complete(spared, candidate, first=2):
    spared.on_told(candidate, first)
    spared.on_submit(candidate, spared.n_splits - first)
    spared.on_complete(candidate)


def test_nothing_is_spared_before_it_was_seen():
    assert SparedSplits(5).begins_with is None
    assert not SparedSplits(5).on_stop(3)


def test_all_who_go_on_and_none():
    for goes_on, low, high in [(True, 2.7, 3.0), (False, 0.0, 0.1)]:
        spared = SparedSplits(5)
        complete(spared, 0)
        for candidate in range(1, 60):
            spared.on_told(candidate, 2)
            if not goes_on:
                assert spared.on_stop(candidate)
                continue
            for n_run in (3, 4, 5):
                spared.on_submit(candidate, 1)
                if n_run < 5:
                    spared.on_told(candidate, n_run)
            spared.on_complete(candidate)
        assert low < spared.n_new(1) < high


def test_half_of_them():
    spared = SparedSplits(5)
    complete(spared, 0, first=1)
    for candidate in range(1, 101):
        spared.on_told(candidate, 1)
        if candidate % 2:
            spared.on_stop(candidate)
        else:
            spared.on_submit(candidate, 4)
            spared.on_complete(candidate)
    assert spared.n_new(1) == pytest.approx(0.5 * 4, rel=0.05)
    # Of many, later ones are spared more.
    assert spared.n_new(200) < spared.n_new(1)


def test_who_has_been_compared_goes_on():
    spared = SparedSplits(5)
    complete(spared, 0)
    for candidate in range(1, 20):
        spared.on_told(candidate, 2)
        spared.on_stop(candidate)
    spared.on_told(20, 2)
    assert spared.n_more(20, 2) < 0.5
    spared.settle()
    assert 1.0 <= spared.n_more(20, 2) < 1.5
    # What it is sent is no more to come.
    spared.on_submit(20, 1)
    assert spared.n_more(20, 3) < 0.5


def test_before_one_is_complete_nobody_can_be_spared():
    spared = SparedSplits(5)
    for candidate in range(4):
        spared.on_told(candidate, 1)
        spared.on_submit(candidate, 4)
    before = spared.n_new(10)
    for candidate in range(4):
        spared.on_complete(candidate)
    assert spared.n_new(10) == before
