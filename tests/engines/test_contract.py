import os

import pytest

from dropscribe.reading.engines.ollama import OllamaEngine
from dropscribe.reading.engines.wire import Timeouts
from tests.engines.contract import EngineContract
from tests.engines.scripted import ScriptedEngine
from tests.standin import BEFORE_LLAMA_SERVER, Standin
from tests.week import clock, plan, servers

REAL = os.environ.get("DROPSCRIBE_TEST_OLLAMA")


class TestScripted(EngineContract):
    @pytest.fixture
    def engine(self):
        return ScriptedEngine()

    def words_of(self, number):
        return ["scan", str(number)]


class TestSimulated(EngineContract):
    @pytest.fixture
    def engine(self):
        world = servers.World(clock.Instant(), kinds={})
        return servers.Host(world, plan.Server("simulated")).engine()

    def words_of(self, number):
        return ["scan", str(number)]


class TestOllama(EngineContract):
    version = "0.33.0"

    @pytest.fixture
    def engine(self):
        with Standin(version=self.version) as server:
            engine = OllamaEngine(server.url, Timeouts())
            yield engine
            engine.close()

    def words_of(self, number):
        return ["scan", str(number)]


class TestOllamaBeforeLlamaServer(TestOllama):
    version = BEFORE_LLAMA_SERVER


class TestOcr(EngineContract):
    model = "ocr"
    missing_model = None

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls):
        pytest.importorskip("rapidocr")
        from dropscribe.reading.engines.ocr import OcrEngine

        engine = OcrEngine()
        yield engine
        engine.close()

    def words_of(self, number):
        return ["Invoice", str(number)]


@pytest.mark.ollama
@pytest.mark.skipif(REAL is None, reason="DROPSCRIBE_TEST_OLLAMA names no server")
class TestRealOllama(EngineContract):
    model = os.environ.get("DROPSCRIBE_TEST_MODEL", "qwen3.5:4b")

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls):
        engine = OllamaEngine(REAL, Timeouts())
        yield engine
        engine.close()

    def words_of(self, number):
        return ["Invoice", str(number)]
