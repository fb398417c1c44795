import pytest

from tests.filing.disks import DISKS, ROADS
from tests.filing.trees import SCAN
from tests.intake.rights import open_folder  # noqa: F401 - a fixture


@pytest.fixture(params=DISKS)
def disk(request):
    return DISKS[request.param]()


@pytest.fixture(params=ROADS)
def road(request):
    return ROADS[request.param]()


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "scan.png").write_bytes(SCAN)
    return folder


@pytest.fixture
def done(tmp_path):
    folder = tmp_path / "done"
    folder.mkdir()
    return folder
