"""All that a process has in its memory, as a core dump would have it."""

import contextlib
import pathlib


def memory_of(pid):
    """What it may write to, and so may keep a secret in. PermissionError: nobody may look."""
    maps = pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines()
    pieces = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            if rights.startswith("rw"):
                begin, end = (int(number, 16) for number in place.split("-"))
                with contextlib.suppress(OSError):  # unmapped meanwhile
                    memory.seek(begin)
                    pieces.append(memory.read(end - begin))
    return b"\n".join(pieces)
