"""Debian's libfaketime: a server's clocks, turned by a test while it runs."""

import os
import pathlib

LIBRARY = next(iter(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


class FakeTime:
    """Wall clock and monotonic clock go on together, by so many seconds ahead of the machine's."""

    def __init__(self, path):
        self.path = path
        self._ahead_s = 0
        self.forward(0)

    @staticmethod
    def is_installed():
        return LIBRARY is not None

    @property
    def environment(self):
        """A sanitizer wants to be the first library, and is told that it need not be."""
        return {"LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(self.path),
                "FAKETIME_NO_CACHE": "1", "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def forward(self, seconds):
        """At once, as if the machine had slept so long."""
        self._ahead_s += seconds
        new = self.path.with_suffix(".new")
        new.write_text(f"+{self._ahead_s}\n", encoding="ascii")
        os.replace(new, self.path)
