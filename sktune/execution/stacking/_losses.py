"""The losses of many nets at once: a mean over the rows of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import Tensor, nn

_OF_SKORCH = (
    NeuralNet.get_loss,
    NeuralNetClassifier.get_loss,
    NeuralNetBinaryClassifier.get_loss,
)


class StackedLoss:
    """The loss of each net on its rows.

    Where it is none of those below, each net computes its own.

    Parameters
    ----------
    nets : list of NeuralNet

    Attributes
    ----------
    reads_nets : bool
        Whether `get_loss` is a method of the user's own, which may read the net.
    """

    def __init__(self, nets: Sequence[Any]) -> None:
        self._nets = nets
        self.reads_nets = type(nets[0]).get_loss not in _OF_SKORCH
        criteria = [net.criterion_ for net in nets]
        first = self._criterion = criteria[0]
        self._known = None
        if (
            not self.reads_nets
            and getattr(first, "reduction", None) == "mean"
            and all(_have_equal_weights(first, other) for other in criteria[1:])
        ):
            self._known = KNOWN.get(type(first))
        is_classifier = type(nets[0]).get_loss is NeuralNetClassifier.get_loss
        self._takes_logarithm = is_classifier and isinstance(first, nn.NLLLoss)

    def of(
        self,
        members: range,
        y_pred: Any,
        y: Any,
        X: Any,
        training: bool,
        numbers: Any,
    ) -> Tensor:
        """The losses of nets side by side in the stack, with shape (n_nets,)."""
        found = None
        if self._known and isinstance(y_pred, Tensor) and isinstance(y, Tensor):
            scores = y_pred
            if self._takes_logarithm:
                scores = torch.log(y_pred + torch.finfo(y_pred.dtype).eps)
            found = self._known(self._criterion, scores, y)
        if found is not None:
            return found
        losses = []
        for i, k in enumerate(members):
            with numbers.alone(k):
                losses.append(
                    self._nets[k].get_loss(
                        part(y_pred, i), part(y, i), X=part(X, i), training=training
                    )
                )
        return torch.stack(losses)

    def with_gradients(
        self, members: range, y_pred: Tensor, y: Any, X: Any, numbers: Any
    ) -> tuple[Tensor, Tensor]:
        """The losses, and by how much they change with what the nets gave."""
        is_known = self._known is _cross_entropy and isinstance(y, Tensor)
        if is_known and _is_plain(self._criterion, y_pred, y):
            return _cross_entropy_by_hand(y_pred, y)
        leaf = y_pred.detach().requires_grad_()
        with torch.enable_grad():
            loss = self.of(members, leaf, y, X, True, numbers)
            (gradients,) = torch.autograd.grad(loss.sum(), leaf)
        return loss.detach(), gradients


def part(stacked: Any, k: int) -> Any:
    """What belongs to one net of tensors, or tuples, lists and dicts of them."""
    if isinstance(stacked, Tensor):
        return stacked[k]
    if isinstance(stacked, Mapping):
        return {name: part(value, k) for name, value in stacked.items()}
    if isinstance(stacked, tuple) and hasattr(stacked, "_fields"):
        return type(stacked)(*(part(value, k) for value in stacked))
    if isinstance(stacked, list | tuple):
        return type(stacked)(part(value, k) for value in stacked)
    return stacked


def _have_equal_weights(a: Any, b: Any) -> bool:
    for name in ("weight", "pos_weight"):
        one, other = getattr(a, name, None), getattr(b, name, None)
        if one is None and other is None:
            continue
        if one is None or other is None or not torch.equal(one, other):
            return False
    return True


class _CrossEntropy(torch.autograd.Function):
    """Of each row of scores and its class, without options.

    On a processor torch's own is slow for few classes.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, y: Tensor) -> Tensor:
        shifted = scores - scores.amax(-1, keepdim=True)
        y = y.unsqueeze(-1)
        of_class = shifted.gather(-1, y)
        shares = shifted.exp_()
        total = shares.sum(-1, keepdim=True)
        ctx.save_for_backward(shares.div_(total), y)
        return total.log_().sub_(of_class).squeeze(-1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        (gradient,), (shares, y) = gradients, ctx.saved_tensors
        return shares.scatter_add(-1, y, _MINUS_ONE.to(shares).expand(y.shape)).mul_(
            gradient.unsqueeze(-1)
        ), None


_MINUS_ONE = torch.tensor(-1.0)


def _cross_entropy(criterion: Any, y_pred: Tensor, y: Tensor) -> Tensor | None:
    if y.is_floating_point() or y_pred.dim() != 3 or y.dim() != 2:
        return None
    if _is_plain(criterion, y_pred, y):
        return _CrossEntropy.apply(y_pred, y).mean(1)
    each = F.cross_entropy(
        y_pred.flatten(0, 1),
        y.flatten(),
        criterion.weight,
        reduction="none",
        ignore_index=criterion.ignore_index,
        label_smoothing=criterion.label_smoothing,
    )
    return _mean_of_used(each.view(y.shape), y, criterion)


def _is_plain(criterion: Any, y_pred: Tensor, y: Tensor) -> bool:
    """Whether there are scores and classes and no more, on a processor."""
    if (
        criterion.weight is not None
        or criterion.label_smoothing
        or criterion.ignore_index >= 0
        or (y_pred.dim(), y.dim(), y.device.type) != (3, 2, "cpu")
        or y.dtype != torch.int64
        or y_pred.dtype not in _QUICK
        or not y.numel()
    ):
        return False
    lowest, highest = torch.aminmax(y)
    return int(lowest) >= 0 and int(highest) < y_pred.shape[-1]


def _cross_entropy_by_hand(y_pred: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    n_rows, y = y.shape[1], y.unsqueeze(-1)
    shifted = y_pred - y_pred.amax(-1, keepdim=True)
    of_class = shifted.gather(-1, y)
    shares = shifted.exp_()
    total = shares.sum(-1, keepdim=True)
    gradients = shares.div_(total * n_rows)
    less = gradients.new_full((1, 1, 1), -1 / n_rows).expand(y.shape)
    gradients.scatter_add_(-1, y, less)
    return total.log_().sub_(of_class).mean((1, 2)), gradients


_QUICK = (torch.float32, torch.float64)


def _nll(criterion: Any, y_pred: Tensor, y: Tensor) -> Tensor | None:
    if y_pred.dim() != 3 or y.dim() != 2:
        return None
    each = F.nll_loss(
        y_pred.flatten(0, 1),
        y.flatten(),
        criterion.weight,
        reduction="none",
        ignore_index=criterion.ignore_index,
    )
    return _mean_of_used(each.view(y.shape), y, criterion)


def _mean_of_used(each: Tensor, y: Tensor, criterion: Any) -> Tensor:
    """NaN where no row is used, as torch has it."""
    used = y != criterion.ignore_index
    if criterion.weight is None:
        return each.sum(1) / used.sum(1)
    weights = criterion.weight[torch.where(used, y, 0)] * used
    return each.sum(1) / weights.sum(1)


def _elementwise(function: Callable[..., Tensor], *options: str) -> Any:
    def stacked(criterion: Any, y_pred: Tensor, y: Tensor) -> Tensor | None:
        if y_pred.shape != y.shape:
            return None
        chosen = {name: getattr(criterion, name) for name in options}
        for name in ("weight", "pos_weight"):
            value = getattr(criterion, name, None)
            if value is None:
                continue
            if value.dim() >= y.dim():  # a weight of each row
                return None
            chosen[name] = value
        return function(y_pred, y, reduction="none", **chosen).flatten(1).mean(1)

    return stacked


KNOWN: Mapping[type, Callable[[Any, Tensor, Tensor], Tensor | None]] = {
    nn.CrossEntropyLoss: _cross_entropy,
    nn.NLLLoss: _nll,
    nn.MSELoss: _elementwise(F.mse_loss),
    nn.L1Loss: _elementwise(F.l1_loss),
    nn.SmoothL1Loss: _elementwise(F.smooth_l1_loss, "beta"),
    nn.HuberLoss: _elementwise(F.huber_loss, "delta"),
    nn.BCELoss: _elementwise(F.binary_cross_entropy),
    nn.BCEWithLogitsLoss: _elementwise(F.binary_cross_entropy_with_logits),
}
