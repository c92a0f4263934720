"""Classes and functions of a script or a notebook, which no other process can import.

cloudpickle sends them by value. Read in the process that wrote them, a class would be
set back to what it was, methods and all, and a function would be another one: callbacks
would count into a list that is nobody's. So a state refers to them by a token, and has
their value beside it for processes that have never seen them.
"""

from __future__ import annotations

import threading
import uuid
from types import FunctionType
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import cloudpickle

# Private names of cloudpickle, held by tests/unit/test_compat.py: whether something can
# be imported, and the classes that this process shares with others, by their ids.
from cloudpickle.cloudpickle import (  # type: ignore[import-untyped]
    _DYNAMIC_CLASS_TRACKER_BY_ID,
    _get_or_create_tracker_id,
    _should_pickle_by_reference,
)

_lock = threading.Lock()
_values: WeakKeyDictionary[type, bytes] = WeakKeyDictionary()
_functions: WeakValueDictionary[str, FunctionType] = WeakValueDictionary()
_tokens: WeakKeyDictionary[FunctionType, str] = WeakKeyDictionary()


def is_of_a_script(obj: Any) -> bool:
    """Whether a class or function is the user's, and cannot be imported elsewhere.

    Libraries make classes and closures for an object of theirs, such as a module whose
    weights are parametrized; these belong into the state of that object.
    """
    if _should_pickle_by_reference(obj):
        return False
    if isinstance(obj, FunctionType):
        return obj.__module__ == "__main__" or obj.__closure__ is None
    return not str(obj.__module__).startswith("torch.")


def reference(obj: Any) -> tuple[str, bytes]:
    """A token of the class or function, and its value."""
    if isinstance(obj, type):
        value = _values.get(obj)
        if value is None:  # the same for all states: making it costs milliseconds
            value = _values[obj] = cloudpickle.dumps(obj)
        return _get_or_create_tracker_id(obj), value
    with _lock:
        token = _tokens.get(obj)
        if token is None:
            token = _tokens[obj] = uuid.uuid4().hex
            _functions[token] = obj
    return token, cloudpickle.dumps(obj)


def resolve(token: str, value: bytes) -> Any:
    """The class or function itself where this process has it, else one of its value."""
    here = _DYNAMIC_CLASS_TRACKER_BY_ID.get(token) or _functions.get(token)
    if here is not None:
        return here
    made = cloudpickle.loads(value)
    if isinstance(made, FunctionType):
        with _lock:
            _functions[token] = made
            _tokens[made] = token
    return made
