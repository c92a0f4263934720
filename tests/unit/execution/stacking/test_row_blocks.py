"""The rows of batches, cut in blocks."""

import numpy as np
import pytest
import torch
from skorch.dataset import Dataset
from torch.utils.data import DataLoader, RandomSampler

from sktune.execution.stacking import _row_blocks
from sktune.execution.stacking._lockstep import Runner
from sktune.execution.stacking._numbers import Numbers
from sktune.execution.stacking._row_blocks import NetRows, RowBlocks, runs
from sktune.execution.training._array_batches import cut_from_arrays

X = np.arange(50, dtype="float32").reshape(25, 2)
y = np.arange(25)


def runner(seed):
    made = Runner(seed, None)
    with made.own_numbers():
        pass
    return made


def loader(n_rows=25, **options):
    made = DataLoader(Dataset(X[:n_rows], y[:n_rows]), **options)
    assert cut_from_arrays(made) is None
    return made


def generator():
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize(
    "options",
    [
        lambda: {},
        lambda: {"shuffle": True},
        lambda: {"shuffle": True, "drop_last": True},
        lambda: {"shuffle": True, "generator": generator()},
        lambda: {"sampler": RandomSampler(y, replacement=True, num_samples=40)},
        lambda: {"sampler": RandomSampler(y, num_samples=9, generator=generator())},
    ],
)
@pytest.mark.parametrize("n_bytes", [1, 60, 10**6])
def test_batches_are_those_of_the_loader(options, n_bytes, monkeypatch):
    """And the numbers that are drawn for them."""
    monkeypatch.setattr(_row_blocks, "_BYTES", n_bytes)
    by_loader, together = [runner(k) for k in range(3)], [runner(k) for k in range(3)]
    expected, made = [], [loader(batch_size=4, **options()) for _ in range(3)]
    for one, of in zip(by_loader, made, strict=True):
        with one.own_numbers():
            expected.append(list(of))
    numbers = Numbers(together)
    made = [loader(batch_size=4, **options()) for _ in range(3)]
    rows = {k: NetRows(one, k, numbers) for k, one in enumerate(made)}
    blocks = RowBlocks(rows, "cpu")
    assert {one.n_batches for one in rows.values()} == {len(expected[0])}
    for batch in range(len(expected[0])):
        assert not blocks.load(batch, range(3))
        stacked = blocks.together(range(1, 3), batch)
        for k in range(3):
            for part, given in zip(
                blocks.of(k, batch), expected[k][batch], strict=True
            ):
                assert torch.equal(part, given)
        for k in (1, 2):
            assert torch.equal(stacked[0][k - 1], expected[k][batch][0])
            assert torch.equal(stacked[1][k - 1], expected[k][batch][1])
    for k, (one, other) in enumerate(zip(by_loader, together, strict=True)):
        numbers.keep(k)
        assert np.array_equal(one.states["torch"], other.states["torch"])


def test_nets_with_batches_of_other_sizes_have_other_keys():
    numbers = Numbers([runner(k) for k in range(3)])
    sizes = (25, 25, 24)
    rows = {
        k: NetRows(loader(n, batch_size=8), k, numbers) for k, n in enumerate(sizes)
    }
    blocks = RowBlocks(rows, "cpu")
    for batch, expected in ((0, [range(3)]), (2, [range(3)]), (3, [range(2)])):
        due = [k for k in rows if batch < rows[k].n_batches]
        blocks.load(batch, due)
        assert runs((k, blocks.key(k, batch)) for k in due) == expected


def test_rows_that_cannot_be_cut_are_an_error_of_one_net():
    numbers = Numbers([runner(k) for k in range(3)])
    made = [loader(batch_size=8) for _ in range(3)]
    rows = {k: NetRows(one, k, numbers) for k, one in enumerate(made)}
    blocks = RowBlocks(rows, "cpu")

    def fails(rows):
        raise OSError("the file is gone")

    rows[1]._cut = fails
    errors = blocks.load(0, range(3))
    assert list(errors) == [1]
    assert "gone" in str(errors[1])
    assert len(blocks.of(2, 0)[1]) == 8


def test_runs():
    keyed = [(0, "a"), (1, "a"), (3, "a"), (4, "b"), (5, "b"), (6, "b")]
    assert runs(keyed) == [range(2), range(3, 4), range(4, 7)]
    assert runs(keyed, 2) == [range(2), range(3, 4), range(4, 6), range(6, 7)]
