"""The fake second reader: says for each picture in turn what it was told to; passes the contract of the real one."""

from dropscribe.reading.engines.ocr import PrintRead

_CORNERS = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0))


def says(text, *, sure=0.99, turn=0):
    """What a reader makes of a page with this text."""
    lines = [line for line in text.split("\n") if line.strip()]
    return PrintRead(tuple((_CORNERS, line, sure) for line in lines), turn)


class ScriptedReader:
    """`script`: what each picture gives in turn, a text, a PrintRead or an exception; the last one from then on."""

    def __init__(self, *script):
        self.script = list(script)
        self.pictures = []
        self.rests = 0

    def read(self, picture, *, stop):
        stop.check()
        self.pictures.append(picture)
        turn = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(turn, Exception):
            raise turn
        return says(turn) if isinstance(turn, str) else turn

    def rest(self):
        self.rests += 1
