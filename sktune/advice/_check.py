"""What one check of `preflight` came to."""

from __future__ import annotations

from dataclasses import dataclass

STATUSES = ("fail", "warn", "ok", "na")


@dataclass(frozen=True)
class Check:
    """One line of what `preflight` says.

    Attributes
    ----------
    name : str
        What was looked at.
    status : {"ok", "warn", "fail", "na"}
        ``"fail"`` where the search would fail or learn nothing, ``"na"`` where there is
        nothing to be checked.
    message : str
        What was found, and what to do about it.
    """

    name: str
    status: str
    message: str


def not_applicable(name: str, why: str) -> Check:
    return Check(name, "na", why)
