"""A service manager for tests: hears what a daemon says by the rules of sd_notify(3), and ends one that is silent."""

import os
import secrets
import signal
import socket
import threading
import time


class StandinManager:
    """`said`: every message so far as its lines; `watchdog`: seconds of silence after which `ward` is ended."""

    def __init__(self, watchdog=None, ward=None):
        self.address = f"@dropscribe-tests-{secrets.token_hex(8)}"
        self.said = []
        self.killed = False
        self._watchdog = watchdog
        self._ward = ward
        self._over = False
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{self.address[1:]}")
        self._socket.settimeout(0.05)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def environment(self):
        watchdog = {"WATCHDOG_USEC": str(round(self._watchdog * 1e6))} if self._watchdog else {}
        return {"NOTIFY_SOCKET": self.address, **watchdog}

    @property
    def words(self):
        return [word for message in self.said for word in message]

    def line(self):
        """The newest STATUS."""
        return ([word[7:] for word in self.words if word.startswith("STATUS=")] or [""])[-1]

    def signs_of_life(self):
        return self.words.count("WATCHDOG=1")

    def close(self):
        self._over = True
        self._thread.join()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _listen(self):
        until = None
        while not self._over:
            try:
                message = self._socket.recv(65536).decode().split("\n")
            except TimeoutError:
                message = []
            else:
                self.said.append(message)
            if self._watchdog and {"READY=1", "WATCHDOG=1"} & set(message):
                until = time.monotonic() + self._watchdog
            if "STOPPING=1" in message:
                until = None
            if until is not None and time.monotonic() > until and self._ward is not None:
                os.kill(self._ward(), signal.SIGABRT)
                self.killed, until = True, None
