"""What is printed for reports of faults."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import sktune
from sktune._show_versions import CORE, OPTIONAL

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_versions_of_all_that_is_used(capsys):
    sktune.show_versions()
    out = capsys.readouterr().out
    for name in ("sktune", "torch", "skorch"):
        assert f" {name}: {version(name)}\n" in out
    for title in ("System", "Packages"):
        assert f"\n{title}:\n" in out


def test_what_is_not_installed(monkeypatch, capsys):
    monkeypatch.setattr("sktune._show_versions.OPTIONAL", ("no-such-package",))
    sktune.show_versions()
    assert "no-such-package: not installed" in capsys.readouterr().out


def test_no_dependency_is_left_out():
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    extras = project["optional-dependencies"]
    named = [*project["dependencies"], *extras["plot"], *extras["dask"]]
    named += [*extras["ray"], *extras["table"], *extras["memory"]]
    names = {one.partition(">")[0].partition("=")[0] for one in named}
    assert names - {"distributed"} <= {*CORE, *OPTIONAL}
