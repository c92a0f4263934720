"""Derivatives of both orders, and the eigenvalue, beside automatic differentiation."""

import pytest
import torch
from torch.autograd.functional import hessian

from sktune.architectures._bilevel import first_order, second_order, top_eigenvalue

XI = 0.1


@pytest.fixture
def problem():
    """Quadratic losses of weights w and architecture alpha, in double precision."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.double)

    A, B, C, D = draw(4, 4), draw(4, 6), draw(4, 6), draw(6, 6)
    w, alpha = draw(4).requires_grad_(), draw(2, 3).requires_grad_()

    def train(w=w, alpha=alpha):
        return ((A @ w - B @ alpha.flatten()) ** 2).sum()

    def valid(w=w, alpha=alpha):
        flat = alpha.flatten()
        return ((w - C @ flat) ** 2).sum() + flat @ (D @ D.T - 9) @ flat

    return train, valid, w, alpha


def test_first_order_is_the_partial_derivative(problem):
    _, valid, _, alpha = problem
    exact = torch.autograd.grad(valid(), alpha)[0]
    torch.testing.assert_close(first_order(valid, alpha), exact)


def test_second_order_is_the_derivative_through_the_step(problem):
    train, valid, w, alpha = problem
    (slope,) = torch.autograd.grad(train(), w, create_graph=True)
    exact = torch.autograd.grad(valid(w - XI * slope), alpha)[0]
    before = w.detach().clone()
    found = second_order(train, valid, alpha, [w], XI)
    # The finite difference of a quadratic has no error but rounding.
    torch.testing.assert_close(found, exact, rtol=1e-7, atol=1e-7)
    assert torch.equal(w, before)
    assert not torch.allclose(found, first_order(valid, alpha), rtol=0.01)


def test_what_a_loss_does_not_depend_on_has_no_slope(problem):
    _, _, w, alpha = problem
    loss = lambda: (w**2).sum()  # noqa: E731
    assert torch.equal(first_order(loss, alpha), torch.zeros_like(alpha))
    none = second_order(loss, lambda: torch.ones(()), alpha, [w], XI)
    assert torch.equal(none, torch.zeros_like(alpha))
    assert top_eigenvalue(loss, alpha) == (0.0, None)
    assert top_eigenvalue(alpha.sum, alpha) == (0.0, None)


@pytest.mark.parametrize("shift", [-20.0, 0.0, 40.0])
def test_the_largest_eigenvalue(problem, shift):
    """Also where the largest by magnitude is negative, and where all are."""
    _, valid, w, alpha = problem

    def loss(alpha=alpha):
        return valid(w, alpha) - shift * (alpha**2).sum()

    exact = torch.linalg.eigvalsh(hessian(loss, alpha).reshape(6, 6))
    found, vector = top_eigenvalue(loss, alpha, n_iter=500, tol=1e-7)
    assert found == pytest.approx(float(exact[-1]), rel=1e-3)
    near, _ = top_eigenvalue(loss, alpha, vector, n_iter=500, tol=1e-7)
    assert near == pytest.approx(found, rel=1e-3)
