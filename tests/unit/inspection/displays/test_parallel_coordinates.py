"""Pictures of all parameters at once."""

import numpy as np
import pytest

from sktune.inspection import ParallelCoordinatesDisplay
from tests.unit.inspection.displays.test_convergence import labels_of


def test_places_are_on_the_scale_of_the_space(conditional):
    display = ParallelCoordinatesDisplay.from_search(conditional)
    assert display.names == ["a", "kind", "b"]
    params = conditional.cv_results_["params"]
    a = np.log([p["net__a"] for p in params])
    np.testing.assert_allclose(display.places[:, 0], (a - a.min()) / np.ptp(a))
    kinds = [{"x": 0.0, "y": 0.5, "z": 1.0}[p["net__kind"]] for p in params]
    np.testing.assert_array_equal(display.places[:, 1], kinds)
    has = np.array(["net__b" in p for p in params])
    b = np.array([p["net__b"] for p in params if "net__b" in p])
    np.testing.assert_allclose(
        display.places[has, 2], (b - b.min()) / np.ptp(b), atol=1e-12
    )
    assert (display.places[~has, 2] < 0).all()
    np.testing.assert_array_equal(
        display.mean, conditional.cv_results_["mean_test_score"]
    )
    assert display.best == conditional.best_index_


def test_ticks_are_round_numbers_and_words(conditional):
    a, kind, b = ParallelCoordinatesDisplay.from_search(conditional).ticks
    assert {"0.01", "0.1", "1"} <= {label for _, label in a}
    assert kind == [(0.0, "x"), (0.5, "y"), (1.0, "z")]
    assert b[0][0] < 0 and b[0][1] == "not set"


def test_all_candidates_have_a_line(conditional):
    display = ParallelCoordinatesDisplay.from_search(conditional)
    failed = np.isnan(display.mean).sum()
    assert failed
    n_lines = [len(lines.get_segments()) for lines in display.ax_.collections]
    assert n_lines == [40 - failed, failed]
    assert f"{failed} failed" in labels_of(display.ax_)
    assert "failed" in [text.get_text() for text in display.ax_.texts]


def test_rungs_are_an_axis(with_rungs):
    display = ParallelCoordinatesDisplay.from_search(with_rungs)
    assert display.names == ["a", "kind", "epochs"]
    assert [label for _, label in display.ticks[-1]] == ["1", "3", "9"]
    last = {}
    for candidate, level in zip(
        *(with_rungs.cv_results_[k] for k in ("candidate", "n_resources")), strict=True
    ):
        last[candidate] = max(level, last.get(candidate, 0))
    np.testing.assert_allclose(
        display.places[:, -1], np.log([last[c] for c in sorted(last)]) / np.log(9)
    )


def test_params_that_are_named(conditional):
    display = ParallelCoordinatesDisplay.from_search(
        conditional, params=["kind", "net__a"]
    )
    assert display.names == ["kind", "a"]
    with pytest.raises(ValueError, match=r"params has 'knd'.*Did you mean 'kind'"):
        ParallelCoordinatesDisplay.from_search(conditional, params=["knd"])


def test_nothing_has_been_tried_yet(begun):
    with pytest.raises(ValueError, match=r"no candidates.*no fit has ended yet"):
        ParallelCoordinatesDisplay.from_search(begun)


def test_scores_far_below_are_at_the_end_of_the_axis():
    display = ParallelCoordinatesDisplay(
        places=np.zeros((6, 1)),
        mean=[0.5, 0.6, 0.7, 0.8, -1e9, 0.9],
        names=["a"],
        ticks=[[(0.0, "1")]],
    ).plot()
    ends = [path[-1, 1] for path in display.ax_.collections[0].get_segments()]
    assert min(ends) == 0.0 and max(ends) == 1.0
    assert any(text.get_text().startswith("≤ ") for text in display.ax_.texts)
