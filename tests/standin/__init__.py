"""A faithful stand-in of an Ollama server.

    with Standin() as server:
        server.script("runner_died", mark=17, times=None)
        ...  # talk to server.url
        server.wait_for(lambda received: len(received) == 3)

It reads pictures that `marks.draw` made: its answer names the number that it found in the pixels, and the
first line of the prompt it was asked with. Faults are listed in faults.py, what it keeps of a request in
received.py.
"""

from tests.standin.asked import Request
from tests.standin.models import Model, default_models
from tests.standin.received import Received
from tests.standin.script import Fault
from tests.standin.server import BEFORE_LLAMA_SERVER, Standin

__all__ = ["BEFORE_LLAMA_SERVER", "Fault", "Model", "Received", "Request", "Standin", "default_models"]
