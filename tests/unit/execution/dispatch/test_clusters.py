"""Workers of dask that are on other machines: they see no folder of the search.

The workers are processes with a file system of their own, in which the search's folders
are empty; where the machine does not allow that, they are made blind
(tests/helpers/blind.py).
"""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import (
    Checkpoint,
    EarlyStopping,
    LRScheduler,
    TrainEndCheckpoint,
)
from skorch.dataset import ValidSplit
from torch.optim.lr_scheduler import StepLR

from sktune import (
    BayesSearchCV,
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune._errors import EstimatorError
from tests.helpers.blind import note_payloads
from tests.helpers.estimators import Score, blobs, net
from tests.helpers.results import assert_same_search

distributed = pytest.importorskip("distributed")
# Workers import torch first, which takes long where others use the machine too.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.one_end,
    pytest.mark.timeout(180),
]

ROOT = Path(__file__).parents[4]
X, y = blobs()

HIDE = 'mount -t tmpfs none "$0" && exec "$@"'


def hiding(folder: Path) -> list[str] | None:
    """A command that runs another one where the folder is another, empty one."""
    for unshare in (["unshare", "-m"], ["unshare", "-rm"]):
        command = [*unshare, "sh", "-c", HIDE, str(folder)]
        (folder / "seen").touch()
        try:
            seen = subprocess.run([*command, "ls", str(folder)], capture_output=True)
        except FileNotFoundError:
            return None
        if seen.returncode == 0 and not seen.stdout:
            return command
    return None


class Cluster:
    """A scheduler here and two workers that see the folder `hidden` empty."""

    def __init__(self, root: Path) -> None:
        self.hidden = root / "hidden"
        self.hidden.mkdir()
        hide = hiding(self.hidden)
        self.really_hidden = hide is not None
        self.scheduler = distributed.LocalCluster(
            n_workers=0, dashboard_address="127.0.0.1:0", protocol="tcp://"
        )
        blind = [] if hide else ["--preload", str(ROOT / "tests/helpers/blind.py")]
        self.workers = []
        self.folders = [root / "worker0", root / "worker1"]
        for folder in self.folders:
            folder.mkdir()
            command = [sys.executable, "-m", "dask", "worker", *blind]
            command += [self.scheduler.scheduler_address, "--nthreads", "1"]
            command += ["--no-dashboard", "--local-directory", str(folder / "dask")]
            environ = {"TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
            with (folder / "log").open("w") as log:
                process = subprocess.Popen(
                    [*(hide or []), *command],
                    env={**os.environ, **environ, "OMP_NUM_THREADS": "1"},
                    cwd=folder,
                    stderr=log,
                )
            self.workers.append(process)
        self.client = distributed.Client(self.scheduler)
        self.client.wait_for_workers(2, timeout=40)

    def close(self) -> None:
        pids = self.client.run(os.getpid).values()
        self.client.close()
        self.scheduler.close()
        for process in self.workers:
            process.terminate()
        for process in self.workers:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in pids:  # not left behind if the process above them was killed
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    one = Cluster(tmp_path_factory.mktemp("cluster"))
    yield one
    one.close()


@pytest.fixture
def away(cluster, monkeypatch):
    """The folders of searches are where no worker sees them; notes what travels."""
    monkeypatch.setattr(tempfile, "tempdir", str(cluster.hidden))
    monkeypatch.delenv("JOBLIB_TEMP_FOLDER", raising=False)
    sent = note_payloads(monkeypatch)
    with joblib.parallel_config("dask"):
        yield sent
    assert list(cluster.hidden.glob("sktune-*")) == []


def jobs_in(sent) -> int:
    return sum(packed for packed, _ in sent)


def states(sent) -> int:
    return sum(n for _, n in sent)


def left_on_workers(cluster) -> list[str]:
    """Files that searches have left on the machines of the workers."""
    roots = [p for f in cluster.folders for p in f.glob("sktune-*")]
    files = [(path, root) for root in roots for path in root.rglob("*")]
    return [p.relative_to(root).as_posix() for p, root in files if p.is_file()]


def alone(search, X=X, y=y):
    with joblib.parallel_config("sequential"):
        return clone(search).fit(X, y)


def test_workers_see_nothing_here(cluster, away):
    assert cluster.really_hidden or os.environ.get("CI"), "unshare is not allowed here"
    path = cluster.hidden / "file"
    path.touch()
    seen = cluster.client.run(os.path.exists, str(path))
    path.unlink()
    assert set(seen.values()) == {not cluster.really_hidden}


LR = {"net__lr": loguniform(1e-3, 1.0)}
COMMON = {"cv": 2, "random_state": 0, "refit": False}
SEARCHES = [
    GridSearchCV(None, {"net__lr": [0.01, 0.1]}, **COMMON),
    RandomizedSearchCV(None, LR, n_iter=2, **COMMON),
    BayesSearchCV(None, LR, n_iter=4, n_pending=2, **COMMON),
    SuccessiveHalvingSearchCV(None, LR, max_resources=9, **COMMON),
    HyperbandSearchCV(None, LR, max_resources=4, factor=2, **COMMON),
    SuccessiveHalvingSearchCV(
        None,
        {**LR, "scaler__with_mean": [True, False]},
        max_resources=4,
        factor=2,
        **COMMON,
    ),
]


@pytest.mark.parametrize("search", SEARCHES)
def test_one_answer(away, cluster, search):
    one = Pipeline([("scaler", StandardScaler()), ("net", net(verbose=0))])
    search = clone(search).set_params(estimator=one)
    assert_same_search(clone(search).fit(X, y), alone(search))
    # Each worker gets the job once, or twice if it asked with two units at a time.
    assert 1 <= jobs_in(away) <= 6
    assert (states(away) > 0) == hasattr(search, "factor")
    names = left_on_workers(cluster)
    assert all(name.partition("/")[0] == "all" for name in names), names


def test_asynchronous(away):
    search = SuccessiveHalvingSearchCV(
        net(verbose=0),
        {"lr": loguniform(1e-3, 1.0)},
        max_resources=9,
        cv=2,
        random_state=0,
        asynchronous=True,
    ).fit(X, y)
    assert search.cv_results_["n_resources"].max() == 9
    # What was trained in pieces, here and there, is what is trained in one go.
    top = search.cv_results_["n_resources"] == 9
    one = int(np.flatnonzero(top)[0])
    number = search.cv_results_["candidate"][one]
    reference = alone(search).cv_results_
    if number in reference["candidate"][reference["n_resources"] == 9]:
        same = (reference["candidate"] == number) & (reference["n_resources"] == 9)
        k = int(np.flatnonzero(same)[0])
        score = search.cv_results_["mean_test_score"][one]
        assert score == reference["mean_test_score"][k]


def test_what_callbacks_write_travels_too(away, cluster):
    callbacks = [
        ("best", Checkpoint(monitor="train_loss_best", load_best=True)),
        ("end", TrainEndCheckpoint()),
        ("rate", LRScheduler(StepLR, step_size=2)),
        ("stop", EarlyStopping(monitor="train_loss", patience=2)),
    ]
    search = SuccessiveHalvingSearchCV(
        net(callbacks=callbacks, train_split=ValidSplit(4), batch_size=11, verbose=0),
        {"lr": [0.001, 0.1, 0.3, 0.9]},
        max_resources=4,
        factor=2,
        **COMMON,
    )
    assert_same_search(clone(search).fit(X, y), alone(search))
    assert states(away) > 0
    assert not left_on_workers(cluster)


def test_workers_forget_a_search_at_the_next(away, cluster):
    names = {n for n in cluster.client.run(kept).values()}
    GridSearchCV(Score(), {"a": [1, 2, 3, 4]}, cv=2).fit(X, y)
    after = {n for n in cluster.client.run(kept).values()}
    assert all(len(one) <= 1 for one in after)
    assert after != names
    assert not [p for f in cluster.folders for p in f.glob("sktune-*")]


def kept() -> tuple[str, ...]:
    from sktune.execution.dispatch import _shared_data as _share

    return tuple(_share._kept)


def test_a_shared_folder_is_used_where_there_is_one(away, tmp_path, monkeypatch):
    search = SuccessiveHalvingSearchCV(
        net(verbose=0), {"lr": [0.01, 0.03, 0.1, 1.0]}, max_resources=4, **COMMON
    )
    reference = alone(search)
    shared = search.set_params(checkpoints=tmp_path).fit(X, y)
    assert_same_search(shared, reference)
    assert jobs_in(away) > 0 and states(away) == 0
    away.clear()
    with joblib.parallel_config("dask", temp_folder=str(tmp_path)):
        search.fit(X, y)
    assert jobs_in(away) == 0
    assert_same_search(search, reference)
    assert list(tmp_path.iterdir()) == []


def test_large_arrays_travel_whole(away):
    wide = np.tile(X, (1, 4000))  # several MB: put aside for workers that see it
    search = GridSearchCV(Sums(), {"a": [1, 2]}, cv=2, refit=False)
    assert_same_search(clone(search).fit(wide, y), alone(search, wide))


class Sums(Score):
    def score(self, X, y=None, sample_weight=None):
        return float(X.sum(dtype=float)) * self.a


class KillsItsWorker(Score):
    """Takes the process down that is the first to train ``a == 3``."""

    def fit(self, X, y):
        first = Path(self.b) / "killed"
        if self.a == 3 and not first.exists():
            first.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)

    def score(self, X, y=None, sample_weight=None):
        return float(self.a)


def test_a_worker_is_killed(away, cluster, tmp_path):
    """dask runs its units elsewhere, and the worker that takes its place reads anew."""
    search = GridSearchCV(KillsItsWorker(b=str(tmp_path)), {"a": list(range(8))}, cv=2)
    before = set(cluster.client.run(os.getpid).values())
    killed = clone(search).fit(X, y)
    assert (tmp_path / "killed").exists()
    assert_same_search(killed, alone(search))
    cluster.client.wait_for_workers(2, timeout=30)
    assert set(cluster.client.run(os.getpid).values()) != before


def only_here(folder: Path, monkeypatch):
    """A module that workers do not have."""
    (folder / "only_here.py").write_text(
        "from sklearn.dummy import DummyClassifier\n"
        "class Mine(DummyClassifier):\n    pass\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    return pytest.importorskip("only_here").Mine()


def test_what_a_worker_cannot_read_is_said(away, cluster, tmp_path, monkeypatch):
    mine = only_here(tmp_path, monkeypatch)
    says = r"cannot be read by the worker on .*only_here.*the same versions"
    with pytest.raises(EstimatorError, match=f"The estimator or its data {says}"):
        GridSearchCV(mine, {"strategy": ["prior"]}, cv=2).fit(X, y)
    one = Pipeline([("step", DummyClassifier())])
    with pytest.raises(EstimatorError, match=f"A candidate {says}"):
        GridSearchCV(one, {"step": [mine]}, cv=2).fit(X, y)


def test_workers_of_another_version(away, monkeypatch):
    monkeypatch.setattr("sktune.__version__", "99")
    with pytest.raises(EstimatorError, match=r"worker at tcp.* has sktune 0.*is 99\."):
        GridSearchCV(Score(), {"a": [1]}, cv=2).fit(X, y)
