"""The controller learns which operations are worth most."""

import torch

from sktune.architectures._controller import Controller


def test_probabilities_of_all_cells_sum_to_one():
    torch.manual_seed(0)
    controller = Controller(2, 3, 0.01, 0.0)
    operations, log_p, entropy = controller(2000)
    drawn = zip(operations.tolist(), log_p.exp().tolist(), strict=True)
    p = {tuple(cell): one for cell, one in drawn}
    assert len(p) == 9
    assert abs(sum(p.values()) - 1) < 1e-5
    assert (entropy > 0).all()


def test_it_finds_the_best_cell():
    """A reward of any scale: one for each edge that has operation 2, times 1000."""
    torch.manual_seed(0)
    controller = Controller(4, 3, 0.02, 0.0)
    for _ in range(300):
        operations, log_p, entropy = controller(1)
        controller.learn(1000.0 * float((operations == 2).sum()), log_p, entropy)
    assert controller(1, best=True)[0].tolist() == [[2, 2, 2, 2]]


def test_a_cell_that_diverges_is_not_chosen_again():
    torch.manual_seed(0)
    controller = Controller(1, 2, 0.02, 0.0)
    for _ in range(200):
        operations, log_p, entropy = controller(1)
        noise = 0.1 * torch.rand(()).item()
        reward = float("nan") if operations.item() else -1.0 - noise
        controller.learn(reward, log_p, entropy)
    assert controller(1, best=True)[0].item() == 0
    assert all(torch.isfinite(p).all() for p in controller.parameters())
