"""Where pictures are drawn."""

from __future__ import annotations

from typing import Any


def new_axes(name: str) -> Any:
    """Axes in a figure of their own; `name` is the function that needs them."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            f'{name} needs matplotlib: pip install "sktune[plot]"'
        ) from error
    return pyplot.subplots(layout="constrained")[1]
