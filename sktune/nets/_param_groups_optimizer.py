"""An optimizer whose parameter groups have options that can be searched."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from sktune._errors import did_you_mean

_PREFIX = "param_groups__"
_DECAY = "group_decay"


@dataclass(frozen=True, repr=False)
class ParamGroups:
    """Lets options of an optimizer's parameter groups be parameters of a net.

    skorch makes groups of the patterns in ``optimizer__param_groups``; what stands
    beside a pattern, such as a learning rate, is a part of that list, which can only be
    searched as a whole. With this, a group's options can be set one by one, by the name
    that skorch itself has for them once a net is made:
    ``optimizer__param_groups__0__lr`` is the rate of the first group.

    This is no part of a search: the net is trained, cloned and pickled anywhere, and
    its ``optimizer_`` is an ordinary one of torch, for schedulers too.

    Parameters
    ----------
    optimizer : callable
        Class of the optimizer, such as ``torch.optim.SGD``.

    Notes
    -----
    A group is named by its number, or by a ``"name"`` among its options: the rate of
    ``("backbone.*", {"name": "body"})`` is ``optimizer__param_groups__body__lr``.
    Names are safer: skorch makes no group of a pattern that matches nothing, and those
    behind it move up. Parameters that no pattern matches are in the last group, and
    what is not set for a group, such as its rate, is that of the net.

    ``optimizer__group_decay`` gives all groups rates by one number that can be
    searched: the rate of each is that of the next divided by it, up to the last group,
    which has the net's. With groups in the order of the layers, later layers learn
    faster: discriminative rates, for which Howard and Ruder take 2.6 [1]_. A group
    whose rate is set keeps it.

    References
    ----------
    .. [1] J. Howard and S. Ruder, "Universal language model fine-tuning for text
       classification", ACL 2018.

    Examples
    --------
    >>> import torch
    >>> from skorch import NeuralNetRegressor
    >>> from sktune.nets import ParamGroups
    >>> net = NeuralNetRegressor(
    ...     torch.nn.Linear,
    ...     module__in_features=2,
    ...     module__out_features=1,
    ...     optimizer=ParamGroups(torch.optim.SGD),
    ...     optimizer__param_groups=[("bias", {"name": "bias"})],
    ...     lr=0.1,
    ... )
    >>> net = net.set_params(optimizer__param_groups__bias__lr=0.5).initialize()
    >>> [group["lr"] for group in net.optimizer_.param_groups]
    [0.5, 0.1]

    A rate for each layer:

    >>> layers = torch.nn.Sequential(*(torch.nn.Linear(1, 1) for _ in range(3)))
    >>> net = NeuralNetRegressor(
    ...     layers,
    ...     optimizer=ParamGroups(torch.optim.SGD),
    ...     optimizer__param_groups=[("0.*", {}), ("1.*", {})],
    ...     optimizer__group_decay=2.0,
    ...     lr=0.4,
    ... )
    >>> [group["lr"] for group in net.initialize().optimizer_.param_groups]
    [0.1, 0.2, 0.4]
    """

    optimizer: Callable[..., Any]

    takes_options_of_groups: ClassVar[bool] = True
    own_options: ClassVar[frozenset[str]] = frozenset({_DECAY})

    def __call__(self, params: Iterable[Any], **options: Any) -> Any:
        """Make the optimizer.

        Parameters
        ----------
        params : iterable of dict or tensors
            Groups, or parameters that are one group.
        **options
            Of the optimizer; ``param_groups__<group>__<option>`` are those of a group,
            and `group_decay` is by how much slower each group learns than the next.

        Returns
        -------
        torch.optim.Optimizer

        Raises
        ------
        ValueError
            For a group that is not there, for an option that the optimizer lacks, and
            for a `group_decay` of 0 or less, or of one group.
        """
        params = list(params)
        is_grouped = bool(params) and isinstance(params[0], dict)
        groups = [dict(g) for g in params] if is_grouped else [{"params": params}]
        of_groups = {k: options.pop(k) for k in [*options] if k.startswith(_PREFIX)}
        for name, value in of_groups.items():
            group, _, option = name.removeprefix(_PREFIX).partition("__")
            _find(groups, group, name)[option] = value
        decay = options.pop(_DECAY, None)
        if decay is not None:
            _let_rates_decay(groups, options.get("lr"), decay)
        made = self.optimizer(groups, **options)
        for name in of_groups:
            _, _, option = name.removeprefix(_PREFIX).partition("__")
            if option not in made.defaults:  # torch would keep it, and never use it
                raise ValueError(
                    f"{name}: {type(made).__name__} has no option {option!r}."
                    f"{did_you_mean(option, made.defaults)} It has: "
                    f"{sorted(made.defaults)}."
                )
        return made

    def __repr__(self) -> str:
        name = getattr(self.optimizer, "__name__", repr(self.optimizer))
        return f"ParamGroups({name})"


def _let_rates_decay(groups: list[dict[str, Any]], lr: Any, decay: float) -> None:
    """Give groups that have no rate of their own that of the next, divided."""
    if not decay > 0:
        raise ValueError(f"{_DECAY}={decay!r} has to be greater than 0.")
    if len(groups) < 2:
        raise ValueError(
            f"{_DECAY}={decay!r}: all parameters are in one group. Give the patterns "
            "of groups in optimizer__param_groups, from the input to the output."
        )
    if lr is None:
        raise ValueError(f"{_DECAY}={decay!r} needs lr, the rate of the last group.")
    for k, group in enumerate(reversed(groups)):
        group.setdefault("lr", lr / decay**k)


def _find(groups: list[dict[str, Any]], group: str, name: str) -> dict[str, Any]:
    """The group of that number or name."""
    named = {str(one["name"]): one for one in groups if "name" in one}
    numbered = dict(zip(map(str, range(len(groups))), groups, strict=True))
    found = named.get(group, numbered.get(group))
    if found is None:
        raise ValueError(
            f"{name}: there is no parameter group {group!r}. There are "
            f"{[*numbered, *named]}; a pattern of optimizer__param_groups that matches "
            "no parameter of the module makes no group."
        )
    return found
