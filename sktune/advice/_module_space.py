"""What is worth searching of a module: its arguments, by their names and types."""

from __future__ import annotations

import inspect
import math
from typing import Any

from scipy.stats import uniform

# Names are taken apart at their underscores, and numbers at the end of a word are
# dropped: `hidden_2` is one more `hidden`. All words must be known.
_COUNTS = {"n", "num", "number", "of", ""}
_KINDS = {"conv", "dense", "fc", "linear", "mlp", "lstm", "gru", "rnn", "cnn"}
_KINDS |= {"encoder", "decoder", "base", "hidden"}
_WIDTH = {"hidden", "units", "neurons", "width", "widths", "filters"}
_WIDTH_BESIDE = {"size", "sizes", "dim", "dims", "features", "channels", "layer", "d"}
_WIDTH_NAMES = {"d_model", "d_ff", "dim_feedforward", "embed_dim", "embedding_dim"}
_DEPTH = {"layers", "blocks", "depth"}
_DEPTH_BESIDE = {"res", "residual"}
_KERNEL = {"kernel"}
_KERNEL_BESIDE = {"size", "width"}
_DROPOUT = {"dropout", "drop"}
_DROPOUT_BESIDE = {"p", "prob", "probability", "rate", "ratio", "input", "embed"}
_DROPOUT_BESIDE |= {"embedding", "attn", "attention", "ff", "layer"}
_ACTIVATION = {"activation", "act", "nonlinearity", "nonlin"}
_ACTIVATION_BESIDE = {"fn", "function", "cls", "class", "layer"}

# Below that, `n_hidden` may be how many layers there are.
_NARROWEST = 8
_WIDE = 512  # more is slow
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_ACTIVATIONS = ("ReLU", "GELU", "Tanh")
# Those between layers, which may stand for each other.
_OF_THAT_KIND = {*_ACTIVATIONS, "LeakyReLU", "ELU", "CELU", "SELU", "SiLU", "Mish"}
_OF_THAT_KIND |= {"ReLU6", "Hardswish", "Softplus", "Sigmoid"}


def module_space(net: Any, *, fine_tuning: bool) -> dict[str, Any]:
    """Arguments of the net's modules, by the names that skorch has for them.

    A net of several modules has each as a parameter, with the arguments behind its
    name. Of a module that is an instance nothing can be set. With `fine_tuning` weights
    keep their shapes and what is between them, and dropout alone is left.
    """
    import torch

    space = {}
    for name, module in net.get_params(deep=False).items():
        is_module = isinstance(module, type) and issubclass(module, torch.nn.Module)
        if name == "criterion" or (not is_module and name != "module"):
            continue
        if isinstance(module, torch.nn.Module):
            continue
        values = _values_of(module)
        begin = f"{name}__"
        for key, value in vars(net).items():
            argument = key.removeprefix(begin)
            if key.startswith(begin) and argument in values:
                values[argument] = value
        for argument, value in values.items():
            found = _searched(argument, value, values, fine_tuning=fine_tuning)
            if found is not None:
                space[begin + argument] = found
    return space


def _values_of(module: Any) -> dict[str, Any]:
    """Arguments with their defaults, also those that are handed on to a base class."""
    values: dict[str, Any] = {}
    kinds = module.__mro__ if isinstance(module, type) else (module,)
    for kind in kinds:
        if isinstance(kind, type) and "__init__" not in vars(kind):
            continue
        try:
            parameters = inspect.signature(kind).parameters.values()
        except (TypeError, ValueError):  # it does not say
            break
        for p in parameters:
            if p.kind in _NAMED:
                values.setdefault(p.name, None if p.default is p.empty else p.default)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return values


def _searched(
    name: str, value: Any, others: dict[str, Any], *, fine_tuning: bool
) -> Any:
    """What to search of one argument; None where that is not clear."""
    words = {word.rstrip("0123456789") for word in name.lower().split("_")}

    def is_about(what: set[str], beside: set[str]) -> bool:
        return bool(words & what) and words <= what | beside | _COUNTS | _KINDS

    if is_about(_DROPOUT, _DROPOUT_BESIDE):
        return _dropout(value, of_input="input" in words)
    if fine_tuning:
        return None
    if is_about(_ACTIVATION, _ACTIVATION_BESIDE):
        return _activations(value)
    if is_about(_KERNEL, _KERNEL_BESIDE) or name == "filter_size":
        return _kernel_sizes(value)
    if is_about(_DEPTH, _DEPTH_BESIDE) and not isinstance(value, tuple | list):
        return _depths(value)
    if is_about(_WIDTH, _WIDTH_BESIDE | _DEPTH) or name in _WIDTH_NAMES:
        return _widths(value, others)
    return None


def _is_number(value: Any, kind: Any = int) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _dropout(value: Any, *, of_input: bool) -> Any:
    if not _is_number(value, int | float) or not 0 <= value < 1:
        return None
    return uniform(0.0, max(0.2 if of_input else 0.5, float(value)))


def _activations(value: Any) -> Any:
    """Classes, where the value is one: what is given is among them, and first."""
    from torch import nn

    name = getattr(value, "__name__", "")
    if name not in _OF_THAT_KIND or getattr(nn, name) is not value:
        return None
    others = [getattr(nn, one) for one in _ACTIVATIONS]
    return [value, *(one for one in others if one is not value)]


def _kernel_sizes(value: Any) -> Any:
    if not _is_number(value) or value < 1 or value % 2 == 0:
        return None  # modules that keep lengths by padding need odd ones
    return sorted({1, 3, 5, 7, value})


def _depths(value: Any) -> Any:
    """From half as many to twice as many."""
    if not _is_number(value) or value < 1:
        return None
    if value <= 4:
        return list(range(max(1, value // 2), 2 * value + 1))
    return [value // 2, value, value + value // 2, 2 * value]


def _widths(value: Any, others: dict[str, Any]) -> Any:
    """Powers of two, from half to eight times; beyond `_WIDE` to four times.

    Of several layers, all alike.
    """
    if isinstance(value, tuple | list) and value:
        if not all(_is_number(one) and one >= _NARROWEST for one in value):
            return None
        return [type(value)(int(k * one) for one in value) for k in (0.5, 1, 2, 4)]
    if not _is_number(value) or value < _NARROWEST:
        return None
    middle = round(math.log2(value))
    heads = [v for k, v in others.items() if "head" in k and _is_number(v) and v > 0]
    widths = [2**k for k in range(middle - 1, middle + 4)]
    widths = [w for w in widths if w <= max(_WIDE, 2 ** (middle + 2))]
    found = [w for w in widths if all(w % n == 0 for n in heads)]
    return found if len(found) > 1 else None
