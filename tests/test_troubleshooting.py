"""What docs/guides/troubleshooting.md quotes is what is raised."""

from __future__ import annotations

import ast
import inspect
import multiprocessing.spawn
import pickle
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch
from sklearn.utils import check_array
from torch import nn

import sktune

PAGE = Path(__file__).parents[1] / "docs" / "guides" / "troubleshooting.md"
VALUE = "\0"  # where a message has what depends on the case


def quoted() -> Iterator[tuple[str, str]]:
    """Each message, and whose it is."""
    lines = PAGE.read_text().splitlines()
    for line, after in pairwise(lines):
        if not after.startswith(": "):
            continue
        found = re.fullmatch(r"`(.+)`(?: \((\w+)\))?", line)
        assert found, f"no message and no package: {line}"
        yield found[1], found[2] or "sktune"


MESSAGES = list(quoted())


def pattern(message: str) -> re.Pattern[str]:
    """All fixed words in their order, but for those between two values."""
    parts = [part.strip(" :,.()") for part in message.split("…")]
    long = [part for part in parts if len(part) >= 12] or parts
    return re.compile(".*".join(map(re.escape, long)), re.DOTALL)


def text_of(node: ast.AST) -> str | None:
    """A string of the source, with a mark in place of values."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or VALUE for part in parts)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return f"{text_of(left) or VALUE}{text_of(right) or VALUE}"
    return None


@cache
def texts(package: str) -> list[str]:
    if package == "sktune":
        files = sorted(Path(sktune.__file__).parent.rglob("*.py"))
    elif package == "torch":
        root = Path(torch.__file__).parent / "optim"
        files = [root / "optimizer.py", root / "lr_scheduler.py"]
    else:
        root = Path(sklearn.__file__).parent
        names = ["_search.py", "_validation.py", "_split.py"]
        files = [root / "model_selection" / name for name in names]
        files += [root / "utils" / n for n in ("_available_if.py", "validation.py")]
    nodes = (node for one in files for node in ast.walk(ast.parse(one.read_text())))
    return [text for node in nodes if (text := text_of(node))]


def occurs(message: str, package: str) -> bool:
    wanted = pattern(message)
    return any(wanted.search(one) for one in texts(package))


@pytest.mark.parametrize("message", [m for m, whose in MESSAGES if whose == "sktune"])
def test_sktunes_own_messages(message):
    assert occurs(message, "sktune")


@pytest.mark.one_end  # others word them anew from version to version
@pytest.mark.parametrize("message", [m for m, whose in MESSAGES if whose == "sklearn"])
def test_messages_of_sklearn(message):
    # What is a value there.
    for value in ("'predict'", "test scores"):
        message = message.replace(value, value.replace("test", "…").replace("'", "…"))
    with pytest.raises(ValueError, match="NaN") as caught:
        check_array([[np.nan]], input_name="X")
    assert occurs(message, "sklearn") or message in str(caught.value)


def said_by_others() -> Iterator[str]:
    """What torch and Python say of what users do."""

    class Local:
        pass

    layer, n = nn.Linear(4, 3), torch.zeros
    binary, loss = nn.BCEWithLogitsLoss(), nn.CrossEntropyLoss()
    calls = [
        lambda: layer(n(2, 4, dtype=torch.float64)),
        lambda: layer(n(2, 5)),
        lambda: binary(n(2, 1), n(2)),
        lambda: loss(n(2, 3), n(2)),
        lambda: loss(n(2, 3), torch.tensor([0, 3])),
        lambda: nn.BatchNorm1d(3)(n(1, 3)),
        lambda: pickle.dumps(Local()),
    ]
    for call in calls:
        with pytest.raises(Exception) as caught:
            call()
        yield str(caught.value)


@pytest.mark.one_end
def test_messages_of_torch_and_python():
    said = [*said_by_others(), inspect.getsource(multiprocessing.spawn)]
    wanted = [m for m, whose in MESSAGES if whose in ("python", "torch")]
    found = [m for m in wanted if any(pattern(m).search(text) for text in said)]
    assert len(found) == len(said)
    rest = {m for m in wanted if m not in found and not occurs(m, "torch")}
    # These need a GPU, or a torch that was made for one.
    assert all("CUDA" in m or "same device" in m for m in rest), rest


def test_the_page_is_found_and_its_messages_are_there_once():
    assert len(MESSAGES) >= 80
    assert len({m for m, _ in MESSAGES}) == len(MESSAGES)
    assert "guides/troubleshooting" in (PAGE.parents[1] / "index.md").read_text()
