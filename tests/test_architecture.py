"""The page on architecture: its drawing is that of the code, what it names is there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def drawing(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    import draw_architecture

    yield draw_architecture
    for name in ("draw_architecture", "storeys"):
        del sys.modules[name]


def test_the_drawing_is_that_of_the_code(drawing):
    stored = drawing.DRAWING.read_text(encoding="utf-8")
    assert drawing.draw() == stored, "run: python docs/draw_architecture.py"


def test_every_room_is_drawn_and_no_two_overlap(drawing):
    rooms, edges = drawing.read(drawing.ROOT / "sktune")
    beside = [room for room in rooms if room.name in drawing.BESIDE]
    inside = [room for room in rooms if room not in beside]
    house = drawing.Storeys(inside, edges, 0, drawing.HOUSE, beside, drawing.SIDE)
    boxes = [box for row in house.rows for box in row] + house.beside
    assert sorted(box.room.name for box in boxes) == sorted(room.name for room in rooms)
    for k, one in enumerate(boxes):
        for other in boxes[:k]:
            across = one.x < other.x + other.width and other.x < one.x + one.width
            down = one.y < other.y + other.height and other.y < one.y + one.height
            assert not (across and down), (one.room.name, other.room.name)


def test_what_follows_from_other_arrows_is_left_out(drawing):
    from storeys import lifted, reduced

    edges = {("a", "b"), ("b.x", "c.y"), ("a", "c"), ("a.x", "d"), ("b", "b.x")}
    between = lifted(edges, ["a", "b", "c", "d"])
    assert between == {("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")}
    assert reduced(between) == between - {("a", "c")}


def test_what_the_page_names_is_there():
    page = (DOCS / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:docs|sktune|tests)/[\w./-]+)`", page)
    assert named
    assert [name for name in named if not (DOCS.parent / name).exists()] == []
