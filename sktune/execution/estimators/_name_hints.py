"""Hints for names that are not there: the nearest of those that are."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache, lru_cache

_ALIKE = 0.6  # of two words, from which one may be a slip of the other
_SURELY_ALIKE = 0.8
_COLLAPSED_ALIKE = 0.9  # of whole names: `module_hidden` has lost an underscore
_LEFT_OUT = 0.03  # for each level that the name lacks
_TOO_MANY = 0.5  # what a level counts that is not there
_TIE = 0.02
_N_SHOWN, _N_NEAREST = 15, 6  # names in a list, and of one that is too long


def hint(name: str, valid: Iterable[str]) -> str:
    """`` Did you mean 'net__lr'?``, or an empty string where nothing is near."""
    near = nearest_names(name, valid)[:3]
    if not near:
        return ""
    *others, last = map(repr, near)
    return f" Did you mean {', '.join(others) + ' or ' if others else ''}{last}?"


def nearest_names(name: str, valid: Iterable[str]) -> list[str]:
    """The valid names that are nearest to `name`, best first; those that tie with it.

    Names are compared level by level, from the last one up, so that a slip in one of
    them costs little, however long the path is: ``stpo__patience`` is
    ``callbacks__stop__patience`` without its first level.

    Examples
    --------
    >>> nearest_names("hiden", ["lr", "module__hidden", "module__dropout"])
    ['module__hidden']
    >>> nearest_names("shuffle", ["iterator_train__shuffle", "iterator_valid__shuffle"])
    ['iterator_train__shuffle', 'iterator_valid__shuffle']
    """
    scores = {other: _score(name, other) for other in set(valid) - {name}}
    found = {other: score for other, score in scores.items() if score >= _ALIKE}
    best = max(found.values(), default=0.0)
    tied = [other for other, score in found.items() if score > best - _TIE]
    return sorted(tied, key=lambda other: (-found[other], len(other), other))


def shown(names: Iterable[str], name: str = "") -> str:
    """A list of names for a message; of many, those nearest to `name`."""
    names = sorted(names)
    if len(names) <= _N_SHOWN:
        return str(names)
    nearest = sorted(names, key=lambda other: -_likeness(name, other))[:_N_NEAREST]
    return f"{sorted(nearest)} and {len(names) - _N_NEAREST} more, see get_params()"


def _score(name: str, other: str) -> float:
    collapsed = _likeness(name.replace("__", "_"), other.replace("__", "_"))
    by_levels = _aligned(tuple(name.split("__")), tuple(other.split("__")))
    return max(by_levels, collapsed - _TIE if collapsed >= _COLLAPSED_ALIKE else 0.0)


def _aligned(given: tuple[str, ...], other: tuple[str, ...]) -> float:
    """How alike two paths are whose last levels are: up to 1."""
    last = _likeness(given[-1], other[-1])
    if last < _ALIKE:
        return 0.0

    @cache
    def best(i: int, j: int) -> float:
        """Of the levels before these, as a sum over those of the name."""
        if i == 0:
            return -_LEFT_OUT * len(given) * j
        options = []
        if last >= _SURELY_ALIKE:
            options.append(_TOO_MANY + best(i - 1, j))
        if j > 0:
            options.append(best(i, j - 1) - _LEFT_OUT * len(given))
            alike = _likeness(given[i - 1], other[j - 1])
            if alike >= _ALIKE:
                options.append(alike + best(i - 1, j - 1))
        return max(options, default=float("-inf"))

    return (last + best(len(given) - 1, len(other) - 1)) / len(given)


@lru_cache(maxsize=4096)
def _likeness(one: str, other: str) -> float:
    """From 0 to 1, which are equal words."""
    if one == other:
        return 1.0
    return 0.99 * SequenceMatcher(None, one.casefold(), other.casefold()).ratio()
