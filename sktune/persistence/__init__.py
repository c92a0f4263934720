"""What outlives a fit, in files. Knows bytes and records, and not what they mean."""

from sktune.persistence._checkpoints import Checkpoints, Files
from sktune.persistence._journal import PROTOCOL, Journal, read_records

__all__ = ["PROTOCOL", "Checkpoints", "Files", "Journal", "read_records"]
