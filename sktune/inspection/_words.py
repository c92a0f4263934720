"""What a journal says in JSON, as a person would write it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# A class or a function by its path, and of a script's own a digest of its code.
_PATH = re.compile(r"[A-Za-z_][\w.<>]*\.(\w+)( [0-9a-f]{8})?")


def words_of(value: Any, *, quoted: bool = False) -> str:
    """Words for what `as_json` of `sktune.journal` made of a value.

    ``loguniform(0.001, 1)`` for a distribution, ``ReLU`` for a class, and
    ``StandardScaler(copy=True)`` for an estimator.

    With `quoted`, a string may be text that a user gave, which is shown as it is in
    code; a class is told by its capital letter.
    """
    if isinstance(value, str):
        path = _PATH.fullmatch(value)
        if path and (path[1][0].isupper() or not quoted):
            return path[1]
        return repr(value) if quoted else value
    if isinstance(value, list):
        return f"[{_listed(value)}]"
    if isinstance(value, Mapping):
        return _of_dict(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    return str(value)


def _of_dict(value: Mapping[str, Any]) -> str:
    keys = set(value)
    if keys == {"tuple"}:
        return f"({_listed(value['tuple'])}{',' * (len(value['tuple']) == 1)})"
    if keys == {"set"}:
        return f"{{{_listed(value['set'])}}}"
    if "distribution" in keys:
        args = value.get("args", {})
        args = args.get("tuple", []) if isinstance(args, Mapping) else []
        inside = ", ".join(filter(None, [_listed(args), _named(value.get("kwds", {}))]))
        name = str(value["distribution"])
        return name if "(" in name else f"{name}({inside})"
    if "class" in keys:
        params = value.get("params", {})
        params = params if isinstance(params, Mapping) else {}
        return f"{words_of(value['class'])}({_named(params)})"
    inside = ", ".join(f"{k!r}: {words_of(v, quoted=True)}" for k, v in value.items())
    return f"{{{inside}}}"


def _listed(values: Any) -> str:
    return ", ".join(words_of(value, quoted=True) for value in values)


def _named(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={words_of(v, quoted=True)}" for k, v in values.items())
