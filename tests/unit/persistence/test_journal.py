"""A file of records: what is in it stays, whatever happens to who writes."""

import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sktune._errors import JournalError
from sktune.persistence import PROTOCOL, Journal, read_records

HEADER = {"id": "0" * 32}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "search.jsonl"


def write(path, *records):
    with Journal(path) as journal:
        if not journal.records:
            journal.begin(HEADER)
        for record in records:
            journal.append(record)


def numbers(path):
    return [record["n"] for record in read_records(path)[1:]]


def files_beside(path):
    """All files there but the lock, which older versions of filelock remove."""
    names = {p.name for p in path.parent.iterdir()}
    return sorted(names - {f"{path.name}.lock"})


def test_records_are_appended(path):
    write(path, {"n": 1, "text": "ä\n\r\u2028"}, {"n": 2})
    write(path, {"n": 3})
    assert numbers(path) == [1, 2, 3]
    assert read_records(path)[1]["text"] == "ä\n\r\u2028"
    assert read_records(path)[0] == {"record": "search", "protocol": PROTOCOL, **HEADER}
    assert len(path.read_text().splitlines()) == 4
    assert files_beside(path) == [path.name]


def test_a_record_is_there_while_the_file_is_written(path):
    with Journal(path) as journal:
        journal.begin(HEADER)
        journal.append({"n": 1})
        assert numbers(path) == [1]
        with path.open("a") as file:
            file.write('{"n": 2, "half')
        assert numbers(path) == [1]


def test_each_record_is_on_the_disk_before_the_next(path, monkeypatch):
    calls = []
    for name in ("write", "fsync"):
        real = getattr(os, name)

        def noted(*args, name=name, real=real):
            calls.append(name)
            return real(*args)

        monkeypatch.setattr(os, name, noted)
    with Journal(path) as journal:
        journal.begin(HEADER)
        calls.clear()
        journal.append({"n": 1})
        journal.append({"n": 2})
    assert calls == ["write", "fsync", "write", "fsync"]


@pytest.mark.parametrize("tail", [b'{"n": 3, "x', b'{"n": 3}', b"\0\0\0\n", b"\xff\n"])
def test_a_torn_last_line_is_cut_off(path, tail):
    write(path, {"n": 1}, {"n": 2})
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    assert numbers(path) == [1, 2]
    assert path.read_bytes() == whole + tail, "reading changes nothing"
    write(path)
    assert path.read_bytes() == whole
    path.write_bytes(whole + tail)
    write(path, {"n": 4})
    assert numbers(path) == [1, 2, 4]


def test_cut_at_every_byte(path):
    write(path, {"n": 1}, {"n": 2}, {"n": 3})
    whole = path.read_bytes()
    header, first, second, _ = whole.splitlines(keepends=True)
    two = len(header) + len(first)
    for size in range(two, len(whole)):
        path.write_bytes(whole[:size])
        write(path, {"n": 9})
        before = [1] if size < two + len(second) else [1, 2]
        assert numbers(path) == [*before, 9], size


def test_a_torn_line_elsewhere_is_named(path):
    write(path, {"n": 1}, {"n": 2})
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:5] + b"\n" + lines[2])
    for read in (lambda: read_records(path), lambda: write(path)):
        with pytest.raises(JournalError, match=r"broken in line 2.*Restore the file"):
            read()


@pytest.mark.parametrize(
    "content", ["a,b\n1,2\n", '{"record": "fit"}\n', '{"record": "search', "[]\n"]
)
def test_another_file_is_left_alone(path, content):
    path.write_text(content)
    with pytest.raises(JournalError, match="is not the journal of a search"):
        write(path)
    assert path.read_text() == content


def test_an_empty_file_is_a_new_journal(path):
    path.touch()
    write(path, {"n": 1})
    assert numbers(path) == [1]


def test_a_journal_of_a_later_version(path):
    line = {"record": "search", "protocol": PROTOCOL + 1}
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(JournalError, match=rf"{PROTOCOL + 1}.*Update sktune"):
        read_records(path)


def test_no_journal(path):
    with pytest.raises(JournalError, match="cannot be read"):
        read_records(path)


def test_a_second_writer(path):
    with Journal(path) as journal:
        journal.begin(HEADER)
        with pytest.raises(JournalError, match="being written by another search"):
            write(path)
        journal.append({"n": 1})
    write(path, {"n": 2})
    assert numbers(path) == [1, 2]


HOLD = """
import sys, time
from sktune.persistence import Journal
with Journal(sys.argv[1]) as journal:
    journal.begin({"id": "0" * 32})
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.slow
def test_the_right_to_write_dies_with_the_process(path):
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(JournalError, match="being written by another search"):
                write(path)
        finally:
            holder.send_signal(signal.SIGKILL)
    write(path, {"n": 1})
    assert numbers(path) == [1]


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("", "it is a folder"),
        ("missing/search.jsonl", "there is no folder"),
        ("file/search.jsonl", "there is no folder"),
    ],
)
def test_a_place_that_cannot_be_written(tmp_path, place, message):
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=rf"cannot be written: .*{message}"):
        write(tmp_path / place)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in files")
def test_what_is_no_file_is_left_alone(path):
    """A new journal takes the place of what has its name, and root may do that."""
    os.mkfifo(path)
    with pytest.raises(JournalError, match="it is no file"), Journal(path):
        pass
    assert path.is_fifo()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_a_file_system_that_takes_no_files():
    with pytest.raises(JournalError, match=r"'/proc/search.jsonl' cannot be written"):
        write("/proc/search.jsonl")


@pytest.fixture
def limit():
    """Sets the largest size of a file, which the system enforces."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda n: resource.setrlimit(resource.RLIMIT_FSIZE, (n, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk(path, limit):
    write(path, {"n": 1})
    before = path.read_bytes()
    with Journal(path) as journal:
        limit(len(before) + 10)
        with pytest.raises(JournalError, match=r"cannot be written: .*Make room"):
            journal.append({"n": 2, "text": "x" * 100})
        assert path.read_bytes() == before, "no half of a record is left"
        limit(resource.RLIM_INFINITY)
        journal.append({"n": 3})
    assert numbers(path) == [1, 3]


def test_a_disk_that_is_full_from_the_beginning(path, limit):
    with Journal(path) as journal:
        limit(10)
        with pytest.raises(JournalError, match="cannot be written"):
            journal.begin(HEADER)
        limit(resource.RLIM_INFINITY)
    assert files_beside(path) == []
