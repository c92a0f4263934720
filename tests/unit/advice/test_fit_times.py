"""Times of fits that are known, told from a few of them."""

import numpy as np
import pytest

from sktune.advice._fit_times import FitTimes, RoughScores, Timed


def timed(params, steps, resumes, seconds_of, n_fits=1):
    seconds = tuple(map(seconds_of, steps, resumes))
    return Timed(params, n_fits, tuple(steps), tuple(resumes), seconds)


def test_a_line_over_epochs_is_found_exactly():
    def seconds(step, resumes):
        return (0.2 if resumes else 0.5) + 0.1 * step

    one = timed({}, (1, 2, 7), (False, True, True), seconds)
    assert one.line() == pytest.approx((0.5, 0.2, 0.1))
    times = FitTimes([one, one], of_net=True)
    assert times.seconds({}, 1, 40, False) == pytest.approx(4.5)
    assert times.seconds({}, 1, 40, True) == pytest.approx(4.2)


def test_a_power_of_rows_goes_on_beyond_what_was_measured():
    one = timed({}, (100, 400), (False, False), lambda n, _: 1e-6 * n**2)
    times = FitTimes([one, one], of_net=False, by_power=True)
    for n in (100, 200, 400, 1600):
        assert times.seconds({}, 1, n, False) == pytest.approx(1e-6 * n**2)


def test_batch_sizes_count_and_learning_rates_do_not():
    rng = np.random.default_rng(0)
    some = [
        timed({"batch_size": size, "lr": rng.random()}, (1, 5), (False, False),
              lambda step, _, size=size: 0.1 + step * 3.2 / size)
        for size in (16, 32, 64, 128, 16, 128)
    ]  # fmt: skip
    times = FitTimes(some, of_net=True)
    for size in (16, 64, 128):
        true = 0.1 + 10 * 3.2 / size
        said = {times.seconds({"batch_size": size, "lr": r}, 1, 10, False)
                for r in (0.001, 1.0)}  # fmt: skip
        assert len(said) == 1
        assert said.pop() == pytest.approx(true, rel=0.2)


def test_a_slope_is_never_below_zero():
    one = timed({}, (1, 5), (False, False), lambda step, _: 1.0 - 0.1 * step)
    assert one.line()[2] == 0.0
    assert FitTimes([one], of_net=True).seconds({}, 1, 100, False) > 0


def test_rough_scores_follow_what_was_scored():
    scores = RoughScores([({"b": b}, -b) for b in (1.0, 2.0, 4.0, 8.0)] * 2)
    many = np.linspace(1, 8, 40)
    said = [scores({"b": b}) for b in many]
    assert np.corrcoef(said, many)[0, 1] < -0.8
