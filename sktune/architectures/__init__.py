"""Architectures of nets: spaces of cells and chains, nets of cells, shared weights."""

from sktune.architectures._architecture_display import ArchitectureDisplay
from sktune.architectures._cell import Cell, choose
from sktune.architectures._cell_net import CellNet
from sktune.architectures._cell_space import CellSpace
from sktune.architectures._chain_space import ChainSpace
from sktune.architectures._comparison import Comparison
from sktune.architectures._darts_search import DARTSSearchCV
from sktune.architectures._weight_sharing_search import WeightSharingSearchCV

__all__ = [
    "ArchitectureDisplay",
    "Cell",
    "CellNet",
    "CellSpace",
    "ChainSpace",
    "Comparison",
    "DARTSSearchCV",
    "WeightSharingSearchCV",
    "choose",
]
