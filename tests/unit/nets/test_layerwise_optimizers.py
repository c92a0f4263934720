import math
import pickle

import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from skorch.callbacks import LRScheduler
from torch import nn

from sktune import RandomizedSearchCV
from sktune.nets import LAMB, LARS, ParamGroups
from tests.helpers.estimators import blobs, net

X, y = blobs(60)
SHAPES = (3, 4), (4,), ()


def norm(w):
    return math.sqrt(sum(float(v) ** 2 for v in np.ravel(w)))


def lars(w, g, state, lr, momentum=0.9, decay=0.0, trust=0.001, eps=1e-8, scaled=True):
    """By the formulas of the paper, in NumPy."""
    rate = 1.0
    if scaled:
        if norm(w) > 0 and norm(g) > 0:
            rate = trust * norm(w) / (norm(g) + decay * norm(w) + eps)
        g = g + decay * w
    state["v"] = momentum * state.get("v", 0.0) + lr * rate * g
    return w - state["v"]


def lamb(
    w, g, state, lr, betas=(0.9, 0.999), decay=0.01, eps=1e-6, scaled=True, top=10
):
    t = state["t"] = state.get("t", 0) + 1
    state["m"] = betas[0] * state.get("m", 0.0) + (1 - betas[0]) * g
    state["s"] = betas[1] * state.get("s", 0.0) + (1 - betas[1]) * g**2
    r = state["m"] / (1 - betas[0] ** t)
    r = r / (np.sqrt(state["s"] / (1 - betas[1] ** t)) + eps)
    ratio = 1.0
    if scaled:
        r = r + decay * w
        if norm(w) > 0 and norm(r) > 0:
            ratio = min(norm(w), top) / norm(r)
    return w - lr * ratio * r


CASES = [
    (LARS, lars, {"lr": 0.5}, {}),
    (LARS, lars, {"lr": 2.0, "momentum": 0.0}, {}),
    (LARS, lars, {"lr": 2.0, "momentum": 0.5, "weight_decay": 0.1}, {"decay": 0.1}),
    (LARS, lars, {"lr": 0.1, "trust_coefficient": 0.02}, {"trust": 0.02}),
    (LAMB, lamb, {"lr": 0.01}, {}),
    (LAMB, lamb, {"lr": 0.1, "weight_decay": 0.0}, {"decay": 0.0}),
    (LAMB, lamb, {"lr": 0.1, "betas": (0.5, 0.7), "eps": 0.1}, {}),
    (LAMB, lamb, {"lr": 0.1, "max_norm": 0.5}, {"top": 0.5}),
]


@pytest.mark.parametrize("scale_vectors", [False, True])
@pytest.mark.parametrize(("cls", "reference", "options", "named"), CASES)
def test_the_formulas_of_the_papers(cls, reference, options, named, scale_vectors):
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape) for shape in SHAPES]
    start.append(np.zeros((2, 2)))  # whose first step is not scaled
    params = [nn.Parameter(torch.tensor(w)) for w in start]
    optimizer = cls(params, scale_vectors=scale_vectors, **options)
    mine, states = [w.copy() for w in start], [{} for _ in start]
    taken = {
        k: v for k, v in options.items() if k in ("lr", "momentum", "betas", "eps")
    }
    for k in range(5):
        gradients = [rng.normal(size=w.shape) * (k != 2) for w in mine]
        for p, g in zip(params, gradients, strict=True):
            p.grad = torch.tensor(np.asarray(g))
        optimizer.step()
        mine = [
            reference(w, g, s, scaled=scale_vectors or w.ndim > 1, **taken, **named)
            for w, g, s in zip(mine, gradients, states, strict=True)
        ]
        for p, w in zip(params, mine, strict=True):
            np.testing.assert_allclose(p.detach().numpy(), w, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize(
    ("cls", "near"), [(LARS, torch.optim.SGD), (LAMB, torch.optim.Adam)]
)
def test_vectors_are_stepped_as_by_torchs_own(cls, near):
    start = torch.randn(
        5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    ours, theirs = (nn.Parameter(start.clone()) for _ in range(2))
    extra = {"momentum": 0.9} if cls is LARS else {"eps": 1e-6}
    optimizers = cls([ours], lr=0.1), near([theirs], lr=0.1, **extra)
    for _ in range(4):
        for p, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            loss = optimizer.step(lambda p=p: _backward(p))
            assert loss > 0
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def _backward(p):
    loss = (p**2).sum()
    loss.backward()
    return loss


@pytest.mark.parametrize("cls", [LARS, LAMB])
def test_a_step_does_not_depend_on_the_scale_of_the_gradient(cls):
    """What layer-wise rates are for."""
    ends = []
    for scale in (1.0, 1e4):
        p = nn.Parameter(torch.ones(3, 3, dtype=torch.float64))
        p.grad = scale * torch.arange(9.0, dtype=torch.float64).view(3, 3)
        cls([p], lr=0.1, eps=1e-12).step()
        ends.append(p.detach())
    torch.testing.assert_close(*ends)


@pytest.mark.parametrize("cls", [LARS, LAMB])
def test_states_are_saved_and_groups_and_schedules_work(cls):
    one = net(
        optimizer=ParamGroups(cls),
        optimizer__param_groups=[("layers.0*", {})],
        optimizer__group_decay=2.0,
        callbacks=[LRScheduler("StepLR", step_size=1, gamma=0.5)],
        verbose=0,
        lr=0.1,
    )
    torch.manual_seed(0)
    one.fit(X, y)
    rates = [group["lr"] for group in one.optimizer_.param_groups]
    assert rates == pytest.approx([0.05 / 8, 0.1 / 8])
    kept = pickle.loads(pickle.dumps(one))
    for other in (one, kept):
        torch.manual_seed(1)
        other.partial_fit(X, y)
    assert one.forward(X).equal(kept.forward(X))


def test_their_options_are_searched():
    for cls, name in ((LARS, "trust_coefficient"), (LAMB, "max_norm")):
        space = {"lr": loguniform(1e-2, 1), f"optimizer__{name}": loguniform(1e-3, 1)}
        search = RandomizedSearchCV(
            net(optimizer=cls), space, n_iter=2, cv=2, random_state=0, stacked=True
        ).fit(X, y)
        reasons = {row["reason"] for row in search.paths_ if row["split"] is not None}
        assert reasons == {f"{cls.__name__} has no stacked step"}


@pytest.mark.parametrize(
    ("cls", "options", "message"),
    [
        (LARS, {"lr": -1}, "lr=-1 has to be 0 or more"),
        (LARS, {"momentum": 1.0}, r"momentum=1.0 has to be in \[0, 1\)"),
        (LAMB, {"betas": (0.9, 1.0)}, r"betas=\(0.9, 1.0\) has to be in"),
        (LAMB, {"max_norm": -1.0}, "max_norm=-1.0 has to be 0 or more"),
    ],
)
def test_what_cannot_be(cls, options, message):
    with pytest.raises(ValueError, match=message):
        cls([nn.Parameter(torch.ones(2))], **options)
    embedding = nn.Embedding(3, 2, sparse=True)
    optimizer = cls(embedding.parameters())
    embedding(torch.tensor([1])).sum().backward()
    with pytest.raises(RuntimeError, match=f"{cls.__name__} takes no sparse"):
        optimizer.step()
