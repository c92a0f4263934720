"""What is written down of a search, and how a search is continued from it."""

from sktune.journal._fingerprints import fingerprint
from sktune.journal._rehearsal import JournalEnds
from sktune.journal._replay import ReplayedWorkers
from sktune.journal._schema import read_fits
from sktune.journal._search_journal import SearchJournal, journal_in

__all__ = [
    "JournalEnds",
    "ReplayedWorkers",
    "SearchJournal",
    "fingerprint",
    "journal_in",
    "read_fits",
]
