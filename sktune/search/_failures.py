"""What is said of fits that failed: how many, of what, and each thing once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sktune import _compat
from sktune._errors import PREFLIGHT
from sktune._types import FitOutcome
from sktune._warnings import at_the_users_line, warn
from sktune.execution import first_raised

# What differs between failures that are equal: numbers, addresses, paths.
_VALUES = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[\w.~-]*[/\\]\S+")
_MAX_SHOWN = 5
_WIDTH = 200


def warn_or_raise_about_failures(
    outcomes: Sequence[FitOutcome], error_score: Any
) -> None:
    """Say how many fits failed, and of what; raise where all of them did."""
    errors = _counted([outcome.fit_error for outcome in outcomes])
    told = [{"fit_error": error} for error in errors]
    try:
        with at_the_users_line():
            _compat.warn_or_raise_about_fit_failures(told, error_score)
    except ValueError as error:
        _, cause = first_raised(outcomes)
        error.add_note(PREFLIGHT)
        raise error from cause
    _warn_of_scoring(outcomes, error_score)


def _warn_of_scoring(outcomes: Sequence[FitOutcome], error_score: Any) -> None:
    """Say of scorers that raised what scikit-learn says, and each thing once."""
    told = Counter(filter(None, _counted([one.score_error for one in outcomes])))
    for error, n in told.items():
        which = "this train-test partition"
        if n > 1:
            which = f"{n} of {len(outcomes)} train-test partitions"
        warn(
            f"Scoring failed. The score on {which} for these parameters will be set to "
            f"{error_score}. Details: \n{error}"
        )


def _counted(tracebacks: Sequence[str | None]) -> list[str | None]:
    """The same text in place of tracebacks that differ by values only."""
    groups: dict[str, Counter[str]] = {}
    for text in tracebacks:
        if text is not None:
            groups.setdefault(_without_values(text), Counter())[text] += 1
    texts = {key: _text_of(group) for key, group in groups.items()}
    return [None if one is None else texts[_without_values(one)] for one in tracebacks]


def _without_values(traceback: str) -> str:
    """A traceback by whose equality failures are equal: files and lines count."""
    return "\n".join(
        line if line.startswith("  ") else _VALUES.sub("*", line)
        for line in traceback.splitlines()
    )


def _text_of(group: Counter[str]) -> str:
    """The first traceback, and what the others say in place of it."""
    first, *others = group
    if not others:
        return first
    lines = [
        f"  {_short(_message(text))}" + (f" ({group[text]} times)" * (group[text] > 1))
        for text in others[:_MAX_SHOWN]
    ]
    if len(others) > _MAX_SHOWN:
        lines.append(f"  and {len(others) - _MAX_SHOWN} others")
    return (
        f"{first.rstrip()}\n\nThe same with other values:\n" + "\n".join(lines) + "\n"
    )


def _message(traceback: str) -> str:
    """What an exception says, below its frames."""
    lines = traceback.rstrip().splitlines()
    n_frames = max((k for k, one in enumerate(lines) if one[:2] == "  "), default=-1)
    return " ".join(lines[n_frames + 1 :] or lines[-1:])


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
