"""Pictures of what the surrogate says."""

from copy import copy

import numpy as np
import pytest

from sktune.inspection import SurrogateDisplay
from sktune.inspection._record_surrogate import surrogate_of
from sktune.inspection._search_record import RecordedRow, SearchRecord, record_of
from sktune.inspection._surrogate_maps import shown
from tests.unit.inspection.displays.test_convergence import labels_of


def test_slices_and_maps_are_what_the_surrogate_says(conditional):
    display = SurrogateDisplay.from_search(conditional)
    assert list(display.grids) == ["net__a", "net__kind", "net__b"]
    surrogate = surrogate_of(record_of(conditional))
    best = conditional.best_params_
    for name, grid in display.grids.items():
        U = np.array([surrogate.space.encode({**best, name: v}) for v in grid])
        for given, asked in zip(
            display.slices[name], surrogate.predict(U), strict=True
        ):
            np.testing.assert_allclose(given, asked)
    for (one, other), (mean, std) in display.maps.items():
        i, j = len(display.grids[one]) // 2, len(display.grids[other]) - 1
        params = {one: display.grids[one][i], other: display.grids[other][j]}
        U = surrogate.space.encode({**best, **params})
        of_point, low, high = surrogate.predict(U[None])
        np.testing.assert_allclose(mean[i, j], of_point[0])
        np.testing.assert_allclose(std[i, j], (high - low)[0] / 2)
    results = conditional.cv_results_
    np.testing.assert_array_equal(display.scores, results["mean_test_score"])
    np.testing.assert_array_equal(display.failed, np.isnan(results["mean_test_score"]))
    assert display.best == conditional.best_index_


def test_panels(conditional):
    display = SurrogateDisplay.from_search(conditional, params=["kind", "a"])
    assert list(display.grids) == ["net__kind", "net__a"]
    assert display.axes_.shape == (2, 2)
    assert display.axes_[0, 0] is display.ax_
    assert display.axes_[1, 1].get_xscale() == "log"
    assert display.axes_[1, 0].get_yscale() == "log"
    words = [text.get_text() for text in display.axes_[1, 0].get_xticklabels()]
    assert words == ["x", "y", "z"]
    assert display.axes_[1, 1].get_xlabel() == "a"
    limits = {display.axes_[k, k].get_ylim() for k in range(2)}
    assert len(limits) == 1
    above = display.figure_.axes[1]
    assert {"failed", "the best candidate", "candidate"} <= set(labels_of(above))


def test_rungs_are_shown_at_the_largest(with_rungs):
    display = SurrogateDisplay.from_search(with_rungs)
    shown = np.isfinite(display.scores)
    results = with_rungs.cv_results_
    whole = results["n_resources"] == 9
    assert shown.sum() == np.isfinite(results["mean_test_score"][whole]).sum()
    best = display.slices["net__a"][0].max()
    assert best == pytest.approx(with_rungs.best_score_, abs=0.1)


def test_one_parameter_is_one_panel(conditional):
    display = SurrogateDisplay.from_search(conditional, params="a")
    assert display.axes_.shape == (1, 1)
    assert display.maps == {}
    display.figure_.canvas.draw()


def by_kind(kind, search):
    """The search, had a candidate of that kind been the best."""
    kinds = [params["net__kind"] for params in search.cv_results_["params"]]
    other = copy(search)
    other.best_index_ = kinds.index(kind)
    return other


def test_what_the_best_does_not_have_is_not_sliced(conditional):
    display = SurrogateDisplay.from_search(by_kind("x", conditional))
    assert list(display.grids) == ["net__a", "net__kind"]
    display.figure_.canvas.draw()


def test_many_parameters_and_few_scores():
    rng = np.random.default_rng(0)
    rows = tuple(
        RecordedRow(i, dict(zip("abcdef", p, strict=True)), {"score": {0: p[0]}}, 0.0)
        for i, p in enumerate(rng.random((3, 6)).tolist())
    )
    scales = dict.fromkeys("abcdef", "linear")
    record = SearchRecord("Search", ("score",), "score", rows, 0, 1, scales)
    assert shown(record, rows[0].params, None) == list("abcd")
    many = rng.random((80, 6)).tolist()
    scores = [{"score": {0: 3 * p[5] + 2 * p[4]}} for p in many]
    rows = tuple(
        RecordedRow(i, dict(zip("abcdef", p, strict=True)), scores[i], 0.0)
        for i, p in enumerate(many)
    )
    record = SearchRecord("Search", ("score",), "score", rows, 0, 1, scales)
    assert shown(record, rows[0].params, None)[:2] == ["f", "e"]


def test_one_value_of_each_parameter():
    rows = tuple(
        RecordedRow(i, {"a": 1.0}, {"score": {0: float(i)}}, 0.0) for i in range(3)
    )
    record = SearchRecord("S", ("score",), "score", rows, 2, 1, {"a": "linear"})
    with pytest.raises(ValueError, match=r"one value of each parameter.*Search over"):
        shown(record, rows[0].params, None)


def test_what_cannot_be_drawn(conditional, one_candidate, all_failed):
    without = by_kind("x", conditional)
    with pytest.raises(ValueError, match=r"'net__b'.*best candidate does not have"):
        SurrogateDisplay.from_search(without, params=["b"])
    with pytest.raises(ValueError, match=r"params has 'kin'.*Did you mean 'kind'"):
        SurrogateDisplay.from_search(conditional, params=["kin"])
    for search, n in ((one_candidate, 1), (all_failed, 0)):
        with pytest.raises(ValueError, match=rf"at least two .* has {n}\. Try more"):
            SurrogateDisplay.from_search(search)
