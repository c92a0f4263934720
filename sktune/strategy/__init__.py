"""Which params next: strategies, driven by ask and tell."""

from sktune.strategy._bayes import Bayes
from sktune.strategy._listed import Listed
from sktune.strategy._transfer import Earlier

__all__ = ["Bayes", "Earlier", "Listed"]
