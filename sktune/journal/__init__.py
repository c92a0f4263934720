"""What is written down of a search, and how a search is continued from it."""

from sktune.journal._fingerprints import (
    as_json,
    fingerprint,
    is_same_json,
    value_of_json,
)
from sktune.journal._lineage import stages_in_results, stages_in_rows
from sktune.journal._replay import ReplayedWorkers
from sktune.journal._schema import (
    environment,
    read_environment,
    read_fits,
    read_search,
)
from sktune.journal._search_journal import SearchJournal, journal_in

__all__ = [
    "ReplayedWorkers",
    "SearchJournal",
    "as_json",
    "environment",
    "fingerprint",
    "is_same_json",
    "journal_in",
    "read_environment",
    "read_fits",
    "read_search",
    "stages_in_results",
    "stages_in_rows",
    "value_of_json",
]
