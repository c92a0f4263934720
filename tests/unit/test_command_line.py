"""``sktune report``: what it writes, and one clear line for what it cannot."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

import sktune
from sktune.__main__ import main

STEPS = 200  # of a twentieth of a second


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "search.jsonl"
    trees = DecisionTreeClassifier(random_state=0)
    search = sktune.GridSearchCV(trees, {"max_depth": [1, 2]}, cv=2, journal=path)
    return search.fit(*load_iris(return_X_y=True)).journal


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_report(journal, tmp_path, capsys):
    assert main(["report", str(journal)]) == 0
    assert capsys.readouterr().out == "wrote report.html\n"
    assert main(["report", str(journal), "-o", "a.html", "--metric", "score"]) == 0
    page = (tmp_path / "a.html").read_text()
    assert page == (tmp_path / "report.html").read_text()
    assert "GridSearchCV of DecisionTreeClassifier" in page


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["gone.jsonl"], "cannot be read"),
        (["."], "cannot be read"),
        (["other.txt"], "is not the journal of a search"),
        (["empty.jsonl"], "is not the journal of a search"),
        (["search.jsonl", "-o", "gone/a.html"], "there is no folder 'gone'"),
        (["search.jsonl", "-o", "search.jsonl"], "is the journal: name another file"),
        (["search.jsonl", "-o", "."], "is a folder"),
        (["search.jsonl", "-o", "/proc/a.html"], "'/proc/a.html' cannot be written"),
        (["search.jsonl", "--metric", "acc"], "this search has ['score']"),
        (["broken.jsonl"], "is broken in line 3"),
        (["broken.jsonl", "--watch"], "is broken in line 3"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    arguments, message, journal, tmp_path, capsys
):
    (tmp_path / "other.txt").write_text("something else\n" * 3)
    (tmp_path / "empty.jsonl").touch()
    lines = journal.read_text().splitlines()
    broken = "\n".join([*lines[:2], "{", *lines[3:], ""])
    (tmp_path / "broken.jsonl").write_text(broken)
    assert main(["report", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error and error.startswith("sktune report: ")
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.parametrize("arguments", [[], ["report"], ["rapport"], ["report", "-x"]])
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: sktune" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["report", "--help"]])
def test_help(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    names = ["--version", "report"]
    if len(arguments) == 2:
        names = ["journal", "-o page, --output page", "--metric", "--watch"]
    assert all(name in told for name in names)


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"sktune {sktune.__version__}\n"


def test_watch_follows_a_journal_until_ctrl_c(journal, tmp_path):
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:3]))
    process = subprocess.Popen(
        [sys.executable, "-m", "sktune", "report", journal, "-o", "a.html", "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        page = tmp_path / "a.html"
        wait_until(lambda: page.exists() and '"candidates":[0],' in page.read_text())
        journal.write_text("".join(lines))
        wait_until(lambda: '"candidates":[0,1],' in page.read_text())
        process.send_signal(signal.SIGINT)
        told, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "")
    assert told.splitlines()[0].endswith("Ctrl-C ends it")
    assert told.splitlines()[-1] == "wrote a.html"
    assert '"reload":null' in page.read_text()


def wait_until(holds):
    for _ in range(STEPS):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")
