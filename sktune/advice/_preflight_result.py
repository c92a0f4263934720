"""What `preflight` has found: points, and what a search will cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap
from typing import Any

from sktune._text import aligned, duration, html_table
from sktune.advice._check import Check
from sktune.advice._time_estimate import RungTime, TimeEstimate

_WIDTH = 88
_MARKS = {"ok": "ok", "warn": "WARN", "fail": "FAIL", "na": "-"}
_COLOURS = {"ok": "#1a7f37", "warn": "#9a6700", "fail": "#cf222e", "na": "#6e7781"}
# A longer table shows so many rungs of its beginning, and of its end.
_SHOWN = 12


class PreflightError(ValueError):
    """Something of a search fails that can be known before it runs."""


@dataclass(frozen=True, repr=False)
class Preflight:
    """What a search would do, and cost; prints as a table.

    Attributes
    ----------
    checks : tuple of Check
        Each with `name`, `status` ("ok", "warn", "fail", "na") and `message`.
    time : TimeEstimate or None
        `seconds`, a range from `low` to `high`, the table `rungs` and more; None where
        nothing could be timed.
    plan : Plan or None
        ``search.plan(X, y)`` of a search with rungs.
    per_hour : float or None
        What an hour costs.
    unit : str
        Of the money.
    preflight_seconds : float
        What this check took.
    """

    checks: tuple[Check, ...]
    time: TimeEstimate | None = None
    plan: Any = None
    per_hour: float | None = None
    unit: str = ""
    preflight_seconds: float = 0.0

    @property
    def seconds(self) -> float | None:
        """How long `fit` will take, the refit included; at most, where it may spare."""
        return None if self.time is None else self.time.seconds

    @property
    def cost(self) -> float | None:
        """What `seconds` cost, in the unit of ``cost_per_hour``."""
        if self.time is None or self.per_hour is None:
            return None
        return self.time.seconds / 3600 * self.per_hour

    @property
    def failures(self) -> tuple[Check, ...]:
        """The points that would make the search fail, or learn nothing."""
        return tuple(one for one in self.checks if one.status == "fail")

    @property
    def warnings(self) -> tuple[Check, ...]:
        """The points to look at."""
        return tuple(one for one in self.checks if one.status == "warn")

    def __getitem__(self, name: str) -> Check:
        """The check of a name."""
        for one in self.checks:
            if one.name == name:
                return one
        names = ", ".join(repr(one.name) for one in self.checks)
        raise KeyError(f"{name!r} is no check; there are {names}")

    def raise_for_failures(self) -> None:
        """Raise where a point fails, for scripts that spend money without a reader.

        Raises
        ------
        PreflightError
            With the message of each.
        """
        if failures := self.failures:
            told = "\n".join(f"- {one.name}: {one.message}" for one in failures)
            raise PreflightError(f"The search is not ready:\n{told}")

    # -- shown -------------------------------------------------------------------------

    def __repr__(self) -> str:
        width = max(len(one.name) for one in self.checks)
        lines = []
        for one in self.checks:
            head = f"{_MARKS[one.status]:<4}  {one.name:<{width}}  "
            indent = " " * len(head)
            lines += wrap(
                one.message,
                _WIDTH,
                initial_indent=head,
                subsequent_indent=indent,
                break_long_words=False,
            )
        if self.time is not None:
            lines += ["", aligned([self._head, *self._rows()]), *self._summary()]
        return "\n".join([*lines, self._verdict()])

    def _repr_html_(self) -> str:
        cell = '<td style="text-align:left;vertical-align:top;padding:.15em .8em">'
        checks = "".join(
            f'<tr>{cell}<b style="color:{_COLOURS[one.status]}">'
            f"{_MARKS[one.status]}</b></td>{cell}{escape(one.name)}</td>"
            f"{cell}{escape(one.message)}</td></tr>"
            for one in self.checks
        )
        parts = [f"<p><b>{escape(self._verdict())}</b></p><table>{checks}</table>"]
        if self.time is not None:
            parts.append(html_table(self._head, self._rows()))
            parts += [f"<p>{escape(line)}</p>" for line in self._summary()]
        return "".join(parts)

    @property
    def _head(self) -> tuple[str, ...]:
        assert self.time is not None
        step = self.time.step if self.time.rungs[0].n_resources is not None else ""
        resource = () if not step else (_plural(step),)
        return ("bracket", "iter", "candidates", *resource, "fits", "time of fits")

    def _rows(self) -> list[tuple[str, ...]]:
        assert self.time is not None
        rungs: Sequence[RungTime] = self.time.rungs
        rows = [
            (
                str(rung.bracket),
                str(rung.iter),
                str(rung.n_candidates),
                *(() if rung.n_resources is None else (str(rung.n_resources),)),
                str(rung.n_fits),
                duration(rung.seconds),
            )
            for rung in rungs
        ]
        if len(rows) <= 2 * _SHOWN + 1:
            return rows
        dots = ("...",) * len(rows[0])
        return [*rows[:_SHOWN], dots, *rows[-_SHOWN:]]

    def _summary(self) -> Iterable[str]:
        time = self.time
        assert time is not None
        most = "at most " if time.is_bound else ""
        yield (
            f"The search takes {most}about {duration(time.seconds)} (from "
            f"{duration(time.low)} to {duration(time.high)}) with {time.n_workers} "
            f"worker{'s' * (time.n_workers > 1)}."
        )
        told = [f"a whole fit {duration(time.per_fit)}"]
        if time.per_step is not None:
            told.insert(
                0, f"an {time.step}" if time.step == "epoch" else f"one {time.step}"
            )
            told[0] += f" {duration(time.per_step)}"
        if time.refit:
            told.append(f"the refit {duration(time.refit)}")
        if time.start > 0.5:
            told.append(f"workers start in {duration(time.start)}")
        if time.slowdown > 1.15:
            told.append(
                f"fits beside each other take {time.slowdown:.1f} times as long"
            )
        yield f"Of {time.n_timed} candidates: {', '.join(told)}."
        if (cost := self.cost) is not None and self.per_hour is not None:
            low, high = (s / 3600 * self.per_hour for s in (time.low, time.high))
            unit = f" {self.unit}" if self.unit else ""
            yield (
                f"It costs {most}about {_money(cost)}{unit} (from {_money(low)} to "
                f"{_money(high)}), at {self.per_hour:g}{unit} per hour."
            )

    def _verdict(self) -> str:
        n_fail, n_warn = len(self.failures), len(self.warnings)
        if n_fail:
            said = f"Not ready: {n_fail} point{'s' * (n_fail > 1)} to mend"
            return f"{said}, {n_warn} to look at." if n_warn else f"{said}."
        if n_warn:
            return f"Ready, with {n_warn} point{'s' * (n_warn > 1)} to look at."
        return "Ready."


def _money(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def _plural(word: str) -> str:
    return "epochs" if word == "epoch" else word
