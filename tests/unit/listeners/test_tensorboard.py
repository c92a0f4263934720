"""What TensorBoard itself reads of a search."""

import pytest

from sktune.listeners import TensorBoard
from tests.helpers.journals import cut

pytest.importorskip("tensorboard")


def read(folder):
    """The runs in a folder: scalars by tag, and params."""
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    from tensorboard.plugins.hparams import metadata

    runs = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
    found = {}
    for name in runs.Runs():
        scalars = {
            tag: [(e.step, e.value) for e in runs.Scalars(name, tag)]
            for tag in runs.Runs()[name]["scalars"]
        }
        plugin = runs.GetAccumulator(name).PluginTagToContent("hparams")
        start = plugin[metadata.SESSION_START_INFO_TAG]
        end = plugin[metadata.SESSION_END_INFO_TAG]
        found[name] = (
            scalars,
            dict(metadata.parse_session_start_info_plugin_data(start).hparams),
            metadata.parse_session_end_info_plugin_data(end).status,
        )
    return found


def test_a_run_for_each_candidate(fitted, halving, tmp_path):
    search = fitted(halving, TensorBoard(tmp_path, name="s"))
    runs = read(tmp_path)
    assert sorted(runs) == [f"s/candidate_{k:04d}" for k in range(4)]
    results = search.cv_results_
    for row, candidate in enumerate(results["candidate"]):
        scalars, params, status = runs[f"s/candidate_{candidate:04d}"]
        score = dict(scalars["mean_test_score"])[results["n_resources"][row]]
        assert score == pytest.approx(results["mean_test_score"][row])
        expected = results["params"][row]
        assert {name: value.number_value for name, value in params.items()} == expected
        assert status == 1  # STATUS_SUCCESS
    best = results["candidate"][search.best_index_]
    steps = [s for s, _ in runs[f"s/candidate_{best:04d}"][0]["mean_curve"]]
    assert steps == [1, 2, 3, 4]


def test_a_continued_search_goes_on_in_its_folder(fitted, halving, tmp_path):
    journal, folder = tmp_path / "search.jsonl", tmp_path / "runs"
    fitted(halving, TensorBoard(folder), journal=journal)
    whole = read(folder)
    fitted(halving, TensorBoard(folder), journal=journal)
    assert read(folder) == whole
    cut(journal, 11)
    fitted(halving, TensorBoard(folder), journal=journal)
    assert read(folder).keys() == whole.keys()
    assert len(list(folder.iterdir())) == 1
    fitted(halving, TensorBoard(folder))
    assert len(list(folder.iterdir())) == 2


def test_its_repr():
    assert repr(TensorBoard("logs")) == "TensorBoard('logs')"
