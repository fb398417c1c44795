"""A folder with a configuration in it, and what loading it says."""

from dropscribe.config.load import load
from dropscribe.errors import ConfigError

ENV = {"HOME": "/home/ada", "SCANS": "/mnt/scans"}


def write(folder, text, name="dropscribe.yaml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(folder, text, *, path=None, env=ENV):
    write(folder, text)
    return load(path, env, folder)


def problems(folder, text, *, env=ENV):
    """The lines, with the folder's own name as HERE; empty when there is nothing wrong."""
    return [line.replace(str(folder), "HERE") for line in told(loaded, folder, text, env=env)]


def told(load_it, *args, **named):
    """All problems that loading tells of; anything else that it raises goes through."""
    try:
        load_it(*args, **named)
    except ConfigError as error:
        return error.problems or ("refused without a problem",)
    return ()
