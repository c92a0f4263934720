"""States that are written on one device and read on another."""

import pytest
import torch

from sktune.execution.checkpoint._state_files import read, write
from tests.helpers.estimators import net
from tests.helpers.trained import all_of, at_once


def test_state_of_an_accelerator_is_read_on_the_cpu(tmp_path, monkeypatch):
    one = at_once(net(optimizer=torch.optim.Adam), 1)
    monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:3")
    with (tmp_path / "state").open("wb") as file:
        write({"net": dict(vars(one))}, file, one)
    owner = net()
    with (tmp_path / "state").open("rb") as file:
        with pytest.raises(RuntimeError, match="CUDA"):
            read(file)
        file.seek(0)
        vars(owner).update(read(file, owner, "cpu")["net"])
    assert all_of(owner) == all_of(one)
    (parameter, *_) = owner.optimizer_.param_groups[0]["params"]
    assert parameter is next(owner.module_.parameters())
