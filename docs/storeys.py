"""Where rooms and arrows stand in a drawing: `draw_architecture.py` says of what.

All arrows to one room share their end. Those that pass a floor do so in a shaft beside
its rooms; between two floors each has a track of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

SHAFTS = 20  # at both sides of a floor, for arrows that pass it
WIDEST, WIDE = 588, 300  # a room that is the only one of its floor, and others
GAP = 14  # between rooms of one floor
TRACK = 8  # between arrows that run side by side
HEAD = 12  # of an arrow
LINE, FONT = 15, 12  # of captions
NAME, FILES = 104, 56  # what these take of a line

Edges = set[tuple[str, str]]
Point = tuple[float, float]


@dataclass(frozen=True)
class Room:
    """What is to be said of a room."""

    name: str
    floor: float
    title: str
    caption: str
    files: str = ""
    inner: tuple[Room, ...] = ()


class Box:
    """A room, at its place: name and caption in one line if it is wide."""

    def __init__(self, room: Room, edges: Edges, x: float, width: float) -> None:
        self.room, self.x, self.width, self.y = room, x, width, 0.0
        self.is_wide = width > 1.5 * WIDE
        left = NAME + FILES if self.is_wide else 18
        self.caption = wrapped(room.caption, width - left)
        self.inside = room.inner and Storeys(room.inner, edges, x + 4, width - 8)
        self.head = 12 + LINE * (len(self.caption) + (not self.is_wide))
        self.height = self.head + (self.inside.height + 10 if self.inside else 0)

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(eq=False)
class Net:
    """All arrows to one room.

    `sources` have the row of each room that knows it, `ports` where its arrow begins,
    `sides` where that of a room beside all floors comes down.
    """

    target: Box
    row: int
    sources: dict[Box, int]
    ports: dict[Box, float] = field(default_factory=dict)
    sides: dict[Box, float] = field(default_factory=dict)
    shaft: float = 0
    tracks: dict[int, float] = field(default_factory=dict)

    @property
    def top(self) -> int:
        return min(self.sources.values(), default=self.row - 1)

    def above(self, gap: int) -> list[float]:
        """Where arrows come into the gap below a row."""
        xs = [self.ports[box] for box, row in self.sources.items() if row == gap]
        if self.top < gap:
            xs.append(self.shaft)
        return xs + (list(self.sides.values()) if gap == self.row - 1 else [])

    def below(self, gap: int) -> float:
        """Where they leave it."""
        return self.target.middle if gap == self.row - 1 else self.shaft

    def span(self, gap: int) -> tuple[float, float]:
        xs = [*self.above(gap), self.below(gap)]
        return min(xs), max(xs)

    def arrows(self) -> Iterator[list[Point]]:
        """Corners of the line from each room that knows this one."""
        last, x = self.row - 1, self.target.middle
        y = self.tracks.get(last, self.target.y - HEAD)
        end = [(x, y), (x, self.target.y)]
        for box, row in self.sources.items():
            port, start = self.ports[box], box.y + box.height
            if row < last:
                high = self.tracks.get(row, start + HEAD)
                down = [(port, high), (self.shaft, high), (self.shaft, y)]
            else:
                down = [(port, y)]
            yield [(port, start), *down, *end]
        for box, side in self.sides.items():
            start = box.y + box.height / 2
            yield [(box.x, start), (side, start), (side, y), *end]


class Storeys:
    """Rooms on their floors, the highest first, and the arrows between them.

    Parameters
    ----------
    rooms : those of a house, or of one room
    edges : pairs of names, of the room that imports and the one that is imported
    x, width : where
    beside : rooms that stand right of the floors
    plain : whether arrows to the lowest floor are left out
    """

    def __init__(
        self,
        rooms: Sequence[Room],
        edges: Edges,
        x: float,
        width: float,
        beside: Sequence[Room] = (),
        beside_width: float = 0,
        plain: bool = False,
    ) -> None:
        self.x, self.width = x, width
        floors = sorted({room.floor for room in rooms}, reverse=True)
        rows = [[r for r in rooms if r.floor == floor] for floor in floors]
        lowest = {room.name for room in rows[-1]} if plain else set()
        kept = reduced(lifted(edges, [room.name for room in (*rooms, *beside)]))
        kept = {(a, b) for a, b in kept if b not in lowest}
        self.rows = [self._stand(row, edges) for row in ordered(rows, kept)]
        right = x + width
        self.beside = [Box(r, edges, right + SHAFTS, beside_width) for r in beside]
        self.nets = list(self._nets(kept))
        self._choose_shafts()
        self._choose_ports()
        self.height = self._descend()

    def _stand(self, rooms: Sequence[Room], edges: Edges) -> list[Box]:
        """Boxes of one floor, side by side in the middle, of one size."""
        n = len(rooms)
        each = (self.width - 2 * SHAFTS - GAP * (n - 1)) / n
        width = round(min(each, WIDEST if n == 1 else WIDE))
        x = self.x + round((self.width - n * width - GAP * (n - 1)) / 2)
        boxes = [
            Box(room, edges, x + k * (width + GAP), width)
            for k, room in enumerate(rooms)
        ]
        for box in boxes:
            box.height = max(other.height for other in boxes)
        return boxes

    def _nets(self, edges: Edges) -> Iterator[Net]:
        at = {box.room.name: (box, k) for k, row in enumerate(self.rows) for box in row}
        right = self.x + self.width
        for name, (box, row) in at.items():
            sources = dict(at[a] for a, b in sorted(edges) if b == name and a in at)
            beside = [
                other for other in self.beside if (other.room.name, name) in edges
            ]
            if sources or beside:
                yield Net(box, row, sources, sides=dict.fromkeys(beside, right))
            right += TRACK * bool(beside)

    def _choose_shafts(self) -> None:
        """For each net that passes a floor, the longest first."""
        longest = sorted(self.nets, key=lambda net: net.top - net.row)
        done: list[Net] = []
        for net in longest:
            passed = [box for row in self.rows[net.top + 1 : net.row] for box in row]
            if not passed:
                continue
            free = [
                x
                for x in grid(self.x, self.x + self.width)
                if all(abs(x - box.middle) > box.width / 2 + 4 for box in passed)
            ]
            ends = [box.middle for box in (*net.sources, net.target)]
            met = [n for n in done if n.top < net.row and net.top < n.row]
            taken = [n.shaft for n in met]
            taken += [n.target.middle for n in self.nets if net.top < n.row <= net.row]
            net.shaft = nearest(free, sum(ends) / len(ends), taken)
            done.append(net)

    def _choose_ports(self) -> None:
        """Arrows begin above the place to which they lead, if the room is there."""
        for net in self.nets:
            for box, row in net.sources.items():
                others = [n for n in self.nets if n is not net and n.top <= row < n.row]
                taken = [n.below(row) for n in others]
                taken += [n.shaft for n in others if n.top < row]
                taken += [n.ports[box] for n in others if box in n.ports]
                to, last = net.below(row), box.x + box.width - 12
                free = [x for x in [to] if box.x + 12 <= x <= last]
                net.ports[box] = nearest([*free, *grid(box.x + 12, last)], to, taken)

    def _descend(self) -> float:
        """Give all rows, and the tracks between them, their y; returns the height."""
        y = HEAD if any(net.row == 0 for net in self.nets) else 0.0
        for k, row in enumerate(self.rows):
            for box in row:
                box.y = y
            y += row[0].height
            nets = [net for net in self.nets if net.top <= k < net.row]
            levels = untangled({net: net.span(k) for net in nets}, k)
            for net, level in levels.items():
                net.tracks[k] = y + TRACK * (level + 1)
            if k + 1 < len(self.rows):
                y += HEAD + TRACK * (max(levels.values(), default=0) + 1)
        below = self.rows[min(1, len(self.rows) - 1)][0].y
        for box in self.beside:
            box.y, below = below, below + box.height + GAP
        return max(y, below - GAP if self.beside else 0)


# -- which arrows ----------------------------------------------------------------------


def lifted(edges: Edges, names: Sequence[str]) -> Edges:
    """Edges between rooms of these names, those of their inner rooms among them."""

    def lift(name: str) -> str | None:
        return next((n for n in names if f"{name}.".startswith(f"{n}.")), None)

    pairs = {(lift(a), lift(b)) for a, b in edges}
    return {(a, b) for a, b in pairs if a and b and a != b}


def reduced(edges: Edges) -> Edges:
    """Edges without those that follow from others."""

    def reaches(start: str, end: str) -> bool:
        return any(a == start and (b == end or reaches(b, end)) for a, b in edges)

    def follows(a: str, b: str) -> bool:
        return any(c == a and d != b and reaches(d, b) for c, d in edges)

    return {(a, b) for a, b in edges if not follows(a, b)}


# -- what is near and does not cross ---------------------------------------------------


def ordered(rows: list[list[Room]], edges: Edges) -> list[list[Room]]:
    """Rooms of each floor in the order that keeps arrows short."""

    def length(rows: Sequence[Sequence[Room]]) -> float:
        at = {
            room.name: (2 * k + 1) / len(row)
            for row in rows
            for k, room in enumerate(row)
        }
        return sum(abs(at[a] - at[b]) for a, b in sorted(edges) if a in at and b in at)

    for _ in range(3):
        for k, row in enumerate(rows):
            if len(row) <= 6:
                rows = min(
                    (
                        [*rows[:k], [*order], *rows[k + 1 :]]
                        for order in permutations(row)
                    ),
                    key=length,
                )
    return rows


def grid(first: float, last: float) -> list[float]:
    return [first + 2 * k for k in range(int((last - first) / 2) + 1)]


def nearest(places: Sequence[float], ideal: float, taken: Iterable[float]) -> float:
    """The place next to the ideal one that is clear of others, if there is one."""
    taken = list(taken)
    clear = [x for x in places if all(abs(x - other) >= TRACK for other in taken)]
    return min(clear or places, key=lambda x: abs(x - ideal))


def untangled(spans: dict[Net, tuple[float, float]], gap: int) -> dict[Net, int]:
    """A track below a row for each net that turns there, so that few of them cross."""
    nets = [net for net, (low, high) in spans.items() if low < high]

    def is_crossed(net: Net, x: float) -> bool:
        return spans[net][0] < x < spans[net][1]

    def crossings(order: Sequence[Net]) -> int:
        return sum(
            is_crossed(lower, upper.below(gap))
            + sum(is_crossed(upper, x) for x in lower.above(gap))
            for k, upper in enumerate(order)
            for lower in order[k + 1 :]
        )

    levels: dict[Net, int] = {}
    for net in min(permutations(nets), key=crossings) if len(nets) < 8 else nets:
        low, high = spans[net][0] - TRACK, spans[net][1] + TRACK
        met = [n for n in levels if spans[n][0] <= high and low <= spans[n][1]]
        levels[net] = max((levels[n] for n in met), default=-1) + 1
    return levels


def wrapped(text: str, width: float) -> list[str]:
    """Lines of a text, in a font that runs wide."""

    def width_of(line: str) -> float:
        narrow, wide = "iljtf.,:;'|!()[]r ", "mwMW@%_"
        return FONT * sum(
            0.35 if c in narrow else 0.86 if c in wide else 0.6 for c in line
        )

    lines: list[str] = []
    for word in text.split():
        if lines and width_of(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
