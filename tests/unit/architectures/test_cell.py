"""A cell is the sum over its edges, and a supernet with one cell is that cell."""

import pytest
import torch
from torch import nn

from sktune._errors import EstimatorError, SpaceError
from sktune.architectures import Cell, CellNet, CellSpace, choose

IMAGES = ("none", "skip", "conv1x1", "conv3x3", "avg_pool3x3")
ROWS = ("none", "skip", "linear_relu", "linear_tanh", "linear_gelu")
CELL = ("conv3x3", "skip", "avg_pool3x3", "none", "conv1x1", "conv3x3")


def images(channels=3):
    return torch.randn(4, channels, 5, 6, generator=torch.Generator().manual_seed(0))


def test_forward_by_hand():
    cell = Cell(CELL, 3)
    x0 = images()
    ops = [next(iter(edge.values())) for edge in cell.operations]
    x1 = ops[0](x0)
    x2 = x0 + ops[2](x1)
    x3 = ops[4](x1) + ops[5](x2)
    assert torch.equal(cell(x0), x3)


def test_a_cell_of_nothing_gives_zeros():
    x = images()
    x[0, 0, 0, 0] = torch.inf
    assert torch.equal(Cell(("none",), 3)(x), torch.zeros_like(x))


@pytest.mark.parametrize(
    ("kind", "names", "shape"),
    [("images", IMAGES, (4, 8, 5, 6)), ("rows", ROWS, (4, 8))],
)
def test_operations_leave_the_shape_as_it_is(kind, names, shape):
    for name in names:
        assert Cell((name,), 8, kind)(torch.randn(shape)).shape == shape


@pytest.mark.parametrize("training", [True, False])
def test_a_supernet_with_one_cell_is_that_cell(training):
    supernet = Cell(CellSpace(IMAGES, 4), 3).train(training)
    choose(supernet, CELL)
    alone = Cell(CELL, 3).train(training)
    missing, _ = alone.load_state_dict(supernet.state_dict(), strict=False)
    assert not missing
    assert torch.equal(supernet(images()), alone(images()))


def test_weights_of_one_operation_are_the_cell():
    space = CellSpace(IMAGES, 4)
    supernet = Cell(space, 3)
    weights = torch.zeros(6, 5)
    for edge, name in enumerate(CELL):
        weights[edge, IMAGES.index(name)] = 1.0
    choose(supernet, CELL)
    one = supernet(images())
    choose(supernet, weights)
    torch.testing.assert_close(supernet(images()), one)


def test_without_a_choice_operations_have_equal_weights():
    supernet = Cell(CellSpace(IMAGES, 3), 3)
    mean = supernet(images())
    choose(supernet, torch.full((3, 5), 0.2))
    torch.testing.assert_close(supernet(images()), mean)


def test_operations_of_a_users_own():
    """Names may be those of methods of modules, and those that others have, too."""
    names = ("double", "2.0", "skip")
    own = {name: lambda channels: Double() for name in names}
    x = torch.ones(2, 3)
    for name in names:
        assert torch.equal(Cell((name,), 3, "rows", own)(x), 2 * x)


class Double(nn.Module):
    def forward(self, x):
        return 2 * x


@pytest.mark.parametrize(
    ("n_cells", "n_reductions", "channels"), [(1, 1, 4), (2, 1, 8), (3, 2, 16)]
)
def test_a_net_for_images(n_cells, n_reductions, channels):
    net = CellNet(CELL, 1, 10, "images", 4, n_cells, n_reductions)
    assert net.output.in_features == channels
    assert net(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert net(torch.zeros(2, 1, 1, 40)).shape == (2, 10)  # a signal


def test_a_net_for_rows_takes_a_batch_of_one():
    net = CellNet(["linear_relu"], 5, 2, "rows").train()
    assert net(torch.zeros(1, 5)).shape == (1, 2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Cell(("conv3x",), 3), SpaceError, "'conv3x'.*mean 'conv3x3'.*factory"),
        (lambda: Cell(("skip",) * 2, 3), SpaceError, "has 2 operations.*1, 3, 6, 10"),
        (lambda: Cell("skip", 3), SpaceError, "'skip' is no cell. Pass a name"),
        (lambda: Cell([("skip", 0)], 3), SpaceError, "is no cell"),
        (lambda: Cell(("skip",), 3, "row"), SpaceError, "kind='row'.*'images', 'rows'"),
        (lambda: CellNet(CELL, 0, 1), EstimatorError, "n_inputs=0 must be"),
        (lambda: choose(nn.Linear(1, 1), None), EstimatorError, "hand its argument"),
        (lambda: choose(Cell(("skip",), 3), None), EstimatorError, "no cell with"),
        (
            lambda: choose(Cell(CellSpace(ROWS, 2), 3, "rows"), ("pool",)),
            EstimatorError,
            r"choice=\('pool',\) does not fit supernet of 1 edges x 5",
        ),
        (
            lambda: choose(Cell(CellSpace(ROWS, 2), 3, "rows"), torch.ones(1, 4)),
            EstimatorError,
            "does not fit",
        ),
    ],
)
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
