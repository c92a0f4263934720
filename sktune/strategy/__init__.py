"""Which params next: strategies, driven by ask and tell."""

from sktune.strategy._acquisition import ACQUISITIONS
from sktune.strategy._bayesian_optimization import SURROGATES, Bayes
from sktune.strategy._listed import Listed

__all__ = ["ACQUISITIONS", "SURROGATES", "Bayes", "Listed"]
