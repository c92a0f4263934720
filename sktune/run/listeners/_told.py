"""The listeners that a search was given: none of them can end it."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from sktune._protocols import Listener
from sktune._types import Evaluation, Fit, FitOutcome, Observation, SearchInfo
from sktune._warnings import warn

WasTold = Callable[[Sequence[Fit]], bool]

_REMEDY = (
    "Give a list of objects of sktune.listeners, or of subclasses of "
    "sktune.listeners.Listener."
)


def check_listeners(given: Any) -> tuple[Listener, ...]:
    """The argument `listeners` of a search.

    Raises
    ------
    TypeError
        Where it is no sequence of listeners.
    """
    if given is None:
        return ()
    if isinstance(given, Listener) or _is_class(given):
        one = f"{given.__name__}()" if _is_class(given) else reprlib.repr(given)
        raise TypeError(
            f"listeners={reprlib.repr(given)} is one listener, and no list of such. "
            f"Give listeners=[{one}]."
        )
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise TypeError(f"listeners={reprlib.repr(given)} is no list. {_REMEDY}")
    for i, one in enumerate(given):
        if _is_class(one):
            raise TypeError(
                f"listeners[{i}]={one.__name__} is a class. Give an object of it: "
                f"{one.__name__}()."
            )
        if not isinstance(one, Listener):
            raise TypeError(
                f"listeners[{i}]={reprlib.repr(one)} is no listener. {_REMEDY}"
            )
    return tuple(given)


def _is_class(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, Listener)


class Told(Listener):
    """Tells the listeners of a search; one that raises is told no more.

    What a journal has is told to those only that want it. As a context it tells them
    how `fit` has ended.

    Parameters
    ----------
    search : BaseSearchCV
        Its `listeners`.

    Attributes
    ----------
    search : BaseSearchCV
    """

    def __init__(self, search: Any) -> None:
        self.search = search
        self._given = check_listeners(search.listeners)
        self._told: dict[int, Listener] = {}  # by their place
        self._was_told: WasTold = lambda fits: False
        self._fits: list[tuple[Fit, FitOutcome]] = []  # of the next evaluation
        self._is_replaying = False

    def begin(self, info: SearchInfo, was_told: WasTold) -> None:
        """Get those that are told of this call of `fit`.

        Parameters
        ----------
        info : SearchInfo
        was_told : callable
            Whether the evaluation that has some fits was told of before, by the search
            that has written the journal; without fits, whether what is decided now was.
        """
        self._was_told = was_told
        info = replace(info, is_replaying=lambda: self._is_replaying)
        for i, one in enumerate(self._given):
            with _Guard(self._told, i, one, "of_search"):
                self._told[i] = one.of_search(info)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._tell("on_close", self.search, error)
        self._told.clear()

    def on_begin(self) -> None:
        self._tell("on_begin")

    def on_fit(self, fit: Fit, outcome: FitOutcome) -> None:
        self._fits.append((fit, outcome))  # until all of its evaluation are known

    def on_evaluation(self, evaluation: Evaluation, observation: Observation) -> None:
        fits, self._fits = self._fits, []
        self._is_replaying = self._was_told([fit for fit, _ in fits])
        for fit, outcome in fits:
            self._tell("on_fit", fit, outcome)
        self._tell("on_evaluation", evaluation, observation)
        self._is_replaying = False

    def on_stop(self, candidate: int) -> None:
        self._is_replaying = self._was_told([])
        self._tell("on_stop", candidate)
        self._is_replaying = False

    def on_forget(self, candidate: int) -> None:
        self._is_replaying = self._was_told([])
        self._tell("on_forget", candidate)
        self._is_replaying = False

    def on_end(self, evaluations: Sequence[Evaluation]) -> None:
        self._tell("on_end", evaluations)

    def _tell(self, what: str, *args: Any) -> None:
        for i, one in list(self._told.items()):
            if one.wants_replayed or not self._is_replaying:
                with _Guard(self._told, i, one, what):
                    getattr(one, what)(*args)


class _Guard:
    """Warns of what a listener raises, and takes it from those that are told."""

    def __init__(
        self, told: dict[int, Listener], place: int, listener: Listener, what: str
    ) -> None:
        self._told, self._place = told, place
        self._listener, self._what = listener, what

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        self._told.pop(self._place, None)
        warn(
            f"listeners[{self._place}]={reprlib.repr(self._listener)} raised in "
            f"{self._what}: {type(error).__name__}: {error}. It is told no more of "
            "this search, which goes on."
        )
        return True
