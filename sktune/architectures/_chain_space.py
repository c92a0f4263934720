"""Nets of layers one after another, each with choices of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

from sktune._errors import SpaceError, SpaceTypeError, did_you_mean
from sktune.architectures._listed_choices import as_choices, is_among
from sktune.space import EveryValue, draw

Chain = tuple[dict[str, Any], ...]


class ChainSpace:
    """Nets of layers one after another: how many, and what each is.

    An entry of `param_distributions`, or of the `param_grid` of a grid search, like a
    list or a distribution: ``{"module__layers": ChainSpace(...)}``. The depth and each
    choice of each layer are coordinates of their own to whatever proposes candidates;
    those of layers that a net does not have play no part. The module is given a plain
    tuple with a dict for each layer, from the input on.

    Parameters
    ----------
    depth : int or list of int
        Numbers of layers to choose from.
    only_if : dict, default=None
        Choices that a layer has only with certain values of another:
        ``{"kernel": {"block": ["conv"]}}`` leaves `kernel` out of layers of other
        blocks. The other one has to be given before.
    **choices : list
        What a layer may be, by the names that the module knows: its width, kernel,
        activation, block, whether it has a skip connection. Numbers are ordered.

    Attributes
    ----------
    size : int
        How many chains there are.

    Raises
    ------
    SpaceTypeError, SpaceError
        If an argument cannot be. Both are a `ValueError` or `TypeError`.

    See Also
    --------
    CellSpace : Small graphs with an operation on each edge or node.

    Examples
    --------
    >>> from sktune.architectures import ChainSpace
    >>> space = ChainSpace(depth=[1, 2, 3], width=[16, 32, 64], skip=[False, True])
    >>> space.size
    258
    >>> layers = space.rvs(random_state=0)
    >>> layers
    ({'width': 64, 'skip': True}, {'width': 32, 'skip': False})
    >>> print(space.words(({"width": 32, "skip": False}, {"width": 64, "skip": True})))
    2 layers: width 32, no skip; width 64, skip
    """

    def __init__(
        self,
        depth: int | Sequence[int],
        only_if: Mapping[str, Mapping[str, Sequence[Any]]] | None = None,
        **choices: Sequence[Any],
    ) -> None:
        depths = [depth] if isinstance(depth, Integral) else depth
        self.depth = as_choices("depth", depths)
        for n in self.depth:
            if not isinstance(n, int) or isinstance(n, bool) or n < 0:
                raise SpaceError(f"depth holds {n!r}. Give integers of at least 0.")
        if not choices:
            raise SpaceTypeError(
                "ChainSpace was given nothing to choose for a layer. Give a list for "
                "each argument that a layer has, as in width=[16, 32, 64]."
            )
        self.choices = {name: as_choices(name, c) for name, c in choices.items()}
        self.only_if = self._read_conditions(only_if or {})

    def _read_conditions(self, given: Any) -> dict[str, dict[str, tuple[Any, ...]]]:
        if not isinstance(given, Mapping):
            raise SpaceTypeError(
                f"only_if={given!r} is not a dict. Write it as in "
                '{"kernel": {"block": ["conv"]}}.'
            )
        names, found = list(self.choices), {}
        for name, condition in given.items():
            if name not in names or not isinstance(condition, Mapping):
                raise SpaceError(
                    f"only_if holds {name!r}: {condition!r}. Give one of {names} and a "
                    f"dict.{did_you_mean(str(name), names)}"
                )
            found[name] = {
                other: self._read_condition(name, other, values)
                for other, values in condition.items()
            }
        return found

    def _read_condition(self, name: str, other: Any, values: Any) -> tuple[Any, ...]:
        before = list(self.choices)[: list(self.choices).index(name)]
        if other not in before:
            raise SpaceError(
                f"only_if lets {name!r} depend on {other!r}, which is not one of the "
                f"choices before it, {before}. Give that one first."
            )
        chosen = as_choices(f"only_if[{name!r}][{other!r}]", values)
        for value in chosen:
            if not is_among(value, self.choices[other]):
                raise SpaceError(
                    f"only_if lets {name!r} depend on {other!r} being {value!r}, which "
                    f"is not in {other}={list(self.choices[other])!r}."
                )
        return chosen

    @property
    def size(self) -> int:
        """How many chains there are."""
        layers = EveryValue(ChainSpace(1, self.only_if, **self.choices), repr(self))
        return sum(layers.n_values**n for n in self.depth)

    # -- parts -----------------------------------------------------------------------

    def parts(self) -> dict[str, list[Any]]:
        """The choices that make a chain, by name, and the values of each.

        Examples
        --------
        >>> from sktune.architectures import ChainSpace
        >>> ChainSpace([1, 2], width=[8, 16]).parts()
        {'depth': [1, 2], '0.width': [8, 16], '1.width': [8, 16]}
        """
        parts: dict[str, list[Any]] = {"depth": list(self.depth)}
        for layer in range(max(self.depth)):
            for name, values in self.choices.items():
                parts[f"{layer}.{name}"] = list(values)
        return parts

    def conditions(self) -> dict[str, dict[str, list[Any]]]:
        """On which values of other parts it depends whether a part is there."""
        found: dict[str, dict[str, list[Any]]] = {}
        for layer in range(max(self.depth)):
            deep = [n for n in self.depth if n > layer]
            for name in self.choices:
                condition = {} if len(deep) == len(self.depth) else {"depth": deep}
                for other, values in self.only_if.get(name, {}).items():
                    condition[f"{layer}.{other}"] = list(values)
                if condition:
                    found[f"{layer}.{name}"] = condition
        return found

    def join(self, values: Mapping[str, Any]) -> Chain:
        """The chain that is made of a value of each part that it has."""
        layers: list[dict[str, Any]] = [{} for _ in range(values["depth"])]
        for part, value in values.items():
            layer, _, name = part.partition(".")
            if name:
                layers[int(layer)][name] = value
        return tuple(layers)

    def split(self, value: Any) -> dict[str, Any] | None:
        """The value of each part of a chain; None for anything else."""
        if self.why_not(value):
            return None
        parts = {"depth": len(value)}
        for layer, chosen in enumerate(value):
            parts |= {f"{layer}.{n}": chosen[n] for n in self.choices if n in chosen}
        return parts

    def rvs(self, size: int | None = None, random_state: Any = None) -> Any:
        """A random chain: the depth even over its values, then each choice.

        Parameters
        ----------
        size : int, default=None
            How many; None is one, which is not in a list.
        random_state : int, RandomState instance or None, default=None

        Returns
        -------
        layers : tuple of dict, or list of such
        """
        return draw(self, size, random_state)

    def __iter__(self) -> Iterator[Chain]:
        return iter(EveryValue(self, repr(self)))

    def __contains__(self, value: Any) -> bool:
        return not self.why_not(value)

    # -- words -----------------------------------------------------------------------

    def why_not(self, value: Any) -> str:
        """Why something is not a chain of this space; "" if it is one."""
        if not isinstance(value, (tuple, list)):
            return f"a chain is a tuple, and this is of type {type(value).__name__}"
        if len(value) not in self.depth:
            return f"{len(value)} layers, and depth is one of {list(self.depth)}"
        reasons = (self._why_not_layer(i, layer) for i, layer in enumerate(value))
        return next(filter(None, reasons), "")

    def _why_not_layer(self, index: int, layer: Any) -> str:
        where = f"layer {index}"
        if not isinstance(layer, Mapping):
            return f"{where} is {layer!r}, not a dict"
        for name in layer:
            if name not in self.choices:
                guess = did_you_mean(str(name), list(self.choices))
                return f"{where} has {name!r}, which is no choice of a layer.{guess}"
        for name, values in self.choices.items():
            has_place = all(
                other in layer and is_among(layer[other], allowed)
                for other, allowed in self.only_if.get(name, {}).items()
            )
            if has_place and name not in layer:
                return f"{where} lacks {name!r}"
            if name not in layer:
                continue
            if not has_place:
                return f"{where} has {name!r}, which only_if forbids there"
            if not _is_choice(layer[name], values):
                given = f"{name}={layer[name]!r}"
                return f"{where} has {given}, which is not in {list(values)}"
        return ""

    def words(self, chain: Chain) -> str:
        """A chain as words: its layers from the input on.

        Raises
        ------
        SpaceError
            If it is not a chain of this space.
        """
        layers = "; ".join(self.graph(chain)[0][1:])
        n = len(chain)
        return f"{n} layer{'' if n == 1 else 's'}{': ' if n else ''}{layers}"

    def graph(self, chain: Chain) -> tuple[list[str], list[tuple[int, int, str]]]:
        """A chain as a graph.

        Parameters
        ----------
        chain : tuple of dict

        Returns
        -------
        nodes : list of str
            The input, and each layer in words.
        edges : list of (source, target, "")

        Raises
        ------
        SpaceError
            If it is not a chain of this space.
        """
        reason = self.why_not(chain)
        if reason:
            raise SpaceError(f"{chain!r} is not a chain of {self!r}: {reason}")
        nodes = ["0", *map(_layer_words, chain)]
        return nodes, [(i, i + 1, "") for i in range(len(chain))]

    # -- as a value ------------------------------------------------------------------

    def _arguments(self) -> tuple[Any, ...]:
        return self.depth, list(self.choices.items()), self.only_if

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ChainSpace):
            return NotImplemented
        return self._arguments() == other._arguments()

    def __hash__(self) -> int:
        return hash((self.depth, tuple(self.choices)))

    def __repr__(self) -> str:
        one = self.depth[0] if len(self.depth) == 1 else list(self.depth)
        arguments = [f"depth={one!r}"]
        if self.only_if:
            conditions = {
                name: {other: list(values) for other, values in condition.items()}
                for name, condition in self.only_if.items()
            }
            arguments.append(f"only_if={conditions!r}")
        arguments += [f"{name}={list(c)!r}" for name, c in self.choices.items()]
        return f"ChainSpace({', '.join(arguments)})"


def _is_choice(value: Any, values: Sequence[Any]) -> bool:
    """Whether a value is one of a list; of numbers, 32.0 is 32."""
    if is_among(value, values):
        return True
    kinds = {type(v) for v in (value, *values)}
    return kinds <= {int, float} and value in values


def _layer_words(layer: Mapping[str, Any]) -> str:
    """A layer as words."""
    return ", ".join(
        (name if value else f"no {name}")
        if isinstance(value, bool)
        else f"{name} {value}"
        for name, value in layer.items()
    )
