"""One file for each candidate and split, whole or not at all, and gone in the end."""

import os
import pickle
import threading

import pytest

from sktune.persistence import Checkpoints


@pytest.fixture
def checkpoints(tmp_path):
    with Checkpoints(tmp_path) as one:
        yield one


def writes(content: bytes):
    return lambda file: file.write(content)


def reads(file) -> bytes:
    return file.read()


def names(checkpoints) -> list[str]:
    files = (path for path in checkpoints.path.rglob("*") if path.is_file())
    return sorted(path.relative_to(checkpoints.path).as_posix() for path in files)


def test_the_last_that_was_saved_is_loaded(checkpoints):
    assert checkpoints.load(0, 1, reads) is None
    checkpoints.save(0, 1, writes(b"old"))
    checkpoints.save(0, 1, writes(b"new"))
    checkpoints.save(0, 1, writes(b"prefix"), "prefix")
    checkpoints.save("all", 1, writes(b"shared"))
    assert checkpoints.load(0, 1, reads) == b"new"
    assert checkpoints.load(0, 1, reads, "prefix") == b"prefix"
    assert checkpoints.load("all", 1, reads) == b"shared"
    assert checkpoints.load(1, 1, reads) is checkpoints.load(0, 0, reads) is None


def test_a_write_that_fails_leaves_what_was_there(checkpoints):
    def fails(file):
        file.write(b"half")
        raise OSError("No space left on device")

    checkpoints.save(0, 0, writes(b"old"))
    with pytest.raises(OSError, match="No space"):
        checkpoints.save(0, 0, fails)
    assert checkpoints.load(0, 0, reads) == b"old"
    assert names(checkpoints) == ["0/0/state"]


def test_drop_takes_all_of_a_candidate_and_nothing_else(checkpoints):
    for candidate in (1, 11):
        for split in (0, 1):
            checkpoints.save(candidate, split, writes(b""))
            checkpoints.save(candidate, split, writes(b""), "prefix")
            (checkpoints.folder(candidate, split) / "params.pt").touch()
    (checkpoints.path / "1/1/state.killed").touch()  # while it was being written
    checkpoints.drop(1, 1)
    assert [name for name in names(checkpoints) if name.startswith("1/1")] == []
    assert "1/0/state" in names(checkpoints)
    checkpoints.drop(1)
    checkpoints.drop(1)
    checkpoints.drop(7)
    whats = ("files/params.pt", "prefix", "state")
    assert names(checkpoints) == [f"11/{k}/{what}" for k in (0, 1) for what in whats]


def test_drop_does_not_look_at_other_candidates(checkpoints, monkeypatch):
    checkpoints.save(0, 0, writes(b""))
    checkpoints.save(1, 0, writes(b""))
    seen = []
    for name in ("listdir", "scandir"):
        look = getattr(os, name)

        def note(path=".", look=look):
            seen.append(path)
            return look(path)

        monkeypatch.setattr(os, name, note)
    checkpoints.drop(1, 0)
    checkpoints.drop(1)
    monkeypatch.undo()
    assert not {str(path) for path in seen} & {".", str(checkpoints.path)}
    assert names(checkpoints) == ["0/0/state"]


def test_what_others_wrote_is_removed_without_making_a_folder(checkpoints):
    checkpoints.clear_folder(0, 0)
    assert not list(checkpoints.path.iterdir())
    (checkpoints.folder(0, 0) / "sub").mkdir()
    (checkpoints.folder(0, 0) / "sub" / "params.pt").touch()
    checkpoints.save(0, 0, writes(b""))
    checkpoints.clear_folder(0, 0)
    assert names(checkpoints) == ["0/0/state"]


def test_a_search_has_a_folder_of_its_own(tmp_path):
    users = tmp_path / "new" / "folder"
    with Checkpoints(users) as first:
        first.save(0, 0, writes(b"first"))
        (users / "notes.txt").touch()
        with Checkpoints(users) as second:
            assert second.load(0, 0, reads) is None
        assert not second.path.exists()
        assert first.load(0, 0, reads) == b"first"
    assert [path.name for path in users.iterdir()] == ["notes.txt"]


def test_a_relative_folder_stays_where_it_was_meant(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Checkpoints("here") as one:
        assert one.path.is_absolute() and one.path.parent == tmp_path / "here"


def test_temporary_folder_is_removed():
    with Checkpoints() as one:
        one.save(0, 0, writes(b""))
        one.folder(0, 0)
    assert not one.path.exists()
    one.close()


def test_a_copy_sees_the_same_files(checkpoints):
    checkpoints.save(0, 0, writes(b"state"))
    copy = pickle.loads(pickle.dumps(checkpoints))
    assert copy.load(0, 0, reads) == b"state"
    assert not checkpoints.has_seen("event")
    assert copy.is_first("event")
    assert checkpoints.has_seen("event")
    assert not checkpoints.is_first("event")


def test_a_copy_knows_whether_it_sees_the_folder(checkpoints, tmp_path):
    copy = pickle.loads(pickle.dumps(checkpoints))
    assert copy.is_seen()
    copy.path = tmp_path / "elsewhere"
    assert not copy.is_seen()
    # A machine of its own may have a folder of that name, and even one of a search.
    copy.path.mkdir()
    assert not copy.is_seen()
    with Checkpoints(tmp_path) as other:
        pickle.dumps(other)
        copy.path = other.path
        assert not copy.is_seen()


def test_what_is_packed_on_one_machine_is_kept_on_another(checkpoints, tmp_path):
    checkpoints.save(0, 1, writes(b"old"))
    checkpoints.save(0, 1, writes(b"prefix"), "prefix")
    before = checkpoints.stamps(0, 1)
    assert checkpoints.has(0, 1) and not checkpoints.has(0, 0)
    checkpoints.save(0, 1, writes(b"new"))
    folder = checkpoints.folder(0, 1) / "deep"
    folder.mkdir()
    (folder / "params.pt").write_bytes(b"weights")
    after = checkpoints.stamps(0, 1)
    changed = [name for name in after if after[name] != before.get(name)]
    assert sorted(changed) == ["files/deep/params.pt", "state"]
    with Checkpoints(tmp_path) as there:
        there.save(0, 1, writes(b"prefix"), "prefix")
        there.save(0, 1, writes(b"gone"), "gone")
        there.unpack(0, 1, checkpoints.pack(0, 1, changed), set(after))
        assert sorted(there.stamps(0, 1)) == sorted(after)
        assert there.pack(0, 1, after) == checkpoints.pack(0, 1, after)
        assert there.load(0, 1, reads) == b"new"


def test_the_state_is_unpacked_last(checkpoints, monkeypatch):
    order = []
    save = Checkpoints.save
    monkeypatch.setattr(
        Checkpoints, "save", lambda *args: (order.append(args[4]), save(*args))
    )
    names = ["state", "prefix", "files/z/params.pt", "files/a.pt"]
    checkpoints.unpack(0, 0, {name: b"" for name in names})
    assert order[-1] == "state" and len(order) == 4


def test_only_one_at_a_time(checkpoints):
    inside = []

    def work():
        with checkpoints.locked("all", 0):
            inside.append("in")
            threading.Event().wait(0.01)
            inside.append("out")

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inside == 3 * ["in", "out"]


def test_a_file_system_without_locks(checkpoints, monkeypatch):
    """Nobody is kept out where nobody can be."""
    refused = []

    def refuses(*args, **kwargs):
        refused.append(0)
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", refuses)
    with checkpoints.locked("all", 0), checkpoints.locked("all", 0):
        assert len(refused) == 2
