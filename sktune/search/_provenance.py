"""Where the results of a search come from: its seeds, its splits and what ran it."""

from __future__ import annotations

from typing import Any

from sktune.journal import environment, fingerprint
from sktune.run import SearchRun


def provenance_of(run: SearchRun) -> dict[str, Any]:
    """What it takes to train a candidate again, as `provenance_` has it.

    Parameters
    ----------
    run : SearchRun
    """
    return {
        "root": run.root,
        "splits": fingerprint(run.job.splits),
        "precision": run.job.settings.precision(),
        **environment(run.job.threads_of_a_net),
    }
