"""One step of an optimiser for many nets: each formula of torch, with values per net.

Parameters, gradients and states are matrices with a row for each net.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Options = Sequence[Mapping[str, Any]]
"""The options of one parameter group, by net."""


class Values:
    """Options of one parameter group, one value for each net.

    Numbers that are equal in all nets stay numbers, which is quicker.

    Parameters
    ----------
    options : list of dict
    like : Tensor
        The parameters, a row for each net.
    """

    def __init__(self, options: Options, like: Tensor) -> None:
        self.options = options
        self._like = like
        self._kept: dict[Any, Any] = {}

    def __call__(self, name: str, index: int | None = None) -> Any:
        key = name, index
        if key not in self._kept:
            values = [option[name] for option in self.options]
            self._kept[key] = self.of(
                [float(v if index is None else v[index]) for v in values]
            )
        return self._kept[key]

    def one_less_power(self, index: int, steps: Sequence[float]) -> Any:
        """``1 - beta**step``, what a mean of few steps is divided by."""
        beta, step = self("betas", index), steps[0]
        if isinstance(beta, float) and steps.count(step) == len(steps):
            return 1 - beta**step
        betas = [option["betas"][index] for option in self.options]
        return self.of([1 - b**s for b, s in zip(betas, steps, strict=True)])

    def of(self, values: Sequence[float]) -> Any:
        """Numbers as a factor of rows, one for each."""
        if all(value == values[0] for value in values):
            return values[0]
        like = self._like
        made = torch.tensor(values, dtype=like.dtype, device=like.device)
        return made.view(-1, 1)


def _lerp(state: Tensor, gradient: Tensor, weight: Any) -> None:
    state.lerp_(gradient, weight)


def _decayed(state: Tensor, gradient: Tensor, beta: Any) -> None:
    """``state = beta state + (1 - beta) gradient²``."""
    if isinstance(beta, float):
        state.mul_(beta).addcmul_(gradient, gradient, value=1 - beta)
    else:
        state.mul_(beta).addcmul_(gradient * (1 - beta), gradient)


def _subtract(p: Tensor, numerator: Tensor, denominator: Tensor, rate: Any) -> None:
    if isinstance(rate, float):
        p.addcdiv_(numerator, denominator, value=-rate)
    else:
        p.addcdiv_(numerator * -rate, denominator)


def _add(to: Tensor, what: Tensor, factor: Any) -> Tensor:
    """``to + factor what``, new."""
    if isinstance(factor, float):
        return to.add(what, alpha=factor)
    return to + what * factor


def _adam(
    p: Tensor, g: Tensor, state: dict[str, Tensor], steps: list[float], v: Values
) -> None:
    if _adam_fused(p, g, state, steps, v):
        return
    lr, decay, eps = v("lr"), v("weight_decay"), v("eps")
    beta1, beta2 = v("betas", 0), v("betas", 1)
    options = v.options
    decoupled = options[0].get("decoupled_weight_decay")
    if not _is_zero(decay):
        if decoupled:
            p.mul_(1 - lr * decay)
        else:
            g = _add(g, p, decay)
    _lerp(state["exp_avg"], g, 1 - beta1)
    _decayed(state["exp_avg_sq"], g, beta2)
    correction1, correction2 = v.one_less_power(0, steps), v.one_less_power(1, steps)
    second = state["exp_avg_sq"]
    if options[0].get("amsgrad"):
        second = state["max_exp_avg_sq"]
        torch.maximum(second, state["exp_avg_sq"], out=second)
    denominator = second.sqrt().div_(correction2**0.5).add_(eps)
    _subtract(p, state["exp_avg"], denominator, lr / correction1)


def _adam_fused(
    p: Tensor, g: Tensor, state: dict[str, Tensor], steps: list[float], v: Values
) -> bool:
    """By torch's one operation for a whole step, where it has one.

    That passes through memory once: for all nets together if all are equal in what it
    takes, else for each by itself.
    """
    numbers = [v("lr"), v("weight_decay"), v("eps"), v("betas", 0), v("betas", 1)]
    if (
        p.device.type != "cpu"
        or p.dtype not in (torch.float32, torch.float64)
        or v.options[0].get("amsgrad")
    ):
        return False
    mean, square = state["exp_avg"], state["exp_avg_sq"]
    if (
        p.is_contiguous()
        and g.is_contiguous()
        and steps.count(steps[0]) == len(steps)
        and all(isinstance(number, float) for number in numbers)
    ):
        _adam_step(p, g, mean, square, steps[0], v.options[0])
        return True
    for k, option in enumerate(v.options):
        _adam_step(p[k], g[k], mean[k], square[k], steps[k], option)
    return True


def _adam_step(
    p: Tensor,
    g: Tensor,
    mean: Tensor,
    square: Tensor,
    step: float,
    option: Mapping[str, Any],
) -> None:
    decoupled = option.get("decoupled_weight_decay")
    function = torch._fused_adamw_ if decoupled else torch._fused_adam_
    beta1, beta2 = option["betas"]
    function(
        [p],
        [g],
        [mean],
        [square],
        [],
        [torch.tensor(step)],
        lr=float(option["lr"]),
        beta1=float(beta1),
        beta2=float(beta2),
        weight_decay=float(option["weight_decay"]),
        eps=float(option["eps"]),
        amsgrad=False,
        maximize=False,
    )


def _nadam(
    p: Tensor, g: Tensor, state: dict[str, Tensor], steps: list[float], v: Values
) -> None:
    options = v.options
    beta1, beta2, eps, decay = v("betas", 0), v("betas", 1), v("eps"), v("weight_decay")
    if not _is_zero(decay):
        if options[0].get("decoupled_weight_decay"):
            p.mul_(1 - v("lr") * decay)
        else:
            g = _add(g, p, decay)
    products = state["mu_product"]
    first, second, of_gradient, of_average = [], [], [], []
    for k, (option, step) in enumerate(zip(options, steps, strict=True)):
        (b1, b2), m = option["betas"], option["momentum_decay"]
        mu = b1 * (1.0 - 0.5 * (0.96 ** (step * m)))
        mu_next = b1 * (1.0 - 0.5 * (0.96 ** ((step + 1) * m)))
        products[k] *= mu
        product = float(products[k, 0])
        second.append(1 - b2**step)
        of_gradient.append(option["lr"] * (1 - mu) / (1 - product))
        of_average.append(option["lr"] * mu_next / (1 - product * mu_next))
        first.append(mu)
    _lerp(state["exp_avg"], g, 1 - beta1)
    _decayed(state["exp_avg_sq"], g, beta2)
    denominator = state["exp_avg_sq"].div(v.of(second)).sqrt_().add_(eps)
    _subtract(p, g, denominator, v.of(of_gradient))
    _subtract(p, state["exp_avg"], denominator, v.of(of_average))


def _sgd(
    p: Tensor, g: Tensor, state: dict[str, Tensor], steps: list[float], v: Values
) -> None:
    lr, decay, momentum = v("lr"), v("weight_decay"), v("momentum")
    if not _is_zero(decay):
        g = _add(g, p, decay)
    if v.options[0]["momentum"]:
        buffer = state["momentum_buffer"]
        # The first step of a net is not dampened.
        factor = v.of(
            [
                1.0 if step == 1 else 1.0 - option["dampening"]
                for option, step in zip(v.options, steps, strict=True)
            ]
        )
        buffer.copy_(_add(buffer.mul_(momentum), g, factor))
        g = _add(g, buffer, momentum) if v.options[0]["nesterov"] else buffer
    if isinstance(lr, float):
        p.add_(g, alpha=-lr)
    else:
        p.addcmul_(g, -lr)


def _rmsprop(
    p: Tensor, g: Tensor, state: dict[str, Tensor], steps: list[float], v: Values
) -> None:
    lr, decay, alpha, eps = v("lr"), v("weight_decay"), v("alpha"), v("eps")
    if not _is_zero(decay):
        g = _add(g, p, decay)
    _decayed(state["square_avg"], g, alpha)
    if v.options[0]["centered"]:
        _lerp(state["grad_avg"], g, 1 - alpha)
        average = state["square_avg"].addcmul(
            state["grad_avg"], state["grad_avg"], value=-1
        )
        average = average.sqrt_()
    else:
        average = state["square_avg"].sqrt()
    average = average.add_(eps)
    if v.options[0]["momentum"]:
        buffer = state["momentum_buffer"]
        buffer.mul_(v("momentum")).addcdiv_(g, average)
        if isinstance(lr, float):
            p.add_(buffer, alpha=-lr)
        else:
            p.addcmul_(buffer, -lr)
    else:
        _subtract(p, g, average, lr)


def _adagrad(
    p: Tensor, g: Tensor, state: dict[str, Tensor], steps: list[float], v: Values
) -> None:
    decay = v("weight_decay")
    if not _is_zero(decay):
        g = _add(g, p, decay)
    rates = [
        float(option["lr"] / (1 + (step - 1) * option["lr_decay"]))
        for option, step in zip(v.options, steps, strict=True)
    ]
    state["sum"].addcmul_(g, g, value=1)
    _subtract(p, g, state["sum"].sqrt().add_(v("eps")), v.of(rates))


def _is_zero(value: Any) -> bool:
    return isinstance(value, float) and value == 0


Step = Callable[..., None]
STEPS: Mapping[type, Step] = {
    torch.optim.SGD: _sgd,
    torch.optim.Adam: _adam,
    torch.optim.AdamW: _adam,
    torch.optim.NAdam: _nadam,
    torch.optim.RMSprop: _rmsprop,
    torch.optim.Adagrad: _adagrad,
}


def new_state(
    cls: type, option: Mapping[str, Any], p: Tensor, n_parameters: int
) -> dict[str, Tensor]:
    """What torch makes for parameters before their first step, for all nets."""

    def zeros() -> Tensor:
        return torch.zeros_like(p)

    state: dict[str, Tensor] = {}
    if cls is torch.optim.SGD:
        if option["momentum"]:
            state["momentum_buffer"] = zeros()
    elif cls is torch.optim.RMSprop:
        state["square_avg"] = zeros()
        if option["momentum"] > 0:
            state["momentum_buffer"] = zeros()
        if option["centered"]:
            state["grad_avg"] = zeros()
    elif cls is torch.optim.NAdam:
        state["mu_product"] = torch.ones(len(p), n_parameters)
        state["exp_avg"], state["exp_avg_sq"] = zeros(), zeros()
    elif cls in (torch.optim.Adam, torch.optim.AdamW):
        state["exp_avg"], state["exp_avg_sq"] = zeros(), zeros()
        if option["amsgrad"]:
            state["max_exp_avg_sq"] = zeros()
    return state
