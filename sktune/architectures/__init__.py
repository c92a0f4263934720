"""Architectures of nets as parameters: spaces of cells and of chains of layers."""

from sktune.architectures._architecture_display import ArchitectureDisplay
from sktune.architectures._cell_space import CellSpace
from sktune.architectures._chain_space import ChainSpace

__all__ = ["ArchitectureDisplay", "CellSpace", "ChainSpace"]
