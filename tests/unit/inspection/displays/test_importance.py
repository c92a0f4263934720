"""Pictures of importances."""

import pytest

from sktune.inspection import ImportanceDisplay, param_importances


def test_bars_are_the_importances(conditional):
    display = ImportanceDisplay.from_search(conditional, n_trees=16)
    table = param_importances(conditional, n_trees=16)
    assert display.importances == table
    alone = [row for row in table if not row["with"]]
    alone_bars, *pair_bars = display.ax_.containers[1::2]
    assert [bar.get_width() for bar in alone_bars] == [r["importance"] for r in alone]
    ticks = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert ticks[:3] == [row["param"].removeprefix("net__") for row in alone]
    assert len(ticks) == len(alone) + sum(map(len, pair_bars))
    assert "failed left out" in display.ax_.get_xlabel()


def test_many_parameters_are_cut():
    rows = [
        {"param": f"a_parameter_with_a_long_name_{k}", "with": "", "importance": 0.04,
         "std": 0.1}
        for k in range(25)
    ]  # fmt: skip
    display = ImportanceDisplay(importances=rows).plot()
    ticks = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert len(ticks) == display.n_bars
    assert max(map(len, ticks)) < 25
    display.figure_.canvas.draw()


def test_too_few_scores(one_candidate, all_failed):
    for search, n in ((one_candidate, 1), (all_failed, 0)):
        with pytest.raises(ValueError, match=rf"at least 4 .* has {n}\. Try more"):
            ImportanceDisplay.from_search(search)
