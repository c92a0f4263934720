"""Record learning curves of small nets, so that rules are not fitted to others' alone.

    python benchmarks/stopping/record.py --data FOLDER

Random candidates on five splits: after each epoch the score of the part that a net
keeps back by itself, as skorch does, and that of the split's test part. The five nets
of a candidate are trained as one, with weights that have the split as their first axis;
they share nothing else.
"""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import single_thread  # noqa: F401  isort: skip
import numpy as np
import torch
from published_records import published_records
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold, StratifiedKFold
from torch.nn import functional

N_SPLITS, N_EPOCHS = 5, 27
N_CANDIDATES = {"digits_cnn": 60}  # others: 80
N_ROWS = {"letter": 3000, "satimage": 2500, "mnist1d": 2500}
NETS = ("digits", "digits_cnn", "satimage", "letter", "reg_concrete", "mnist1d")


def data(name: str, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Columns of mean 0 and spread 1; of a regression the target, too."""
    if name.startswith("digits"):
        X, y = load_digits(return_X_y=True)
        return (X / 16 - 0.3).astype(np.float32), y
    recorded = published_records(folder).dataset(name)
    X, y = recorded["X"], recorded["y"]
    rows = np.random.default_rng(0).permutation(len(X))[: N_ROWS.get(name)]
    X, y = X[rows], y[rows]
    if recorded["task"] == "regression":
        y = ((y - y.mean()) / y.std()).astype(np.float32)
    return ((X - X.mean(0)) / (X.std(0) + 1e-9)).astype(np.float32), y


def parts(y: np.ndarray) -> list[list[np.ndarray]]:
    """Of each split the rows to train on, those kept back, and those of the test."""
    kind = StratifiedKFold if y.dtype.kind == "i" else KFold
    splits = []
    outer = kind(N_SPLITS, shuffle=True, random_state=0)
    for train, test in outer.split(y, y):
        fit, valid = next(kind(5).split(train, y[train]))
        splits.append([train[fit], train[valid], test])
    return [_even(rows) for rows in zip(*splits, strict=True)]


def _even(rows: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    n = min(map(len, rows))
    return [r[:n] for r in rows]


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Params of a candidate, some of which are bad and some of which break down."""
    adam = bool(rng.random() < 0.6)
    lr = 10 ** rng.uniform(-4, -0.8)
    return {
        "adam": adam,
        "lr": lr if adam else 10 * lr,
        "batch_size": int(rng.choice([32, 64, 128])),
        "width": int(rng.choice([16, 32, 64, 128])),
        "n_layers": int(rng.integers(1, 4)),
        "dropout": float(rng.choice([0.0, 0.2, 0.5])),
        "weight_decay": 10 ** rng.uniform(-6, -1),
        "cosine": bool(rng.random() < 0.4),
    }


class Stack(torch.nn.Module):
    """Five nets of one shape: linear layers, or two of convolution before one."""

    def __init__(self, n_in: int, n_out: int, params: dict[str, Any], conv: bool):
        super().__init__()
        self.dropout, self.conv = params["dropout"], conv
        widths = [n_in, *[params["width"]] * params["n_layers"], n_out]
        if conv:
            c = max(4, params["width"] // 8)
            self.convs = torch.nn.ModuleList(
                torch.nn.Conv2d(i * N_SPLITS, o * N_SPLITS, 3, 1, 1, groups=N_SPLITS)
                for i, o in ((1, c), (c, 2 * c))
            )
            widths = [8 * c, n_out]
        self.weights, self.biases = torch.nn.ParameterList(), torch.nn.ParameterList()
        for i, o in pairwise(widths):
            bound = i**-0.5
            weight = torch.empty(N_SPLITS, i, o).uniform_(-bound, bound)
            self.weights.append(torch.nn.Parameter(weight))
            bias = torch.empty(N_SPLITS, 1, o).uniform_(-bound, bound)
            self.biases.append(torch.nn.Parameter(bias))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if self.conv:
            X = X.transpose(0, 1).reshape(X.shape[1], N_SPLITS, 8, 8)
            for conv in self.convs:
                X = functional.max_pool2d(functional.relu(conv(X)), 2)
            X = X.reshape(len(X), N_SPLITS, -1).transpose(0, 1)
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            X = torch.baddbmm(bias, X, weight)
            if k + 1 < len(self.weights):
                X = functional.dropout(X.relu(), self.dropout, self.training)
        return X


def train(
    X: torch.Tensor,
    y: torch.Tensor,
    rows: list[torch.Tensor],
    params: dict[str, Any],
    conv: bool,
    seed: int,
) -> np.ndarray:
    """Scores of the parts kept back and of the test parts, split by split."""
    torch.manual_seed(seed)
    classes = not y.is_floating_point()
    n_out = int(y.max()) + 1 if classes else 1
    net = Stack(X.shape[1], n_out, params, conv)
    make: Any = torch.optim.Adam if params["adam"] else torch.optim.SGD
    more = {} if params["adam"] else {"momentum": 0.9}
    decay = params["weight_decay"]
    optimizer = make(net.parameters(), lr=params["lr"], weight_decay=decay, **more)
    scores = np.empty((2, N_SPLITS, N_EPOCHS), np.float32)
    fit = rows[0]
    for epoch in range(N_EPOCHS):
        if params["cosine"]:
            share = 0.5 * (1 + np.cos(np.pi * epoch / N_EPOCHS))
            optimizer.param_groups[0]["lr"] = params["lr"] * share
        net.train()
        order = fit.gather(1, torch.rand(fit.shape).argsort(1))
        for batch in order.split(params["batch_size"], 1):
            optimizer.zero_grad()
            out = net(X[batch])
            if classes:
                loss = functional.cross_entropy(out.transpose(1, 2), y[batch])
            else:
                loss = functional.mse_loss(out[..., 0], y[batch])
            (N_SPLITS * loss).backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            for part in (0, 1):
                out = net(X[rows[1 + part]])
                true = y[rows[1 + part]]
                if classes:
                    score = (out.argmax(2) == true).float().mean(1)
                else:
                    score = -(out[..., 0] - true).square().mean(1)
                scores[part, :, epoch] = score.numpy()
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    torch.set_num_threads(1)
    arrays = {}
    for name in NETS:
        start = time.process_time()
        X, y = data(name, args.data)
        rows = [torch.from_numpy(np.stack(part)) for part in parts(y)]
        tensors = torch.from_numpy(X), torch.from_numpy(y)
        rng = np.random.default_rng(1)
        conv = name.endswith("_cnn")
        curves = [
            train(*tensors, rows, draw(rng), conv, seed)
            for seed in range(N_CANDIDATES.get(name, 80))
        ]
        # by candidate, part (kept back, test), split and epoch
        arrays[name] = np.stack(curves)
        np.savez_compressed(args.out / "curves.npz", **arrays)
        seconds = time.process_time() - start
        print(name, arrays[name].shape, f"{seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
