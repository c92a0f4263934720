"""What outlives a fit, in files. Knows bytes and records, and not what they mean."""

from sktune.persistence._checkpoints import Checkpoints, Files
from sktune.persistence._folders import (
    goes_with_process,
    remove_folder,
    temporary_folder,
)
from sktune.persistence._journal import PROTOCOL, Journal, read_records

__all__ = [
    "PROTOCOL",
    "Checkpoints",
    "Files",
    "Journal",
    "goes_with_process",
    "read_records",
    "remove_folder",
    "temporary_folder",
]
