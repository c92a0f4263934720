"""Derivatives of the validation loss by the weights of operations.

Notation of Liu et al. 2019 (DARTS), section 2.3:

    alpha     weights of operations, here one tensor of shape (n_edges, n_operations)
    w         parameters of the net
    xi        rate of the one step that stands for training to the end

First order is the derivative at w (xi = 0), second order that at w - xi dL_train/dw,
whose mixed second derivatives are a finite difference (their eq. 8).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

Loss = Callable[[], Tensor]

EPSILON = 0.01  # length of a step of the finite difference; theirs


def first_order(valid_loss: Loss, alpha: Tensor) -> Tensor:
    """The derivative of the validation loss by alpha where the net is."""
    return _gradients(valid_loss(), [alpha])[0]


def second_order(
    train_loss: Loss,
    valid_loss: Loss,
    alpha: Tensor,
    weights: Sequence[Tensor],
    xi: float,
) -> Tensor:
    """The derivative of the validation loss after one step of training (eq. 7, 8).

    Parameters
    ----------
    train_loss, valid_loss : callable
        Give the losses at the alpha and weights of the moment.
    alpha : Tensor of shape (n_edges, n_operations)
    weights : sequence of Tensor
        Parameters of the net; they are as before in the end.
    xi : float
        Rate of the step.

    Returns
    -------
    gradient : Tensor of shape (n_edges, n_operations)
    """
    step = _gradients(train_loss(), weights)
    with _moved(weights, step, -xi):
        by_alpha, *by_weights = _gradients(valid_loss(), [alpha, *weights])
    length = float(torch.sqrt(sum((part**2).sum() for part in by_weights)))
    if length == 0.0:
        return by_alpha
    epsilon = EPSILON / length
    sides = []
    for sign in (1, -1):
        with _moved(weights, by_weights, sign * epsilon):
            sides.append(_gradients(train_loss(), [alpha])[0])
    return by_alpha - xi * (sides[0] - sides[1]) / (2 * epsilon)


def top_eigenvalue(
    valid_loss: Loss,
    alpha: Tensor,
    start: Tensor | None = None,
    n_iter: int = 20,
    tol: float = 0.02,
) -> tuple[float, Tensor | None]:
    """The largest eigenvalue of the Hessian of a loss by alpha.

    By power iteration, which finds the largest one by magnitude. If that is negative,
    a second one, of the Hessian shifted by it, finds the largest.

    Parameters
    ----------
    valid_loss : callable
        Gives the loss at the alpha of the moment.
    alpha : Tensor of shape (n_edges, n_operations)
    start : Tensor of shape (n_edges, n_operations), default=None
        The eigenvector of an epoch before, from which few iterations are enough.
    n_iter : int, default=20
        Products with the Hessian, at most, of each of both.
    tol : float, default=0.02
        Relative change of the eigenvalue at which it is enough.

    Returns
    -------
    eigenvalue : float
        0 where the loss is linear in alpha.
    vector : Tensor of shape (n_edges, n_operations) or None
        That of the largest by magnitude, to start from.
    """
    (slope,) = torch.autograd.grad(
        valid_loss(), [alpha], create_graph=True, allow_unused=True
    )
    if slope is None or slope.grad_fn is None:
        return 0.0, None

    def product(vector: Tensor) -> Tensor:
        (result,) = torch.autograd.grad(
            slope, [alpha], vector, retain_graph=True, allow_unused=True
        )
        return torch.zeros_like(alpha) if result is None else result.detach()

    # Numbers of its own, so that watching a search does not change it.
    generator = torch.Generator().manual_seed(0)
    fresh = torch.randn(alpha.shape, generator=generator, dtype=alpha.dtype)
    fresh = fresh.to(alpha.device)
    is_usable = start is not None and bool(torch.isfinite(start).all())
    first = start if is_usable else fresh
    largest, vector = _dominant(product, first, n_iter, tol)
    if largest < 0.0:
        negative = largest
        shifted = _dominant(lambda v: product(v) - negative * v, fresh, n_iter, tol)
        largest = negative + shifted[0]
    return largest, vector


def _dominant(
    product: Callable[[Tensor], Tensor], vector: Tensor, n_iter: int, tol: float
) -> tuple[float, Tensor]:
    value = 0.0
    for _ in range(n_iter):
        vector = vector / vector.norm()
        image = product(vector)
        before, value = value, float((vector * image).sum())
        if float(image.norm()) == 0.0 or abs(value - before) <= tol * abs(value):
            break
        vector = image
    return value, vector


def _gradients(loss: Tensor, by: Sequence[Tensor]) -> list[Tensor]:
    """Zeros for what the loss does not depend on, such as "none"."""
    if loss.grad_fn is None:
        return [torch.zeros_like(one) for one in by]
    found = torch.autograd.grad(loss, list(by), allow_unused=True)
    return [
        torch.zeros_like(one) if gradient is None else gradient
        for one, gradient in zip(by, found, strict=True)
    ]


@contextmanager
def _moved(
    weights: Sequence[Tensor], direction: Sequence[Tensor], factor: float
) -> Iterator[None]:
    """Weights moved in place, and put back bit for bit."""
    kept = [one.detach().clone() for one in weights]
    try:
        with torch.no_grad():
            for one, by in zip(weights, direction, strict=True):
                one.add_(by, alpha=factor)
        yield
    finally:
        with torch.no_grad():
            for one, old in zip(weights, kept, strict=True):
                one.copy_(old)
