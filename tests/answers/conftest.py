import pytest

from dropscribe.reading.decoding import Decoding
from dropscribe.stop import Stop


@pytest.fixture(scope="module")
def decoding():
    decoding = Decoding(1, Stop())
    yield decoding
    decoding.rest()
