import pytest

from tests.helpers.journals import Counted


@pytest.fixture
def fits():
    Counted.fits.clear()
    return Counted.fits


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "search.jsonl"
