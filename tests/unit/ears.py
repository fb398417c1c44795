"""A watch that hears its own canaries or not, as the test wants; it passes the contract in test_watching.py."""

from pathlib import Path

from dropscribe.values import Listened


class Ears:
    """Hears every canary that is expected, unless it is deaf; `problems` by folder are why one is not listened to."""

    def __init__(self):
        self.deaf = False
        self.problems = {}
        self.lost = 0
        self.expected = {}
        self._folders = {}

    def watch(self, key, folders):
        self._folders[key] = [Path(folder) for folder in folders if folder not in self.problems]
        reasons = [self.problems[folder] for folder in folders if folder in self.problems]
        return f"{reasons[0]}" if reasons else None

    def listened(self, key):
        found = {}
        for folder in sorted(self._folders.get(key, ()), key=lambda path: (len(str(path)), str(path))):
            identity = folder.stat()
            found.setdefault(identity.st_dev, Listened(folder, identity.st_ino))
        return found

    def overflows(self):
        lost, self.lost = self.lost, 0
        return lost

    def expect(self, canary):
        self.expected[canary] = not self.deaf

    def has_heard(self, canary):
        return self.expected.get(canary, False)

    def forget(self, canary):
        self.expected.pop(canary, None)
