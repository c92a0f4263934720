"""Pictures of the front."""

import numpy as np
import pytest

from sktune.inspection import ParetoFrontDisplay, pareto_front

VALUES = [[0.9, -30.0], [0.8, -10.0], [0.7, -20.0], [0.9, -40.0]]


def test_points_line_and_bars_are_those_of_the_front():
    errors = [[0.1, 1.0], [0.2, np.nan], [0.3, 3.0], [0.4, 4.0]]
    display = ParetoFrontDisplay(values=VALUES, errors=errors, best=0).plot()
    rest, _, front, best = display.ax_.collections[:1] + display.ax_.collections[-3:]
    np.testing.assert_array_equal(rest.get_offsets(), [[-20, 0.7], [-40, 0.9]])
    np.testing.assert_array_equal(front.get_offsets(), [[-30, 0.9], [-10, 0.8]])
    np.testing.assert_array_equal(best.get_offsets(), [[-30, 0.9]])
    [bars] = display.ax_.containers
    across, up = (lines.get_segments() for lines in bars.lines[2])
    np.testing.assert_allclose(across, [[[-31, 0.9], [-29, 0.9]], [[-10, 0.8]] * 2])
    np.testing.assert_allclose(up[1], [[-10, 0.6], [-10, 1.0]])
    assert display.ax_.get_ylabel() == "objective 0"
    display.figure_.canvas.draw()


@pytest.mark.parametrize("signs", [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
def test_whoever_is_beaten_is_behind_the_line(signs):
    rng = np.random.default_rng(0)
    values = rng.random((30, 2))
    display = ParetoFrontDisplay(values=values, signs=signs).plot()
    line = display.ax_.lines[0]
    assert line.get_drawstyle() == "steps-pre"
    x, y = (values[:, [1, 0]] * [signs[1], signs[0]]).T
    along, edge = line.get_xdata() * signs[1], line.get_ydata() * signs[0]
    for one_x, one_y in zip(x, y, strict=True):
        # The line has, up to each of its points, the height of that point.
        ahead = edge[along >= one_x]
        assert not len(ahead) or one_y <= ahead[0]


def test_three_objectives_have_a_panel_for_each_pair(two_metrics):
    names = ["accuracy", "neg_log_loss", "fit_time"]
    display = ParetoFrontDisplay.from_search(two_metrics, names)
    labels = [(ax.get_ylabel(), ax.get_xlabel()) for ax in display.axes_]
    assert labels == [
        ("accuracy", "neg_log_loss"),
        ("accuracy", "fit_time"),
        ("neg_log_loss", "fit_time"),
    ]
    assert not any(ax.lines and ax.lines[0].get_xdata().size for ax in display.axes_)
    display.figure_.canvas.draw()
    shown = np.asarray(display.values)
    assert len(pareto_front(two_metrics, names)) <= len(shown) == 2


def test_four_objectives_and_nobody():
    rng = np.random.default_rng(0)
    ParetoFrontDisplay(values=rng.random((9, 4))).plot().figure_.canvas.draw()
    ParetoFrontDisplay(values=np.empty((0, 2))).plot().figure_.canvas.draw()
