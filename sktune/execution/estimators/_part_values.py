"""Values of a net's parts, asked of those that check their own before the first fit.

A part is the net itself, a callback, or the class of an iterator. It may have a static
method ``check_value(name, value)``, which raises `ValueError` for what one argument
cannot be, and ``check_options(policy, options)`` for what cannot be given together.
What their first batch would raise, once in every fit, is so said at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sktune._errors import EstimatorError, SktuneError
from sktune.execution.estimators._nets import callbacks_by_name, find_nets
from sktune.execution.estimators._parameter_paths import UNKNOWN, alternatives
from sktune.space import Space

# Of a distribution: nearly all of it lies between, and its ends may have no chance.
_ENDS = (0.001, 0.999)
_ITERATORS = ("iterator_train", "iterator_valid")


class _Part(NamedTuple):
    """Who checks; the prefix of its arguments; and those that are given now."""

    kind: type
    where: str
    given: Mapping[str, Any]


def check_part_values(estimator: Any, dicts: Sequence[Mapping[str, Any]]) -> None:
    """Raise for values, given or searched, that a part of a net says it cannot have.

    Parameters
    ----------
    estimator : estimator
    dicts : sequence of dict
        What is searched.

    Raises
    ------
    EstimatorError
    """
    for path, net in find_nets(estimator).items():
        for subspace in dicts:
            for part in _parts(net, path, subspace):
                if _is_hook(part.kind, "check_value"):
                    _check_each(part, subspace)
                if _is_hook(part.kind, "check_options"):
                    _check_together(part, subspace)


def _is_hook(kind: type, name: str) -> bool:
    """Whether it is ours to call: a method of the same name may be anything."""
    return isinstance(inspect.getattr_static(kind, name, None), staticmethod)


def _parts(net: Any, path: str, subspace: Mapping[str, Any]) -> Iterator[_Part]:
    """Each part that a candidate may have; a searched one for each of its values."""
    yield _Part(type(net), path, net.get_params(deep=False))
    for name in _ITERATORS:
        for kind in alternatives(subspace, path + name, getattr(net, name, None)):
            if isinstance(kind, type):
                yield _Part(kind, f"{path}{name}__", net.get_params_for(name))
    if f"{path}callbacks" in subspace:
        return
    try:
        callbacks = callbacks_by_name(net)
    except Exception:
        return  # what is wrong with them, the fits will say
    for name, there in callbacks.items():
        key = f"callbacks__{name}"
        for callback in alternatives(subspace, path + key, there):
            is_class = isinstance(callback, type)
            kind = callback if is_class else type(callback)
            has_own = not is_class and hasattr(callback, "get_params")
            own = callback.get_params(deep=False) if has_own else {}
            yield _Part(kind, f"{path}{key}__", {**own, **net.get_params_for(key)})


def _values(part: _Part, name: str, subspace: Mapping[str, Any]) -> list[Any]:
    """What an argument may be, as far as that can be known."""
    searched = subspace.get(part.where + name)
    if not hasattr(searched, "rvs"):
        values = alternatives(subspace, part.where + name, part.given.get(name))
        return [value for value in values if value is not UNKNOWN]
    try:
        space = Space({name: searched})
        return [space.decode([u] * space.n_dims)[name] for u in _ENDS]
    except SktuneError:
        return []


def _searched(part: _Part, subspace: Mapping[str, Any]) -> list[str]:
    """Its arguments that are searched."""
    names = [str(key) for key in subspace if str(key).startswith(part.where)]
    return [name.removeprefix(part.where) for name in names]


def _check_each(part: _Part, subspace: Mapping[str, Any]) -> None:
    for name in dict.fromkeys([*_searched(part, subspace), *part.given]):
        for value in _values(part, name, subspace):
            try:
                part.kind.check_value(name, value)  # type: ignore[attr-defined]
            except ValueError as error:
                key = part.where + name
                who = f"Parameter {key!r}" if key in subspace else f"estimator ({key})"
                raise EstimatorError(f"{who}: fits would raise: {error}") from error


def _check_together(part: _Part, subspace: Mapping[str, Any]) -> None:
    """Each policy with all that is given, or searched, in the same dict."""
    names = dict.fromkeys([*_searched(part, subspace), *part.given])
    options = {
        name: next((v for v in _values(part, name, subspace) if v is not None), None)
        for name in names
    }
    for policy in _values(part, "policy", subspace):
        try:
            part.kind.check_options(policy, options)  # type: ignore[attr-defined]
        except ValueError as error:
            raise EstimatorError(
                f"Parameter {part.where + 'policy'!r}: fits would raise: {error} "
                "Policies whose arguments differ are searched by a list of dicts."
            ) from error
