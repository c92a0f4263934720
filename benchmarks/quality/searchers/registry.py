"""All searchers by name, and which of the peers are installed."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from landscapes import Params, Spaces

from searchers.changes import CHANGES
from searchers.random_search import Random
from searchers.sktune_bayes import WITHOUT_MODEL, Sktune, surrogates
from sktune.strategy import SURROGATES


class Searcher(Protocol):
    def ask(self) -> Params | None: ...

    def tell(self, params: Params, score: float) -> None: ...


Make = Callable[[Spaces, int, int], Searcher]  # space, seed, n_candidates


@dataclass(frozen=True)
class Peer:
    """A searcher of another project; its file is imported when it is first called.

    Attributes
    ----------
    file, name : str
        Where it is among the searchers.
    needs : tuple of str
        The packages that it imports; where one is missing it is left out.
    is_slow : bool
        Whether it takes a second or so for each candidate.
    """

    file: str
    name: str
    needs: tuple[str, ...]
    is_slow: bool = False

    def __call__(self, space: Spaces, seed: int, n_candidates: int) -> Searcher:
        module = importlib.import_module(f"searchers.{self.file}")
        return getattr(module, self.name)(space, seed, n_candidates)

    @property
    def missing(self) -> list[str]:
        return [name for name in self.needs if importlib.util.find_spec(name) is None]


PEERS = {
    "Optuna GP": Peer("optuna", "OptunaGP", ("optuna", "torch")),
    "Optuna TPE": Peer("optuna", "OptunaTPE", ("optuna",)),
    "hyperopt TPE": Peer("hyperopt", "HyperoptTPE", ("hyperopt",)),
    "hyperopt annealing": Peer("hyperopt", "HyperoptAnneal", ("hyperopt",)),
    "nevergrad OnePlusOne": Peer("nevergrad", "OnePlusOne", ("nevergrad",)),
    "nevergrad DE": Peer("nevergrad", "DifferentialEvolution", ("nevergrad",)),
    "sklearn-genetic-opt": Peer("genetic_opt", "GeneticOpt", ("sklearn_genetic",)),
    "sklearn-genetic-opt, 10": Peer(
        "genetic_opt", "SmallGeneticOpt", ("sklearn_genetic",)
    ),
    "syne-tune CQR": Peer("syne_tune", "CQR", ("syne_tune", "xgboost"), is_slow=True),
    "syne-tune BORE": Peer("syne_tune", "BORE", ("syne_tune", "xgboost"), is_slow=True),
    "SMAC": Peer("smac", "Smac", ("smac",)),
    "BoTorch": Peer("botorch", "BoTorch", ("botorch",), is_slow=True),
    "scikit-optimize": Peer(
        "scikit_optimize", "ScikitOptimize", ("skopt",), is_slow=True
    ),
}
SLOW = tuple(name for name, peer in PEERS.items() if peer.is_slow)
CHANGED = {f"sktune Bayes, {name}": name for name in CHANGES}
DISTRIBUTIONS = {  # where a package has another name
    "syne_tune": "syne-tune",
    "skopt": "scikit-optimize",
    "sklearn_genetic": "sklearn-genetic-opt",
}


def searchers() -> dict[str, Make]:
    """Those that can run here, changes of the process last."""
    found: dict[str, Make] = {"random": Random}
    for name, surrogate in surrogates().items():
        found[name] = functools.partial(Sktune, surrogate=surrogate)
    for name, strategy in WITHOUT_MODEL.items():
        found[name] = functools.partial(Sktune, strategy=strategy)
    found |= {name: peer for name, peer in PEERS.items() if not peer.missing}
    for name, change in CHANGED.items():
        SURROGATES.setdefault(change, CHANGES[change])
        found[name] = functools.partial(Sktune, surrogate=change)
    return found


def say_left_out(names: Iterable[str]) -> None:
    for name in names:
        if name in PEERS and (missing := PEERS[name].missing):
            print(f"{name} is left out: no {', '.join(missing)} here")


def peer_packages() -> list[str]:
    """All that the peers need, as it is called where it is installed from."""
    needed = {name for peer in PEERS.values() for name in peer.needs}
    return sorted(DISTRIBUTIONS.get(name, name) for name in needed)
