"""Callbacks that write files, in the fits of a search."""

from pathlib import Path

import pytest
from sklearn.ensemble import BaggingClassifier
from skorch.callbacks import Checkpoint, TrainEndCheckpoint
from skorch.dataset import ValidSplit

from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.estimators._resource import Resource
from tests.helpers.estimators import net
from tests.helpers.trained import all_of, job_of, run

EPOCHS = Resource("max_epochs", "epochs", 9)


@pytest.fixture
def checkpoints(tmp_path, monkeypatch):
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    with checkpoints_in(tmp_path / "checkpoints") as one:
        yield one


WRITERS = [
    [Checkpoint(monitor="train_loss_best", load_best=True)],
    [("best", Checkpoint(monitor="train_loss_best", dirname="mine", load_best=True))],
    [Checkpoint, TrainEndCheckpoint],
    [
        TrainEndCheckpoint(
            f_params="sub/params.pt", fn_prefix="end/", f_pickle="all.pkl"
        )
    ],
    [Checkpoint(monitor=None, f_params="params_{last_epoch[epoch]}.pt")],
    [Checkpoint(monitor="train_loss_best", f_params=Path("a.pt"), load_best=True)],
    [TrainEndCheckpoint(f_params=Path("sub", "{a}.pt"))],
]


def files() -> list[Path]:
    return [path for path in Path().rglob("*") if path.is_file()]


@pytest.mark.parametrize("callbacks", WRITERS)
@pytest.mark.parametrize("resource", [None, EPOCHS])
def test_callbacks_write_into_a_folder_of_the_fit(checkpoints, callbacks, resource):
    # skorch's Checkpoint looks at the loss of an inner validation part.
    one = net(callbacks=callbacks, train_split=ValidSplit(4))
    job = job_of(one, resource, checkpoints if resource else None)
    for n in (1, 3, 9) if resource else (None,):
        run(job, n)
        if n in (1, 3):
            assert list((checkpoints.path / "0" / "0" / "files").rglob("*.pt"))
    assert not files()


def test_folders_set_by_params_and_in_other_estimators(checkpoints):
    saving = net(callbacks=[("cp", Checkpoint(monitor="train_loss_best"))])
    run(job_of(saving, None), None, {"callbacks__cp__dirname": "searched"})
    run(job_of(saving, None), None, {"callbacks__cp": Checkpoint(monitor=None)})
    run(job_of(net(), None), None, {"callbacks": [Checkpoint(monitor=None)]})
    run(job_of(BaggingClassifier(saving, n_estimators=2), None), None)
    run(job_of(net(callbacks="disable"), None), None)
    assert not files()


def test_absolute_paths(checkpoints, tmp_path):
    saving = Checkpoint(monitor=None, f_params=str(tmp_path / "params.pt"))
    run(job_of(net(callbacks=[saving]), EPOCHS, checkpoints), 3)
    assert not (tmp_path / "params.pt").exists()
    assert list((checkpoints.path / "0" / "0" / "files").rglob("*params.pt"))


@pytest.mark.parametrize("file", ["params.pt", Path("params.pt")])
def test_candidates_do_not_load_the_best_of_each_other(checkpoints, file):
    best = Checkpoint(monitor="train_loss_best", f_params=file, load_best=True)
    one = net(callbacks=[("cp", best)], module__dropout=0.0)
    job = job_of(one, EPOCHS, checkpoints)
    params = [{"lr": 0.9}, {"lr": 0.01}]
    for n in (1, 3, 9):
        mixed = [run(job, n, p, k).score("score") for k, p in enumerate(params)]
    alone = [run(job, 9, p).score("score") for p in params]
    assert mixed == alone


class Counting(Checkpoint):
    """Notes how many files there are."""

    def on_epoch_end(self, net, **kwargs):
        super().on_epoch_end(net, **kwargs)
        n_files = sum(path.is_file() for path in Path(self.dirname).rglob("*"))
        net.history.record("n_files", n_files)


def test_a_lost_training_leaves_no_files_to_the_next(checkpoints):
    counting = Counting(monitor=None, f_params="{last_epoch[epoch]}.pt")
    job = job_of(net(callbacks=[counting]), EPOCHS, checkpoints)
    run(job, 9, candidate=1)
    in_one_go = all_of(job.scorer.estimator)
    run(job, 3)
    (checkpoints.path / "0" / "0" / "state").unlink()
    run(job, 9)
    assert all_of(job.scorer.estimator) == in_one_go
