"""Engines turn a picture into an answer; one small protocol, one contract suite for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dropscribe.stop import Stop
    from dropscribe.values import Answer, Picture, Recipe


@dataclass(frozen=True, slots=True)
class ModelState:
    """What a host says of a model: enough to notice that either has changed since something failed."""

    digest: str
    version: str  # of the server or the library that runs it


class Engine(Protocol):
    """One slot of one host: used by one thread at a time, except that a stop may come from any thread."""

    @property
    def host(self) -> str:
        """The name under which this engine's host appears in log and status."""

    def check(self, model: str, *, stop: Stop) -> ModelState:
        """What the host says of `model`, without making it read.

        Raises Misconfigured (missing, no vision, not local), Unavailable, Stopped.
        """

    def ask(self, picture: Picture, recipe: Recipe, *, stop: Stop) -> Answer:
        """The engine's answer, whatever it is worth: the verdict is somebody else's.

        Raises BadAnswer (this picture cannot be answered this way), Misconfigured, Unavailable, and Stopped
        within a second of `stop` wherever the engine's own library can be interrupted.
        """

    def new_scan(self) -> None:
        """What follows belongs to another scan: what the host said of its models before is not believed any more."""

    def rest(self) -> None:
        """Nothing is to be done for a while: give memory back; it may be used again afterwards."""

    def close(self) -> None:
        """Give back what the engine holds; it is not used afterwards."""
