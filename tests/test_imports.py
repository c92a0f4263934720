"""The direction of imports: what each room may know, read from the source.

The rooms of `sktune/` stand on floors. An import points strictly down, so that a room
can be read, tested and replaced with nothing in mind but what lies below it.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# By dotted name; a room's own files stand on its floor, those of a sub-room on its own.
FLOORS = {
    "__init__": 8,  # the public names
    "search": 7,
    "search.inputs": 6.5,
    "run": 6,
    "run.listeners": 5,
    "journal": 4,
    "engine": 4,
    "execution": 3.9,
    "execution.dispatch": 3.5,
    "execution.fitting": 3.4,
    "execution.training": 3.3,
    "execution.stacking": 3.25,
    "execution.checkpoint": 3.2,
    "execution._job": 3.15,
    "execution.guards": 3.1,
    "execution.estimators": 3,
    "strategy": 2,
    "schedule": 2,
    "placement": 2,
    "persistence": 2,
    "space": 1,
    "_protocols": 0.5,
    "_types": 0,
    "_errors": 0,
    "_pareto": 0,
    "_text": 0,
    "_random": 0,
    "_compat": 0,
    "_warnings": 0,
    "_show_versions": 0,
}
BESIDE = {  # room: all that it may import
    "advice": {
        "execution",
        "inspection",
        "search",  # 0017 in docs/decisions says why
        "_errors",
        "_random",
        "_text",
        "_types",
        "_warnings",
    },
    "architectures": {
        "inspection",
        "search",
        "space",
        "_compat",
        "_errors",
        "_random",
        "_warnings",
    },
    "inspection": {
        "search",
        "journal",
        "strategy",
        "space",
        "_errors",
        "_pareto",
        "_random",
        "_text",
        "_types",
    },
    "listeners": {"_errors", "_protocols", "_types"},
    "nets": {"_errors"},
    "ensemble": {"_types"},
    "__main__": {"__init__", "inspection"},  # the command line
}
# Methods that hand their search to a room beside, in a function.
HANDS_OVER = {"sktune.search._report": {"sktune.inspection._report"}}
ONLY_IN = {"joblib": "execution.dispatch"}
LAZY = {"matplotlib", "skorch", "torch"}  # inside functions: `import sktune` is quick
# Made of torch and skorch; what others import of it, they import inside functions.
EAGER = {
    "architectures",
    "nets",
    "execution.stacking",
    "sktune.execution.training._array_batches",
}
# Decisions are pure: no clock, no file, no global random state, no estimator.
IMPURE = {"datetime", "os", "pathlib", "random", "sklearn", "skorch", "time"}
STRANGERS = {
    "engine": {"sklearn", "skorch", "torch"},
    "strategy": IMPURE,
    "schedule": IMPURE,
    "space": IMPURE | {"torch"},
    "placement": {"joblib", "sklearn", "skorch"},  # knows the machine only
}
# What one file may know though its room may not; 0009 in docs/decisions says why.
KNOWN = {
    "sktune.strategy._forest": {"sklearn.tree"},
    # What a fit that has the global generators for itself runs, runs in its thread.
    "sktune.execution.guards._random_states": {"joblib"},
    # Its process for what goes when a search is killed.
    "sktune.persistence._folders": {"joblib.externals.loky.backend"},
}
TYPE_CHECKING_EXEMPT = {"_types"}  # names Space in the protocol of a strategy


@dataclass(frozen=True)
class Import:
    """One imported module or name, as it stands in the source."""

    module: str
    name: str | None
    line: int
    at_top: bool


def module_files(package: Path) -> dict[str, Path]:
    """Files of a package by dotted name: ``sktune.space``, ``sktune.space._space``."""
    return {
        ".".join((package.name, *path.relative_to(package).with_suffix("").parts))
        .removesuffix(".__init__"): path
        for path in sorted(package.rglob("*.py"))
    }  # fmt: skip


def room_of(module: str) -> str:
    """``search`` of ``sktune.search._base``, ``__init__`` of ``sktune`` itself.

    Of a sub-room that stands on a floor, both names: ``search.inputs``.
    """
    _, *parts = [*module.split("."), "__init__"]
    inner = ".".join(parts[:2])
    return inner if inner in FLOORS else parts[0]


def outer(room: str) -> str:
    """``search`` of ``search.inputs``."""
    return room.partition(".")[0]


def imports_of(module: str, path: Path) -> Iterator[Import]:
    """All imports of a file, in functions too; relative names made absolute."""
    parent = module if path.name == "__init__.py" else module.rpartition(".")[0]
    exempt = room_of(module) in TYPE_CHECKING_EXEMPT

    def visit(node: ast.AST, at_top: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno, at_top)
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                up = parent.split(".")[: len(parent.split(".")) - node.level + 1]
                source = ".".join([*up, source]).rstrip(".")
            for alias in node.names:
                yield Import(source, alias.name, node.lineno, at_top)
        elif isinstance(node, ast.If) and exempt and is_type_checking(node.test):
            for child in node.orelse:
                yield from visit(child, at_top)
        else:
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            for child in ast.iter_child_nodes(node):
                yield from visit(child, at_top and not is_function)

    yield from visit(ast.parse(path.read_text()), at_top=True)


def is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test).endswith("TYPE_CHECKING")


def is_private(dotted: str | None) -> bool:
    parts = (dotted or "").split(".")
    return any(p.startswith("_") and not p.startswith("__") for p in parts)


def private_attributes(path: Path) -> Iterator[tuple[int, str]]:
    """Uses like ``sklearn.utils._tags``, reached through ``import sklearn``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute):
            dotted = ast.unparse(node)
            if dotted.startswith("sklearn.") and is_private(node.attr):
                yield node.lineno, dotted


def wrong_direction(room: str, target: str) -> str | None:
    """Why a room may not import another, or None if it may."""
    if room == target:
        return None
    if room in BESIDE:
        return None if outer(target) in BESIDE[room] else "may not know that room"
    if target in BESIDE or FLOORS[target] > FLOORS[room]:
        return "points up"
    return "stays on one floor" if FLOORS[target] == FLOORS[room] else None


def violations(package: Path) -> list[str]:
    """Everything in a package that breaks a rule of this file, as ``where: what``."""
    files = module_files(package)
    root = package.name
    found: list[str] = []
    edges: dict[str, set[str]] = {module: set() for module in files}
    for module, path in files.items():
        room = room_of(module)
        is_eager = bool({room, module} & EAGER)
        if room not in FLOORS and room not in BESIDE:
            found.append(f"{module}: room {room!r} stands on no floor")
            continue
        for item in imports_of(module, path):
            where = f"{module}:{item.line}"
            top = item.module.partition(".")[0]
            if top == root:
                inner = f"{item.module}.{item.name}"
                target = inner if inner in files else item.module
                if not item.at_top and target in HANDS_OVER.get(module, ()):
                    continue
                edges[module].add(target)
                if room_of(target) not in FLOORS | BESIDE:
                    found.append(f"{where}: {target} is not there")
                elif why := wrong_direction(room, room_of(target)):
                    found.append(f"{where}: import of {target} {why}")
                if item.at_top and not is_eager and {room_of(target), target} & EAGER:
                    found.append(f"{where}: {target} imported before it is needed")
                continue
            is_known = item.module in KNOWN.get(module, ())
            if ONLY_IN.get(top, room) != room and not is_known:
                found.append(f"{where}: {top} belongs in {ONLY_IN[top]}/")
            if top in STRANGERS.get(outer(room), ()) and not is_known:
                found.append(f"{where}: {room} does not know {top}")
            if top in LAZY and item.at_top and not is_eager:
                found.append(f"{where}: {top} imported before it is needed")
            hidden = is_private(item.module) or is_private(item.name)
            if top == "sklearn" and room != "_compat" and hidden:
                found.append(f"{where}: private sklearn name outside _compat.py")
        if room != "_compat":
            found += [
                f"{module}:{line}: private sklearn name outside _compat.py ({dotted})"
                for line, dotted in private_attributes(path)
            ]
    return found + [f"cycle: {' -> '.join(c)}" for c in cycles(edges)]


def cycles(edges: dict[str, set[str]]) -> Iterator[list[str]]:
    """One path around for each cycle that a walk from every file meets."""
    done: set[str] = set()

    def walk(node: str, path: list[str]) -> Iterator[list[str]]:
        if node in path:
            yield [*path[path.index(node) :], node]
        elif node not in done:
            for following in sorted(edges.get(node, ())):
                yield from walk(following, [*path, node])
            done.add(node)

    for start in edges:
        yield from walk(start, [])


def test_imports_of_sktune():
    assert violations(ROOT / "sktune") == []


def test_every_import_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    ours = [
        requirement
        for name in ("plot", "table", "memory", "tensorboard", "mlflow", "wandb")
        for requirement in extras[name]
    ] + extras["optuna"]
    modules = {"scikit-learn": "sklearn", "mlflow-skinny": "mlflow"}
    names = (
        re.match(r"[\w-]+", requirement)[0]
        for requirement in project["dependencies"] + ours
    )
    declared = {modules.get(name, name) for name in names}
    imported = {
        item.module.partition(".")[0]
        for module, path in module_files(ROOT / "sktune").items()
        for item in imports_of(module, path)
    }
    assert imported - sys.stdlib_module_names - {"sktune"} <= declared


def build(folder: Path, files: dict[str, str]) -> Path:
    """Write a package `sktune` of the given sources."""
    for name, source in files.items():
        path = folder / "sktune" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return folder / "sktune"


GOOD = {
    "__init__.py": "def __getattr__(name):\n    from sktune.search import Search\n",
    "_types.py": (
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from sktune.space import Space\n"
    ),
    "_compat.py": "from sklearn.model_selection._search import BaseSearchCV\n",
    "space/__init__.py": "from sktune.space._space import Space\n",
    "space/_space.py": "from ..  import _types\nfrom scipy import stats\n",
    "strategy/__init__.py": "import numpy\nfrom sktune.space import Space\n",
    "strategy/_forest.py": "def f():\n    from sklearn.tree import Tree\n",
    "execution/dispatch/_x.py": "import joblib\ndef fit():\n    import torch\n",
    "execution/guards/_y.py": "from sktune.execution.estimators import _z\n",
    "execution/estimators/_z.py": "import numpy\n",
    "execution/stacking/__init__.py": "",
    "execution/stacking/_a.py": "import torch\n",
    "execution/training/_b.py": (
        "def f():\n    from sktune.execution.stacking import _a\n"
    ),
    "engine.py": "from sktune._types import Fit\n",
    "search/__init__.py": "import sktune.engine\nfrom sklearn.base import clone\n",
    "inspection/__init__.py": "from sktune.search import Search\n",
    "inspection/_report.py": "",
    "search/_report.py": "def f():\n    from sktune.inspection._report import page\n",
    "__main__.py": "import sktune\nfrom sktune.inspection import page\n",
}


def test_a_good_tree_has_no_violation(tmp_path):
    assert violations(build(tmp_path, GOOD)) == []


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("space/_space.py", "from sktune.engine import run", "engine points up"),
        ("space/_space.py", "from ..engine import run", "engine points up"),
        ("space/_space.py", "from .. import engine", "engine points up"),
        ("space/_space.py", "def f():\n  import sktune.search", "search points up"),
        ("engine.py", "import sktune", "sktune points up"),
        ("search/_x.py", "from sktune import inspection", "inspection points up"),
        ("search/_report.py", "import sktune.inspection._report", "points up"),
        ("search/_x.py", "def f():\n  import sktune.inspection._report", "points up"),
        ("__main__.py", "import sktune.search", "may not know that room"),
        ("strategy/_x.py", "import sktune.schedule", "schedule stays on one floor"),
        ("_errors.py", "from sktune._types import Fit", "_types stays on one floor"),
        ("inspection/_x.py", "from sktune import engine", "may not know that room"),
        ("engine.py", "from sktune import gone", "points up"),
        ("engine.py", "import sktune.gone", "sktune.gone is not there"),
        ("utils.py", "", "room 'utils' stands on no floor"),
        (
            "search/_x.py",
            "from joblib import Parallel",
            "joblib belongs in",
        ),
        ("search/_x.py", "def f():\n  import joblib", "joblib belongs in"),
        ("execution/guards/_x.py", "import joblib", "joblib belongs in"),
        ("execution/guards/_x.py", "import sktune.execution.dispatch", "points up"),
        ("execution/estimators/_x.py", "from sktune import execution", "points up"),
        ("search/inputs/_x.py", "import sktune.search", "sktune.search points up"),
        ("execution/_x.py", "import torch.nn", "torch imported before it is needed"),
        (
            "execution/fitting/_x.py",
            "from sktune.execution.stacking import _a",
            "sktune.execution.stacking._a imported before",
        ),
        ("placement/_x.py", "from skorch import NeuralNet", "does not know skorch"),
        ("placement/_x.py", "import sktune.persistence", "stays on one floor"),
        ("search/_x.py", "try: import skorch\nfinally: pass", "skorch imported"),
        ("search/_x.py", "class A:\n  import torch", "torch imported"),
        ("inspection/_x.py", "import matplotlib.pyplot", "matplotlib imported before"),
        ("engine.py", "import sklearn", "engine does not know sklearn"),
        ("strategy/_x.py", "import time", "strategy does not know time"),
        ("strategy/_x.py", "import sklearn.tree", "strategy does not know sklearn"),
        ("strategy/_forest.py", "import sklearn.base", "does not know sklearn"),
        ("schedule/_x.py", "from pathlib import Path", "does not know pathlib"),
        ("search/_x.py", "from sklearn.base import _clone", "private sklearn"),
        ("search/_x.py", "from sklearn._config import x", "private sklearn"),
        ("search/_x.py", "import sklearn\nsklearn.base._clone", "private sklearn"),
        (
            "space/_space.py",
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    from sktune.engine import run\n",
            "engine points up",
        ),
        (
            "space/_space.py",
            "from sktune.space import Space",
            "cycle: sktune.space -> sktune.space._space -> sktune.space",
        ),
    ],
)
def test_each_rule_can_fail(tmp_path, name, source, message):
    found = violations(build(tmp_path, GOOD | {name: source}))
    assert any(message in line for line in found), found
