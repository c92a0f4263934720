"""How a member of a population came about, as `cv_results_` has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def lineage_of(results: Mapping[str, Any], row: int) -> list[dict[str, Any]]:
    """The candidate of a row and its ancestors, the first of them first.

    Parameters
    ----------
    results : dict
        With columns ``candidate``, ``parent``, ``iter``, ``n_resources``, ``params``.
    row : int

    Returns
    -------
    lineage : list of dict
        ``candidate``, ``params`` and ``n_resources``, up to which these were trained
        with.
    """
    lineage: list[dict[str, Any]] = []
    while True:
        lineage.append(
            {
                "candidate": int(results["candidate"][row]),
                "n_resources": int(results["n_resources"][row]),
                "params": results["params"][row],
            }
        )
        parent = results["parent"][row]
        if parent < 0:
            return lineage[::-1]
        own = results["candidate"] == results["candidate"][row]
        before = results["iter"][own].min() - 1
        is_there = (results["candidate"] == parent) & (results["iter"] == before)
        (row,) = np.flatnonzero(is_there).tolist()
