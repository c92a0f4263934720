"""What Weights & Biases itself has of a search, in its offline mode."""

import json
import struct

import pytest
from sklearn.exceptions import FitFailedWarning

from sktune.listeners import WeightsAndBiases
from tests.helpers.estimators import Score

protocol = pytest.importorskip("wandb.proto.wandb_internal_pb2")

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::ResourceWarning",
    "ignore:SOCKS support",  # behind some proxies
)

BLOCK = 32768


def runs(folder):
    """The runs in a folder by name: record, rows, summary and exit code."""
    found = {}
    for path in folder.glob("wandb/offline-run-*/*.wandb"):
        rows, summary, run, code = [], {}, None, None
        for data in records(path.read_bytes()):
            record = protocol.Record()
            record.ParseFromString(data)
            kind = record.WhichOneof("record_type")
            if kind == "run":
                run = record.run
            elif kind == "history":
                items = record.history.item
                rows.append({as_key(i): json.loads(i.value_json) for i in items})
            elif kind == "summary":
                items = record.summary.update
                summary |= {as_key(i): json.loads(i.value_json) for i in items}
            elif kind == "exit":
                code = record.exit.exit_code
        found[run.display_name] = run, rows, summary, code
    return found


def records(content):
    """The records of LevelDB's format of logs: blocks of 32 kB, with a header each."""
    at, data = 7, b""  # behind the header of the file
    while at + 7 <= len(content):
        if at % BLOCK > BLOCK - 7:  # what is left of a block is padding
            at += BLOCK - at % BLOCK
            continue
        length, kind = struct.unpack_from("<HB", content, at + 4)
        data += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # in one piece, or the last one
            yield data
            data = b""


def as_key(item):
    return item.key or item.nested_key[0]


@pytest.fixture
def tracker(tmp_path):
    def make(**kwargs):
        return WeightsAndBiases("digits", mode="offline", dir=tmp_path, **kwargs)

    return make


def test_a_run_for_each_candidate(fitted, halving, tracker, tmp_path):
    search = fitted(halving, tracker(group="night", job_type="fit", tags=["a"]))
    found, results = runs(tmp_path), search.cv_results_
    assert len(found) == 5
    for i, candidate in enumerate(results["candidate"]):
        run, rows, _, code = found.pop(f"candidate {candidate}", (None, [], {}, 0))
        if run is None:
            continue  # seen in a lower rung
        assert (run.project, run.run_group) == ("digits", "night")
        assert run.job_type == "fit" and code == 0 and list(run.tags) == ["a"]
        config = {as_key(i): json.loads(i.value_json) for i in run.config.update}
        expected = results["params"][i]
        assert {name: config[name] for name in expected} == expected
        scores = {
            r["step"]: r["mean_test_score"] for r in rows if "mean_test_score" in r
        }
        of_candidate = [
            (results["n_resources"][k], results["mean_test_score"][k])
            for k in range(len(results["params"]))
            if results["candidate"][k] == candidate
        ]
        assert scores == {n: pytest.approx(score) for n, score in of_candidate}
        steps = [r["step"] for r in rows if "mean_curve" in r]
        assert steps == list(range(1, max(scores) + 1))
    ((run, _, summary, code),) = found.values()
    assert run.job_type == "search" and run.run_group == "night" and code == 0
    assert summary["best_lr"] == search.best_params_["lr"]
    assert summary["best_score"] == pytest.approx(search.best_score_)


def test_candidates_that_failed(fitted, grid, tracker, tmp_path):
    space = {"a": [0.5, 7.0]}
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        fitted(grid, tracker(), estimator=Score(bad=(7.0,)), space=space)
    found = runs(tmp_path)
    assert [found[f"candidate {k}"][3] for k in (0, 1)] == [0, 1]
    assert "is bad" in found["candidate 1"][2]["traceback"]
    groups = {run.run_group for run, *_ in found.values()}
    assert len(groups) == 1 and groups.pop().startswith("GridSearchCV-")
