"""How many fits a device has memory for."""

from __future__ import annotations

from sktune.placement._memory import (
    Measured,
    Reading,
    TorchMemory,
    read_measured,
    write_measured,
)

GB = 10**9


def reading(peak: int, total: int = 80 * GB, beside: int = GB // 2) -> Reading:
    return Reading(total, peak, beside)


def test_one_until_one_was_measured():
    assert Measured().n_fits == 1
    assert Measured().with_too_many(1).n_fits == 1


def test_as_many_as_there_is_memory_for():
    # 76 GB of 80 may be used, and each process needs half a GB beside its tensors.
    assert Measured().with_reading(reading(2 * GB)).n_fits == 30
    assert Measured().with_reading(reading(7 * GB)).n_fits == 10
    assert Measured().with_reading(reading(60 * GB)).n_fits == 1
    assert Measured().with_reading(reading(90 * GB)).n_fits == 1


def test_what_others_use_is_not_there():
    taken = Measured().with_reading(reading(2 * GB, beside=40 * GB))
    assert taken.n_fits == 12  # 76 - 40 + 1 GB, and each needs 2 and at most about 1


def test_the_largest_fit_counts():
    measured = Measured().with_reading(reading(2 * GB))
    assert measured.with_reading(reading(GB)) == measured
    assert measured.with_reading(reading(7 * GB)).n_fits == 10
    # Later, what is in use is in use for fits of this search.
    assert measured.with_reading(reading(GB, beside=70 * GB)) == measured


def test_fewer_after_one_ran_out():
    measured = Measured().with_reading(reading(7 * GB))
    fewer = measured.with_too_many(10)
    assert fewer.n_fits == 9
    # Three that ran out at the same time are one reason, not three.
    assert fewer.with_too_many(10).with_too_many(10).n_fits == 9
    assert fewer.with_too_many(9).n_fits == 8
    assert fewer.with_reading(reading(GB)).n_fits == 9
    assert measured.with_too_many(1).n_fits == 1


def test_what_was_cut_short_was_not_measured(tmp_path):
    path, measured = tmp_path / "file", Measured(1, 2, 3, 4)
    assert read_measured(path) == Measured()
    write_measured(path, measured)
    assert read_measured(path) == measured
    whole = path.read_text()
    for end in range(len(whole)):
        path.write_text(whole[:end])
        assert read_measured(path) == Measured()


def test_a_device_that_was_not_used_tells_nothing():
    memory = TorchMemory("cuda:0")
    memory.begin()
    assert memory.read() is None
