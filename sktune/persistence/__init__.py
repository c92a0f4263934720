"""What outlives a fit, in files. Knows bytes, and not what they mean."""

from sktune.persistence._checkpoints import Checkpoints, Files

__all__ = ["Checkpoints", "Files"]
