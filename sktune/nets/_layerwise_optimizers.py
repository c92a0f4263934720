"""Optimizers that scale each layer's step by how large its weights are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


class _LayerwiseOptimizer(Optimizer):
    """A step of each tensor that has a gradient."""

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one step; see torch."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    if p.grad.is_sparse:
                        raise RuntimeError(
                            f"{type(self).__name__} takes no sparse gradients. Use "
                            "torch's SparseAdam."
                        )
                    self._step(p, p.grad, group)
        return loss

    def _step(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        raise NotImplementedError


class LARS(_LayerwiseOptimizer):
    """SGD with a rate for each layer, for large batches.

    Where weights are large and gradients are small a layer could learn faster, and
    where it is the other way round its rate tears the weights apart. LARS trusts each
    layer with a step of a fixed share of the norm of its weights [1]_.

    Parameters
    ----------
    params : iterable
        Parameters, or dicts of groups, as in torch.
    lr : float, default=1.0
        The rate of all layers.
    momentum : float, default=0.9
    weight_decay : float, default=0.0
    trust_coefficient : float, default=0.001
        A step is about this share of a layer's norm, times `lr`.
    eps : float, default=1e-8
        Keeps the division from one by zero.
    scale_vectors : bool, default=False
        Whether biases and the like, of one dimension or none, are scaled and decay
        too. By default they are stepped as in SGD, as is the custom.

    Notes
    -----
    A step with gradient ``g`` of weights ``w``::

        rate = trust_coefficient * |w| / (|g| + weight_decay * |w| + eps)
        v = momentum * v + lr * rate * (g + weight_decay * w)
        w = w - v

    where the rate is 1 if either norm is zero. A norm is one number for all of a
    parameter, so such nets are not stacked with others.

    Raises
    ------
    ValueError
        For options out of their range.

    References
    ----------
    .. [1] Y. You, I. Gitman and B. Ginsburg, "Large batch training of convolutional
       networks", arXiv:1708.03888, 2017.

    Examples
    --------
    >>> from skorch import NeuralNetClassifier
    >>> from sktune.nets import LARS
    >>> net = NeuralNetClassifier(torch.nn.Linear, optimizer=LARS, batch_size=1024)
    >>> space = {"lr": [1, 3, 10], "optimizer__trust_coefficient": [1e-3, 1e-2]}
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
        trust_coefficient: float = 0.001,
        eps: float = 1e-8,
        scale_vectors: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            trust_coefficient=trust_coefficient,
            eps=eps,
            scale_vectors=scale_vectors,
        )
        _check(defaults, below_one=("momentum",))
        super().__init__(params, defaults)

    def _step(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        rate: Any = 1.0
        if p.dim() > 1 or group["scale_vectors"]:
            decay = group["weight_decay"]
            size, slope = p.norm(), gradient.norm()
            trusted = group["trust_coefficient"] * size
            rate = trusted / (slope + decay * size + group["eps"])
            rate = torch.where((size > 0) & (slope > 0), rate, torch.ones_like(rate))
            gradient = gradient.add(p, alpha=decay)
        change = gradient * (rate * group["lr"])
        if group["momentum"]:
            state = self.state[p]
            if "momentum_buffer" not in state:
                state["momentum_buffer"] = torch.zeros_like(p)
            change = state["momentum_buffer"].mul_(group["momentum"]).add_(change)
        p.sub_(change)


class LAMB(_LayerwiseOptimizer):
    """Adam with a rate for each layer, for large batches.

    What `LARS` is to SGD, LAMB is to AdamW: the step of each layer is made as long as
    its weights are, times `lr` [1]_.

    Parameters
    ----------
    params : iterable
        Parameters, or dicts of groups, as in torch.
    lr : float, default=0.001
    betas : tuple of float, default=(0.9, 0.999)
        Of the running means of the gradient and of its square.
    eps : float, default=1e-6
        Added to the root of the mean square.
    weight_decay : float, default=0.01
    max_norm : float, default=10.0
        Norms of weights count as no more than that.
    scale_vectors : bool, default=False
        Whether biases and the like, of one dimension or none, are scaled and decay
        too. By default they are stepped as in Adam, as is the custom.

    Notes
    -----
    A step with the means ``m`` and ``v`` of Adam, corrected for their beginning::

        r = m / (sqrt(v) + eps) + weight_decay * w
        w = w - lr * min(|w|, max_norm) / |r| * r

    where the ratio is 1 if either norm is zero. A norm is one number for all of a
    parameter, so such nets are not stacked with others.

    Raises
    ------
    ValueError
        For options out of their range.

    References
    ----------
    .. [1] Y. You, J. Li, S. Reddi, J. Hseu, S. Kumar, S. Bhojanapalli, X. Song, J.
       Demmel, K. Keutzer and C.-J. Hsieh, "Large batch optimization for deep learning:
       training BERT in 76 minutes", arXiv:1904.00962, 2019.

    Examples
    --------
    >>> from skorch import NeuralNetClassifier
    >>> from sktune.nets import LAMB
    >>> net = NeuralNetClassifier(torch.nn.Linear, optimizer=LAMB, batch_size=1024)
    >>> space = {"lr": [1e-3, 1e-2], "optimizer__weight_decay": [0.0, 0.01]}
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.01,
        max_norm: float = 10.0,
        scale_vectors: bool = False,
    ) -> None:
        defaults = dict(
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            max_norm=max_norm,
            scale_vectors=scale_vectors,
        )
        _check(defaults, below_one=("betas",))
        super().__init__(params, defaults)

    def _step(self, p: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(p)
            state["exp_avg_sq"] = torch.zeros_like(p)
        state["step"] += 1
        step, (beta1, beta2) = state["step"].item(), group["betas"]
        state["exp_avg"].lerp_(gradient, 1 - beta1)
        state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        mean = state["exp_avg"] / (1 - beta1**step)
        root = (state["exp_avg_sq"] / (1 - beta2**step)).sqrt_()
        change = mean.div_(root.add_(group["eps"]))
        ratio: Any = 1.0
        if p.dim() > 1 or group["scale_vectors"]:
            change.add_(p, alpha=group["weight_decay"])
            size, length = p.norm().clamp(max=group["max_norm"]), change.norm()
            ratio = torch.where(
                (size > 0) & (length > 0), size / length, torch.ones_like(size)
            )
        p.sub_(change * (ratio * group["lr"]))


def _check(options: dict[str, Any], below_one: tuple[str, ...]) -> None:
    """Raise as torch's own optimizers do."""
    for name, value in options.items():
        values = value if isinstance(value, tuple | list) else (value,)
        for one in values:
            is_right = one >= 0 and (name not in below_one or one < 1)
            if not is_right:
                limit = "in [0, 1)" if name in below_one else "0 or more"
                raise ValueError(f"{name}={value!r} has to be {limit}.")
