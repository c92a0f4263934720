"""One line that is renewed as a search goes on, in a terminal or a notebook."""

from __future__ import annotations

import shutil
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

# Renewed more often nobody can read it.
_SECONDS_BETWEEN = 0.1
# Characters of the bar itself, where there is room and where there is little.
_BAR, _LEAST_BAR = 20, 4


class ProgressBar:
    """A bar that fills, and a text beside it.

    Warnings of this program are printed above it while it is shown.

    Parameters
    ----------
    clock : callable
        Seconds from any moment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._bar: Any = None
        self._warnings: _WarningsAbove | None = None
        self._last = -float("inf")

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self._bar is None:
            print(line, flush=True)
        else:
            self._bar.write(line)

    @property
    def is_due(self) -> bool:
        """Whether it has been a while since it was renewed."""
        return self._clock() - self._last >= _SECONDS_BETWEEN

    def show(self, share: float, parts: Sequence[str]) -> None:
        """Renew the bar.

        The first of the parts is shown in any case, others as far as there is room.
        """
        self._last = self._clock()
        bar_format = _format(parts)
        if self._bar is None:
            self._bar = _new_bar(initial=share, bar_format=bar_format)
            if not _is_notebook():
                self._warnings = _WarningsAbove(self._bar)
        # Never backwards: what is left is an estimate.
        self._bar.n = min(1.0, max(share, self._bar.n))
        self._bar.bar_format = bar_format
        if not _is_notebook():  # it may have another size by now
            self._bar.ncols, self._bar.nrows = shutil.get_terminal_size()
        self._bar.refresh()

    def close(self) -> None:
        """Leave the bar as it is; what is printed next begins below it."""
        if self._warnings is not None:
            self._warnings.end()
            self._warnings = None
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class _WarningsAbove:
    """Prints warnings above a bar: in the midst of its line nobody could read them."""

    def __init__(self, bar: Any) -> None:
        self._bar: Any = bar
        self._before = warnings.showwarning
        self._shown = self._show  # as it is compared with at the end
        warnings.showwarning = self._shown

    def _show(self, *args: Any, **kwargs: Any) -> None:
        if self._bar is None:  # put back by somebody's `catch_warnings`
            self._before(*args, **kwargs)
            return
        with self._bar.external_write_mode(file=sys.stderr):
            self._before(*args, **kwargs)

    def end(self) -> None:
        """Print them as before, unless somebody else has taken that over."""
        self._bar = None
        if warnings.showwarning is self._shown:
            warnings.showwarning = self._before


def has_screen() -> bool:
    """Whether somebody looks on while it is printed: not where it goes to a file."""
    return _is_notebook() or all(
        getattr(stream, "isatty", bool)() for stream in (sys.stdout, sys.stderr)
    )


def _is_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return type(shell).__name__ == "ZMQInteractiveShell"


def _format(parts: Sequence[str]) -> str:
    """As tqdm takes it: the bar, and beside it what fits into the line."""
    text, *others = parts
    bar = "{bar}"
    if not _is_notebook():
        n_columns = shutil.get_terminal_size().columns
        n_bar = min(_BAR, max(_LEAST_BAR, n_columns - len("100%|| ") - len(text)))
        bar = f"{{bar:{n_bar}}}"
        room = n_columns - len("100%|| ") - n_bar
    for part in others:
        if _is_notebook() or len(text) + len(" | ") + len(part) <= room:
            text += f" | {part}"
    text = text.replace("{", "{{").replace("}", "}}")
    return f"{{percentage:3.0f}}%|{bar}| {text}"


def _new_bar(**given: Any) -> Any:
    # Its own counts and times know fits only, which are not alike.
    if _is_notebook() and find_spec("ipywidgets") is not None:
        from tqdm.notebook import tqdm as widget

        return widget(total=1.0, **given)
    from tqdm import tqdm

    # Not as tqdm finds it, which shows nothing where a terminal does not tell its size.
    ncols, nrows = shutil.get_terminal_size()
    return tqdm(total=1.0, ncols=ncols, nrows=nrows, **given)
