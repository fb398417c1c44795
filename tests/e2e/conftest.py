import pytest

from tests.e2e.harness import Household
from tests.standin import Standin


@pytest.fixture
def server():
    with Standin() as standin:
        yield standin


@pytest.fixture
def household(tmp_path, server):
    """Makes a household; its daemon never outlives the test."""
    made = []

    def make(*names, each=None, **settings):
        made.append(Household(tmp_path, server.url, names or ("inbox",), settings, each or {}))
        return made[-1]

    yield make
    for each in made:
        if each.process is not None and each.process.poll() is None:
            each.kill()
