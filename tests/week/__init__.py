"""A week in a minute: the whole daemon by a clock that leaps, while hosts, disks and shares come and go.

`plan` says from a seed alone what befalls it, `clock` passes the time, `servers` answer in that time, `world` moves
the files, `record` keeps what could be seen, `judge` says what must not have happened. `live` puts them together.
"""
