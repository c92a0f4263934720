"""What tests of equivalences share."""

import pytest
import torch


@pytest.fixture
def double_precision():
    """What differs by rounding differs by little."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)
