"""What all pictures keep, whatever they show."""

import sys

import numpy as np
import pytest
from matplotlib import pyplot

from sktune import inspection
from sktune.inspection.displays._axes import fading, legend_above, panels, thinned

DISPLAYS = {
    name: getattr(inspection, name)
    for name in inspection.__all__
    if name.endswith("Display")
}
# What each can be drawn of.
DRAWN = {
    "conditional": [
        "ConvergenceDisplay",
        "ImportanceDisplay",
        "ParallelCoordinatesDisplay",
        "SplitsDisplay",
        "SurrogateDisplay",
    ],
    "search": [  # of scikit-learn
        "ConvergenceDisplay",
        "ImportanceDisplay",
        "ParallelCoordinatesDisplay",
        "SplitsDisplay",
        "SurrogateDisplay",
    ],
    "with_rungs": [
        "ConvergenceDisplay",
        "ImportanceDisplay",
        "ParallelCoordinatesDisplay",
        "RungsDisplay",
        "SplitsDisplay",
        "SurrogateDisplay",
    ],
    "one_candidate": [
        "ConvergenceDisplay",
        "ParallelCoordinatesDisplay",
        "SplitsDisplay",
    ],
    "all_failed": ["ConvergenceDisplay", "ParallelCoordinatesDisplay"],
    "growing": [
        "ConvergenceDisplay",
        "ImportanceDisplay",
        "ParallelCoordinatesDisplay",
        "RungsDisplay",
        "SplitsDisplay",
        "SurrogateDisplay",
    ],
    "begun": ["ConvergenceDisplay"],
}
NOT_OF_ANY_SEARCH = {
    "LeasesDisplay",
    "LearningCurvesDisplay",
    "ParetoFrontDisplay",  # of one with several metrics
    "RepeatDisplay",
}
CASES = [(given, name) for given, names in DRAWN.items() for name in names]


def data(display):
    """What a display was made from."""
    return {k: v for k, v in vars(display).items() if not k.endswith("_")}


@pytest.mark.parametrize("given, name", CASES)
def test_is_drawn(given, name, request):
    display = DISPLAYS[name].from_search(request.getfixturevalue(given))
    assert isinstance(display, DISPLAYS[name])
    assert display.ax_.figure is display.figure_
    display.figure_.canvas.draw()  # warns of what does not fit


@pytest.mark.parametrize("name", sorted(set(DISPLAYS) - NOT_OF_ANY_SEARCH))
def test_is_drawn_again_from_its_data_and_where_it_is_told_to(name, with_rungs):
    display = DISPLAYS[name].from_search(with_rungs)
    first = display.figure_
    again = DISPLAYS[name](**data(display))
    figure, (left, right) = pyplot.subplots(1, 2, layout="constrained")
    assert again.plot(left) is again
    again.plot(right)
    assert again.figure_ is figure is not first
    if not hasattr(again, "axes_"):
        assert again.ax_ is right
        again.plot(right)
    n = len(pyplot.get_fignums())
    DISPLAYS[name].from_search(with_rungs, ax=left)
    assert len(pyplot.get_fignums()) == n


@pytest.mark.parametrize("given", ["conditional", "with_rungs"])
def test_a_journal_is_drawn_as_its_search(given, request):
    search = request.getfixturevalue(given)
    for name in DRAWN[given]:
        a, b = (data(DISPLAYS[name].from_search(s)) for s in (search, search.journal))
        assert a.keys() == b.keys()
        for key, value in a.items():
            if name == "ParallelCoordinatesDisplay" and key == "ticks":
                assert value == b[key]
            else:
                equal(value, b[key])
        pyplot.close("all")


def equal(a, b):
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            equal(a[key], b[key])
    elif isinstance(a, np.ndarray | list | tuple):
        assert len(a) == len(b)
        if any(isinstance(one, dict | tuple) for one in a):
            for one, other in zip(a, b, strict=True):
                equal(one, other)
        else:
            np.testing.assert_array_equal(np.asarray(a), np.asarray(b))
    else:
        assert a == b


@pytest.mark.parametrize("name", sorted(set(DISPLAYS) - NOT_OF_ANY_SEARCH))
def test_a_metric_that_was_not_scored(name, with_rungs):
    for search in (with_rungs, with_rungs.journal):
        with pytest.raises(ValueError, match="Did you mean 'score'"):
            DISPLAYS[name].from_search(search, metric="scores")


@pytest.mark.parametrize("name", DISPLAYS)
def test_says_how_to_get_matplotlib(name, request, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    curve = dict(candidate=0, split=0, n_resources=None, epochs=[1], scores=[1.0])
    lease = dict(host="a", device="cpu", slot=0, start=0.0, end=1.0, split=0)
    made = {
        "ConvergenceDisplay": dict(mean=[1.0]),
        "ImportanceDisplay": dict(importances=[]),
        "LearningCurvesDisplay": dict(curves=[curve | dict(on="test", stopped=False)]),
        "LeasesDisplay": dict(leases=[lease | dict(out_of_memory=False)]),
        "ParallelCoordinatesDisplay": dict(
            places=[[0.0]], mean=[1.0], names=["a"], ticks=[[]]
        ),
        "ParetoFrontDisplay": dict(values=[[1.0, 2.0]]),
        "RepeatDisplay": dict(
            repetitions=[[1.0]], mean=[1.0], low=[0.0], high=[2.0],
            search_scores=[1.0], probability_best=[1.0], labels=["a"],
        ),
        "RungsDisplay": dict(candidate=[0], n_resources=[1], mean=[1.0]),
        "SplitsDisplay": dict(scores=[[1.0]]),
        "SurrogateDisplay": dict(
            grids={}, scales={}, slices={}, maps={}, tried=[], scores=[], failed=[],
            best=0,
        ),
    }  # fmt: skip
    with pytest.raises(ImportError, match=rf'{name}.*pip install "sktune\[plot\]"'):
        DISPLAYS[name](**made[name]).plot()


def test_panels_need_a_place_in_a_grid():
    ax = pyplot.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match=r"no place in a grid.*leave ax out"):
        panels("SplitsDisplay", ax, (1, 1), 1, 2)


def test_many_fade_and_few_labels_stay():
    assert fading(1) > fading(200) > fading(1000) >= 0.15
    assert thinned(range(25), 10)[0] == 0
    assert len(thinned(range(25), 10)) <= 10
    assert thinned([], 10) == []


def test_a_legend_does_not_squeeze_axes_that_stand_beside_others():
    figure, axes = pyplot.subplots(1, 2, figsize=(8, 4.5), layout="constrained")
    for ax in axes:
        labels = (
            "candidate, mean \u00b1 std over splits",
            "best so far",
            "further down",
        )
        legend_above(ax, {label: ax.plot([0, 1])[0] for label in labels})
    figure.canvas.draw()
    assert min(ax.get_position().width for ax in axes) > 0.35
    wide = pyplot.subplots(layout="constrained")[1]
    legend_above(wide, {label: wide.plot([0, 1])[0] for label in labels})
    assert wide.get_legend()._ncols == 2
