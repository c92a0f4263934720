"""Draws `docs/architecture.svg` from the imports of `sktune/`: rooms, floors, arrows.

Run ``python docs/draw_architecture.py`` where rooms, files or imports have changed.
Floors and the reading of imports are those of `tests/test_imports.py`; captions are the
first sentences of docstrings. An arrow that follows from others is left out, and so are
all that end on the lowest floor. Lines are not counted, so that the picture changes
with the rooms and not with every edit.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

from storeys import GAP, LINE, NAME, SHAFTS, Box, Edges, Point, Room, Storeys

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.test_imports import (  # noqa: E402
    BESIDE,
    FLOORS,
    imports_of,
    module_files,
    outer,
    room_of,
)

DRAWING = ROOT / "docs" / "architecture.svg"
# Widths: of floors' numbers, of the house, of what stands beside it.
MARGIN, HOUSE, SIDE = 30, 676, 136
LEGEND = (
    "An arrow leads from a room to one that it imports. Left out: what follows from "
    "other arrows, and all arrows to the lowest floor."
)
# Boxes have a ground of their own, and lines a middle grey: light and dark pages do.
STYLE = """
text { font: 12px sans-serif; fill: #33475b; }
.name { font-size: 12.5px; font-weight: bold; fill: #10202f; }
.files { font-size: 10px; fill: #5b6f82; }
.out { font-size: 11px; fill: #7b838c; }
rect { fill: #e3ebf3; stroke: #8095aa; }
.inner rect { fill: #fbfcfe; stroke: #a9b8c7; }
.beside rect { fill: #f3ecdd; stroke: #a89770; }
path { fill: none; stroke: #768ca3; stroke-width: 1.3; }
marker path { fill: #768ca3; stroke: none; }
"""


def read(package: Path) -> tuple[list[Room], Edges]:
    """All rooms of a package, and which of them import which."""
    files = module_files(package)
    rooms = {module: room_of(module) for module in files}
    edges = set()
    for module, path in files.items():
        for item in imports_of(module, path):
            inner = f"{item.module}.{item.name}"
            target = inner if inner in files else item.module
            if target.partition(".")[0] == package.name:
                edges.add((rooms[module], room_of(target)))

    def room(name: str) -> Room:
        own = [m for m, r in rooms.items() if f"{r}.".startswith(f"{name}.")]
        path = files[min(own, key=len)]
        is_file = len(own) == 1 and path.stem != "__init__"
        last = name.rpartition(".")[2]
        is_root = name == "__init__"
        return Room(
            name,
            FLOORS.get(name, 0),
            package.name if is_root else last + (".py" if is_file else "/"),
            first_sentence(path),
            "" if is_file or is_root else f"{len(own)} files",
            tuple(room(n) for n in FLOORS if outer(n) == name != n and n in found),
        )

    found = set(rooms.values())
    return [
        room(n) for n in [*FLOORS, *sorted(BESIDE)] if outer(n) == n in found
    ], edges


def first_sentence(path: Path) -> str:
    """What a docstring begins with, as plain text."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"\.(?:\s|$)", paragraph)[0].replace("`", "")


def write(
    text: str, x: float, y: float, kind: str = "", *, to_left: bool = False
) -> str:
    attributes = f' class="{kind}"' if kind else ""
    attributes += ' text-anchor="end"' if to_left else ""
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{escape(text)}</text>'


def draw_box(box: Box, down: float, kind: str = "") -> Iterator[str]:
    """A room with all that is in it; its y counts from `down`."""
    x, y, room = box.x, box.y + down, box.room
    yield f'<g class="{kind}">' if kind else "<g>"
    size = f'width="{box.width:g}" height="{box.height:g}"'
    yield f'<rect x="{x:g}" y="{y:g}" {size} rx="5"/>'
    yield write(room.title, x + 9, y + 18, "name")
    if room.files:
        yield write(room.files, x + box.width - 8, y + 18, "files", to_left=True)
    left, top = (NAME, 18) if box.is_wide else (9, 18 + LINE)
    for k, line in enumerate(box.caption):
        yield write(line, x + left, y + top + LINE * k)
    if box.inside:
        yield from draw_storeys(box.inside, y + box.head, "inner")
    yield "</g>"


def draw_storeys(storeys: Storeys, down: float, kind: str = "") -> Iterator[str]:
    for net in storeys.nets:
        for points in net.arrows():
            yield draw_arrow([(x, y + down) for x, y in points])
    for row in storeys.rows:
        for box in row:
            yield from draw_box(box, down, kind)
    for box in storeys.beside:
        yield from draw_box(box, down, "beside")


def draw_arrow(points: Sequence[Point]) -> str:
    """A line along points, with round corners."""
    corners = [points[0]]
    for here, after in pairwise(points[1:]):
        before = corners[-1]
        is_straight = (
            before[0] == here[0] == after[0] or before[1] == here[1] == after[1]
        )
        if here not in (before, after) and not is_straight:
            corners.append(here)
    path = "M{:g} {:g}".format(*points[0])
    for before, here, after in zip(
        corners, corners[1:], [*corners[2:], points[-1]], strict=False
    ):
        radius = min(5, distance(before, here) / 2, distance(here, after) / 2)
        first, last = towards(before, here, radius), towards(after, here, radius)
        path += "L{:g} {:g}Q{:g} {:g} {:g} {:g}".format(*first, *here, *last)
    path += "L{:g} {:g}".format(*points[-1])
    return f'<path d="{path}" marker-end="url(#head)"/>'


def distance(a: Point, b: Point) -> float:
    return abs(a[0] - b[0]) + abs(a[1] - b[1])


def towards(there: Point, here: Point, step: float) -> Point:
    """The point so many steps from here, straight across or straight up or down."""
    x, y = there[0] - here[0], there[1] - here[1]
    return here[0] + step * ((x > 0) - (x < 0)), here[1] + step * ((y > 0) - (y < 0))


def draw(package: Path = ROOT / "sktune") -> str:
    """The whole drawing, as SVG."""
    rooms, edges = read(package)
    beside = [room for room in rooms if room.name in BESIDE]
    floors = [room for room in rooms if room not in beside]
    house = Storeys(floors, edges, MARGIN, HOUSE, beside, SIDE, plain=True)
    width, height = MARGIN + HOUSE + SHAFTS + SIDE + 4, house.height + 40
    numbers = [
        write(f"{row[0].room.floor:g}", 4, row[0].y + 22, "out") for row in house.rows
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" '
            f'height="{height:g}" viewBox="0 0 {width:g} {height:g}">',
            f"<style>{STYLE}</style>",
            '<marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" '
            'markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>',
            *draw_storeys(house, 4),
            *numbers,
            write(LEGEND, MARGIN, house.height + GAP + 14, "out"),
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    DRAWING.write_text(draw(), encoding="utf-8")
