"""The table in README.md: each file of the package, and the tests that hold it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def package() -> list[str]:
    root = TESTS.parent / "sktune"
    files = (path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    return sorted(name for name in files if not name.endswith("__init__.py"))


@pytest.fixture
def rows() -> list[list[list[str]]]:
    """For each row the files that its three cells name."""
    lines = (TESTS / "README.md").read_text(encoding="utf-8").splitlines()
    cells = [line.split("|")[1:-1] for line in lines if line.startswith("| `")]
    table = [[re.findall(r"`([^`]+)`", cell) for cell in row] for row in cells]
    return [row for row in table if row[0] != ["sktune/"]]


def test_each_file_of_the_package_has_one_row(rows):
    assert [name for row in rows for name in row[0]] == package()


def test_each_file_of_the_package_is_held_by_tests(rows):
    assert [row[0] for row in rows if not row[1] + row[2]] == []


def test_unit_tests_lie_where_their_file_does(rows):
    for (name,), units, _ in rows:
        own = Path("unit", name).with_name(f"test_{Path(name).stem.lstrip('_')}.py")
        if (TESTS / own).exists():
            assert own.as_posix() in units, name


def test_the_tests_that_are_named_exist(rows):
    named = {name for row in rows for name in row[1] + row[2]}
    assert sorted(name for name in named if not (TESTS / name).is_file()) == []


def test_each_file_of_unit_tests_is_named(rows):
    named = {name for row in rows for name in row[1] + row[2]}
    units = {f.relative_to(TESTS).as_posix() for f in TESTS.glob("unit/**/test_*.py")}
    assert sorted(units - named) == []
