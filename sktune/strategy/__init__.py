"""Which params next: strategies, driven by ask and tell."""

from sktune.strategy._bayes import Bayes
from sktune.strategy._knowledge import Earlier
from sktune.strategy._listed import Listed

__all__ = ["Bayes", "Earlier", "Listed"]
