"""Intervals and probabilities of candidates that were scored on the same splits."""

import numpy as np
import pytest
from scipy import stats

from sktune.inspection._paired_scores import PairedScores, likely_best


@pytest.fixture
def draws():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=12)
    return 0.8 + 0.02 * shared + 0.01 * rng.normal(size=(3, 12))


def test_without_a_correction_intervals_are_those_of_a_t_test(draws):
    found = PairedScores(draws, 0.0)
    low, high = found.interval(0.9)
    behind, behind_low, behind_high = found.behind(0.9)
    best = draws.mean(axis=1).argmax()
    for k, one in enumerate(draws):
        expected = stats.ttest_1samp(one, 0.0).confidence_interval(0.9)
        assert (low[k], high[k]) == pytest.approx(tuple(expected))
        if k != best:
            paired = stats.ttest_rel(draws[best], one).confidence_interval(0.9)
            assert (behind_low[k], behind_high[k]) == pytest.approx(tuple(paired))
    assert behind[best] == behind_low[best] == behind_high[best] == 0.0


def test_the_correction_adds_the_share_of_rows_to_test_on(draws):
    plain, corrected = PairedScores(draws, 0.0), PairedScores(draws, 0.25)
    widths = [np.diff(one.interval(0.95), axis=0) for one in (plain, corrected)]
    np.testing.assert_allclose(widths[1] / widths[0], np.sqrt((1 / 12 + 0.25) * 12))


def test_of_two_candidates_the_probability_is_that_of_the_correlated_t_test(draws):
    a, b = draws[:2]
    error = (a - b).std(ddof=1) * np.sqrt(1 / 12 + 0.25)
    expected = stats.t.cdf((a - b).mean() / error, 11)
    found = PairedScores(draws[:2], 0.25).probability_best()
    assert 0.02 < expected < 0.98
    assert found == pytest.approx([expected, 1 - expected], abs=0.012)


def test_equals_share_and_numbers_add_up(draws):
    twice = np.concatenate([draws, draws[:1]])
    found = PairedScores(twice, 0.25).probability_best()
    assert found.sum() == pytest.approx(1.0)
    assert found[0] == pytest.approx(found[3])
    constant = PairedScores(np.ones((3, 4)), 0.25)
    assert constant.probability_best() == pytest.approx([1 / 3] * 3)
    clear = PairedScores(np.array([[1.0] * 4, [0.5] * 4]), 0.25)
    assert clear.probability_best() == pytest.approx([1.0, 0.0])


def test_with_the_same_splits_seeds_are_averaged():
    scores = np.random.default_rng(0).random((2, 3, 4))
    new = PairedScores.of(scores, 0.5, has_new_splits=True)
    same = PairedScores.of(scores, 0.5, has_new_splits=False)
    one = PairedScores.of(scores[:, :, :1], 0.5, has_new_splits=False)
    assert new.draws.shape == (2, 12) and same.draws.shape == (2, 4)
    np.testing.assert_allclose(same.draws, scores.mean(axis=1))
    assert one.draws.shape == (2, 3) and one.test_share == 0.0


def test_intervals_cover_what_they_say():
    """Scores whose mean is drawn around the truth with the variance of the formula."""
    rng, n_times, J, share = np.random.default_rng(0), 400, 10, 0.25
    own = np.sqrt(1 / (1 + share))  # so that share of it all splits have in common
    common = np.sqrt(share) * own
    hits = 0
    for _ in range(n_times):
        offset = common * rng.normal()
        scores = (offset + own * rng.normal(size=J))[None]
        low, high = PairedScores(scores, share).interval(0.8)
        hits += bool(low[0] <= 0.0 <= high[0])
    assert 0.75 < hits / n_times < 0.86


def test_fewest_candidates_among_which_the_best_is():
    p = np.array([0.1, 0.7, 0.2, 0.0])
    assert likely_best(p, 0.6) == [1]
    assert likely_best(p, 0.9) == [1, 2]
    assert likely_best(p, 0.95) == [1, 2, 0]
