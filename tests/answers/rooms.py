"""One scan, read to its end by an engine that gives bad answers."""

from contextlib import contextmanager

from dropscribe.errors import Unavailable
from dropscribe.read_page import NO_ANSWER
from dropscribe.reading.engines.ollama import OllamaEngine
from dropscribe.reading.engines.wire import Timeouts
from tests.unit.test_transcribe import Room


@contextmanager
def a_room(root, decoding, **rules):
    room = Room(root, decoding, **rules)
    try:
        yield room
    finally:
        room.ledger.close()


@contextmanager
def asking(server, **timeouts):
    engine = OllamaEngine(server.url, Timeouts(**timeouts))
    try:
        yield engine
    finally:
        engine.close()


def read_to_the_end(room, engine):
    """How it is filed; a host that dies counts against the scan, as after an answer to something else."""
    for _ in range(10):
        try:
            return room.read(engine=engine)
        except Unavailable as failure:
            if failure.evidence is None:
                raise
            room.ledger.confirm([failure.evidence], NO_ANSWER)
    raise AssertionError("it is asked for ever")
