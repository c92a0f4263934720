"""What a worker that cannot see the folders of a search requests, and sends back."""

import pickle
import shutil
import warnings
from contextlib import ExitStack

import pytest
from skorch.callbacks import Checkpoint
from skorch.dataset import ValidSplit

from sktune._errors import EstimatorError
from sktune._types import Fit, Stage
from sktune.execution.checkpoint._paused_fit import checkpoints_in
from sktune.execution.dispatch import _shared_data
from sktune.execution.dispatch._batch import run_batch_in_worker
from sktune.execution.dispatch._remote_workers import Payload, RemoteWorkers, Request
from sktune.execution.dispatch._running_fits import RunningFits
from sktune.execution.dispatch._shared_data import NotSeenError, Shared
from sktune.execution.estimators._resource import Resource
from tests.helpers.estimators import Score, net
from tests.helpers.trained import all_of, job_of

EPOCHS = Resource("max_epochs", "epochs", 9)


def fits(n_resources, *candidates):
    """A batch with a unit for each candidate."""
    pause = n_resources < EPOCHS.max_resources
    return [(Fit(k, 0, {}, 7, n_resources, pause),) for k in candidates]


class Elsewhere:
    """A search, and a worker on another machine to which all goes as bytes."""

    def __init__(self, job, folder):
        self.job = job
        self.shared = Shared(job, folder=str(folder))
        self.remote = RemoteWorkers(job, self.shared)
        self.marker = RunningFits(str(folder)).marker(0)
        self.sent = []

    def work(self, batch):
        """The worker's answer; it never sees the folders."""
        request = None
        for _ in range(3):
            payload = self.remote.payload(batch, request)
            answer = self.answer(batch, payload)
            if not isinstance(answer, Request):
                for left in answer.left:
                    self.remote.unpack(left)
                return answer.outcomes
            self.sent.append(answer.job)
            request = answer
        raise AssertionError("requests again and again")

    def answer(self, batch, payload):
        content = _shared_data.dumps(batch)
        sent = pickle.dumps((self.shared, content, payload, self.marker))
        folders = [self.shared._path.parent]
        if self.job.checkpoints is not None:
            folders.append(self.job.checkpoints.path)
        for folder in folders:
            folder.rename(folder.with_name("away-" + folder.name))
            folder.mkdir()  # which the other machine has, too
        try:
            answer = run_batch_in_worker(*pickle.loads(sent))
            return pickle.loads(pickle.dumps(answer))
        finally:
            for folder in folders:
                assert list(folder.iterdir()) == []
                folder.rmdir()
                folder.with_name("away-" + folder.name).rename(folder)

    def restart(self):
        """The worker is another one, that has been told nothing."""
        _shared_data._kept.clear()


@pytest.fixture
def elsewhere(tmp_path):
    def make(estimator, resource=EPOCHS):
        if resource is None:
            return Elsewhere(job_of(estimator, None), tmp_path)
        checkpoints = stack.enter_context(checkpoints_in(tmp_path / "checkpoints"))
        return Elsewhere(job_of(estimator, resource, checkpoints), tmp_path)

    with ExitStack() as stack:
        yield make
    _shared_data._kept.clear()


def own_folder(search):
    """The folder that the worker keeps for the search."""
    return _shared_data._kept[search.shared._token].checkpoints.path


def test_a_worker_requests_the_job_once_and_what_was_paused(elsewhere):
    search = elsewhere(net(verbose=0))
    search.work(fits(1, 0, 1))
    search.work(fits(1, 2))
    assert search.sent == [True]  # nothing is kept of candidate 2: no question
    names = search.job.checkpoints.stamps(0, 0)
    assert set(names) == {"state"}
    assert not [path for path in own_folder(search).rglob("*") if path.is_file()]
    search.work(fits(3, 0))
    assert search.sent == [True, False]
    search.restart()
    search.work(fits(3, 1, 2))
    assert search.sent == [True, False, True]
    search.work(fits(9, 1))
    assert not search.job.checkpoints.has(1, 0)  # nobody will go on from there
    assert search.job.checkpoints.has(2, 0)


def test_a_net_goes_on_exactly_from_worker_to_worker(elsewhere):
    best = [("best", Checkpoint(monitor="train_loss_best", load_best=True))]
    one = net(verbose=0, callbacks=best, train_split=ValidSplit(4))

    def trained(*resources):
        search = elsewhere(one)
        for n in resources:
            search.restart()
            search.work(fits(n, 0))
        return _shared_data._kept[search.shared._token].scorer.estimator, own_folder(
            search
        )

    in_pieces, folder = trained(1, 3, 9)
    at_once, _ = trained(9)
    assert all_of(in_pieces) == all_of(at_once)
    # Files are written where the last worker had its folder, not the first.
    callback = dict(in_pieces.callbacks_)["best"]
    assert callback.dirname == str(folder / "0" / "0" / "files" / "best")
    assert in_pieces.get_params()["callbacks__best__dirname"] == callback.dirname


def test_the_folder_of_a_worker_goes_with_the_next_search(elsewhere):
    first, second = elsewhere(net(verbose=0)), elsewhere(net(verbose=0))
    first.work(fits(1, 0))
    folder = own_folder(first)
    assert folder.exists()
    second.work(fits(1, 0))
    assert not folder.exists() and own_folder(second).exists()
    third = elsewhere(Score(), None)
    third.work([(Fit(0, 0, {}, 7),)])
    assert not list(folder.parent.glob(folder.name))
    assert list(_shared_data._kept) == [third.shared._token]


def test_where_folders_are_shared_nothing_is_sent(tmp_path):
    with checkpoints_in(tmp_path) as checkpoints:
        job = job_of(net(verbose=0), EPOCHS, checkpoints)
        shared = Shared(job, folder=str(tmp_path))
        remote = RemoteWorkers(job, shared)
        marker = RunningFits(str(tmp_path)).marker(0)
        try:
            for n in (1, 3):
                batch = fits(n, 0)
                payload = remote.payload(batch, None)
                assert payload == Payload()
                content = _shared_data.dumps(batch)
                sent = pickle.dumps((shared, content, payload, marker))
                answer = run_batch_in_worker(*pickle.loads(sent))
                assert len(answer.outcomes) == 1 and not answer.left
                assert checkpoints.has(0, 0)
        finally:
            shared.close()
            _shared_data._kept.clear()


def test_a_full_disk_costs_time_only(elsewhere, monkeypatch):
    search = elsewhere(net(verbose=0))
    search.work(fits(1, 0))

    def full(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(search.job.checkpoints, "unpack", full)
    with pytest.warns(UserWarning, match="could not be saved .*No space left"):
        search.work(fits(3, 0, 1))
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search.work(fits(9, 0))


def test_a_file_that_is_not_there_and_one_that_cannot_be_read(tmp_path, monkeypatch):
    shared = Shared({"a": 1}, folder=str(tmp_path))
    received = pickle.loads(pickle.dumps(shared))
    shutil.move(received._path, tmp_path / "elsewhere")
    with pytest.raises(NotSeenError):
        received.get()
    assert received.get(shared.pickled()) == {"a": 1}
    assert received.get() == {"a": 1}
    _shared_data._kept.clear()
    received._path.write_bytes(b"cmissing_package\nThing\n.")
    with pytest.raises(EstimatorError, match=r"worker on .*'missing_package'\)\. Wor"):
        received.get()
    shared.close()


def test_a_job_that_went_down_with_a_worker_is_packed_anew(tmp_path):
    shared = Shared({"a": 1}, folder=str(tmp_path))
    remote, batch = RemoteWorkers(job_of(Score(), None), shared), fits(1, 0)
    FutureCancelledError = type("FutureCancelledError", (BaseException,), {})
    gone = FutureCancelledError("a-unit cancelled for reason: lost dependencies.")
    packed = remote.payload(batch, Request(job=True)).job
    with pytest.raises(ValueError, match="other"):
        remote.lost(batch, ValueError("other"))
    with pytest.raises(FutureCancelledError):
        remote.lost(batch, FutureCancelledError("scheduler-connection-lost"))
    request = remote.lost(batch, gone)
    assert request.job
    again = remote.payload(batch, request).job
    assert again is not packed and again.content == packed.content
    assert again.__sizeof__() > len(again.content)
    for _ in range(2):
        remote.payload(batch, remote.lost(batch, gone))
    assert remote.lost(batch, gone) is None


def test_states_of_parents_are_sent_too(elsewhere):
    search = elsewhere(net(verbose=0))
    search.work(fits(3, 0))
    search.restart()
    stages = (Stage(0, 3, {}),)
    child = Fit(1, 0, {"lr": 0.3}, 7, 6, True, parent=0, stages=stages)
    search.work([(child,)])
    assert search.job.checkpoints.has(0, 0) and search.job.checkpoints.has(1, 0)
