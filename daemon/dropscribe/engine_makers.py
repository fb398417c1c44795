"""Which engines the hosts of a configuration run; each is imported only when it is made."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dropscribe.config.values import Config
    from dropscribe.reading.engines import Engine

HostMakers = tuple[str, str, Sequence[Callable[[], "Engine"]]]
"""A host's name, what runs there, and makers of its engines, one for each request it may be given at once."""


def engines(config: Config, engine: str) -> Sequence[Callable[[], Engine]]:
    """Makers of the engines of all hosts that run `engine`, one for each request they may be given at once."""
    return [maker for _, runs, makers in host_makers(config) if runs == engine for maker in makers]


def host_makers(config: Config) -> Iterator[HostMakers]:
    """Each host that an inbox of the configuration may be read by."""
    wanted = {inbox.engine for inbox in config.inboxes}
    if "ollama" in wanted:
        for host in config.ollama.hosts:
            yield host.url, "ollama", [_ollama(config, host.url)] * host.parallel
    if "ocr" in wanted:
        yield "embedded", "ocr", [_ocr]


def decoders(hosts: Sequence[HostMakers]) -> int:
    """Decoding is work for a core: more at once than there are of them, or than requests, gain nothing."""
    return max(1, min(os.cpu_count() or 1, sum(len(makers) for _, _, makers in hosts)))


def _ollama(config: Config, url: str) -> Callable[[], Engine]:
    def make() -> Engine:
        from dropscribe.reading.engines.ollama import OllamaEngine  # noqa: PLC0415
        from dropscribe.reading.engines.wire import Timeouts  # noqa: PLC0415

        times = config.ollama.timeouts
        timeouts = Timeouts(times.connect, times.first_token, times.silence, times.total)
        return OllamaEngine(url, timeouts, config.ollama.allow_cloud)

    return make


def _ocr() -> Engine:
    from dropscribe.reading.engines.ocr import OcrEngine  # noqa: PLC0415 - 2 s and 400 MB only for those who use it

    return OcrEngine()
