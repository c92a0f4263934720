"""What a search was given, in words that can be compared: JSON, and never a pickle.

Values that a person would write down are written down. Data are told by a fingerprint
of their numbers; classes and functions by their names, and those of a script or a
notebook, where a name says little, by their code too.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from hashlib import blake2b
from types import CodeType
from typing import Any

import numpy as np
from scipy import sparse

# Neither changes what a fit is: not where it runs, and not what it prints.
_FREE = ("device", "n_jobs", "verbose")
_FINGERPRINT = "fingerprint "
_DEPTH = 30
_ADDRESS = re.compile(r" at 0x[0-9A-Fa-f]+")
_LEVELS = np.linspace(0.01, 0.99, 99)
# Rows that are looked at of data that are made only when asked for.
_N_ROWS = 200


def is_plain(value: Any) -> bool:
    """Whether a value comes back from JSON as it was, in value and type."""
    if type(value) is list:
        return all(map(is_plain, value))
    if type(value) is float:
        return math.isfinite(value)
    return value is None or type(value) in (bool, int, str)


def params_as_json(params: Mapping[str, Any]) -> dict[str, Any]:
    """Params as JSON; what would not come back as it was is marked."""
    return {
        name: value if is_plain(value) else {"described": as_json(value)}
        for name, value in params.items()
    }


def is_same_json(value: Any, recorded: Mapping[str, Any]) -> bool:
    """Whether a value is the one that a marked param in a journal tells of."""
    return params_as_json({"": value})[""] == recorded


def value_of_json(recorded: Any) -> Any:
    """A marked param of a journal again, if it is made of tuples, dicts and lists."""
    if isinstance(recorded, list):
        return list(map(value_of_json, recorded))
    if not isinstance(recorded, Mapping):
        return recorded
    if recorded.keys() == {"described"}:
        return value_of_json(recorded["described"])
    if recorded.keys() == {"tuple"}:
        return tuple(map(value_of_json, recorded["tuple"]))
    return {name: value_of_json(value) for name, value in recorded.items()}


def as_json(value: Any, seen: tuple[int, ...] = ()) -> Any:
    """A value as JSON; the same for equal values of equal types."""
    if is_plain(value):
        return value
    if id(value) in seen or len(seen) > _DEPTH:  # a circle, or as good as one
        return "..."
    into = partial(as_json, seen=(*seen, id(value)))
    if isinstance(value, float | complex | bytes | range | np.generic):
        return f"{type(value).__name__}({value!s})"
    if isinstance(value, list):
        return [into(one) for one in value]
    if isinstance(value, tuple):
        return {"tuple": [into(one) for one in value]}
    if isinstance(value, set | frozenset):
        return {"set": sorted(map(str, map(into, value)))}
    if isinstance(value, Mapping):
        return {str(key): into(one) for key, one in value.items()}
    if isinstance(value, partial):
        parts = {"args": value.args, "keywords": value.keywords}
        return {"partial": into(value.func), **into(parts)}
    if _is_data(value):
        return fingerprint(value)
    if callable(value) and hasattr(value, "__name__"):
        return _name(value) + _code(value)
    kind = {"class": _name(type(value)) + _code(type(value))}
    if isinstance(value, np.random.RandomState | np.random.Generator):
        return {**kind, "state": fingerprint(_random_state(value))}
    if hasattr(value, "dist") and hasattr(value, "kwds"):  # scipy's frozen ones
        of = getattr(value.dist, "name", "")
        return {"distribution": of, "args": into(value.args), "kwds": into(value.kwds)}
    if hasattr(value, "icdf"):  # scipy's new ones, whose attributes are caches
        return {"distribution": str(value)}
    if hasattr(value, "rvs") and hasattr(value, "ppf"):  # complete without arguments
        return {"distribution": value.name, "quantiles": into(value.ppf(_LEVELS))}
    return {**kind, **_inside(value, into)}


def fingerprint(value: Any) -> str:
    """Digest of data: numbers, shapes, types and names of columns."""
    digest = blake2b(digest_size=16)
    _feed(digest.update, value)
    return _FINGERPRINT + digest.hexdigest()


def differences(before: Any, now: Any, where: str = "") -> Iterator[str]:
    """Where two values, as JSON, differ, and how."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*before, *now]):
            inner = where if key == "params" and where else f"{where}.{key}".lstrip(".")
            if key not in now:
                yield f"{inner} ({_short(before[key])} in the journal, not there now)"
            elif key not in before:
                yield f"{inner} (not in the journal, {_short(now[key])} now)"
            else:
                yield from differences(before[key], now[key], inner)
    elif type(before) is not type(now) or before != now:
        if str(now).startswith(_FINGERPRINT):
            yield where
        else:
            yield f"{where} ({_short(before)} in the journal, {_short(now)} now)"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _name(obj: Any) -> str:
    module = getattr(obj, "__module__", None) or ""
    name = getattr(obj, "__qualname__", None) or getattr(obj, "__name__", "")
    if module.startswith("sktune."):
        # As users import it: in which file of ours it is may change.
        module = module.partition("._")[0]
    return f"{module}.{name}".lstrip(".")


def _code(obj: Any) -> str:
    """Digest of what a class or a function of a script or a notebook does."""
    if getattr(obj, "__module__", "") != "__main__" and "<" not in _name(obj):
        return ""
    digest = blake2b(digest_size=4)
    functions = vars(obj).values() if isinstance(obj, type) else [obj]
    for function in functions:
        code = getattr(function, "__code__", None)
        if code is not None:
            _feed_code(digest.update, code)
    return f" {digest.hexdigest()}"


def _feed_code(update: Callable[[bytes], None], code: CodeType) -> None:
    update(code.co_code + str(code.co_names).encode())
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            _feed_code(update, constant)
        else:
            update(str(as_json(constant)).encode())


def _random_state(value: Any) -> Any:
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    return value.get_state(legacy=False)


def _inside(value: Any, into: Callable[[Any], Any]) -> dict[str, Any]:
    """Parameters of an estimator, attributes of anything else."""
    if hasattr(value, "get_params"):
        params = value.get_params(deep=False).items()
        # skorch lists an attribute of its own among them.
        told = {k: v for k, v in params if k not in _FREE and not k.startswith("_")}
        return {"params": into(told)}
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {"params": into({name: getattr(value, name) for name in names})}
    return {"params": into(getattr(value, "__dict__", {}))}


# -- data ---------------------------------------------------------------------------


def _is_data(value: Any) -> bool:
    is_array = isinstance(value, np.ndarray) or sparse.issparse(value)
    return is_array or _is_tensor(value) or _is_frame(value) or hasattr(value, "iloc")


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "numpy")


def _is_frame(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "dtypes")


def _has_rows(value: Any) -> bool:
    """Whether it is like a list, such as skorch's ``SliceDataset``."""
    return hasattr(value, "__len__") and hasattr(type(value), "__getitem__")


def _feed(update: Callable[[Any], None], value: Any) -> None:
    """Hand on the bytes that make a value what it is."""
    if _is_tensor(value):
        import torch

        value = value.detach().cpu()
        update(str(value.dtype).encode())
        if value.layout is not torch.strided:
            value = value.to_dense()
        is_numpy = value.dtype not in (torch.bfloat16,)
        value = (value if is_numpy else value.view(torch.int16)).numpy()
    if isinstance(value, np.ndarray):
        update(f"array {value.dtype} {value.shape} ".encode())
        if value.dtype.hasobject:
            _feed(update, value.tolist())
        else:
            # A view of its bytes: dates have no buffer of their own.
            update(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
    elif sparse.issparse(value):
        _feed(update, ["sparse", *value.shape])
        value = value.tocsr()
        _feed(update, [value.data, value.indices, value.indptr])
    elif isinstance(value, Mapping):  # a SliceDict too
        _feed(update, [[key, one] for key, one in value.items()])
    elif isinstance(value, list | tuple):
        update(f"list {len(value)} ".encode())
        for one in value:
            _feed(update, one)
    elif _is_frame(value):
        _feed(update, ["frame", *map(str, value.columns)])
        for name in value.columns:
            _feed(update, np.asarray(value[name]))
    elif hasattr(value, "iloc"):  # a pandas series
        _feed(update, np.asarray(value))
    elif not isinstance(value, str | bytes) and _has_rows(value):
        n = len(value)
        update(f"rows {n} ".encode())
        for k in np.unique(np.linspace(0, n - 1, min(n, _N_ROWS)).astype(int)):
            _feed(update, value[int(k)])
    elif isinstance(value, str | bytes | int | float | complex | np.generic):
        update(f"{type(value).__name__} {value!r} ".encode())
    elif isinstance(value, set | frozenset):
        _feed(update, ["set", *sorted(map(repr, value))])
    else:  # dates, decimals, ...; where an object lies in memory says nothing of it
        text = _ADDRESS.sub("", repr(value))
        update(f"{type(value).__name__} {text} ".encode())
