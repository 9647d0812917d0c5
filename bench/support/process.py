"""A server process: started, watched through /proc, and ended by its id."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
END_TIMEOUT_SECONDS = 20
_running = set()


class Process:
    """Ends with the program at the latest (end_all)."""

    def __init__(self, command, environment=None, log=None, end_signal=signal.SIGTERM, **run_as):
        output = open(log, "ab") if log else subprocess.DEVNULL
        self.name = os.path.basename(command[0])
        self.end_signal = end_signal
        self.begin = time.monotonic()
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                      stderr=output, env={**os.environ, **(environment or {})},
                                      **run_as)
        if log:
            output.close()
        _running.add(self)

    def is_running(self):
        return self.child.poll() is None

    def pids(self):
        """The process and its children, which is where nginx and PostgreSQL work."""
        pids = [self.child.pid]
        for pid in pids:
            children = _read(f"/proc/{pid}/task/{pid}/children")
            pids += [int(child) for child in children.split()]
        return pids

    def cpu_seconds(self):
        return sum(_cpu_ticks(pid) for pid in self.pids()) / TICKS_PER_SECOND

    def forget_peak(self):
        for pid in self.pids():
            with contextlib.suppress(FileNotFoundError):
                pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")

    def resident_mb(self):
        return sum(_status_mb(pid, "VmRSS:") for pid in self.pids())

    def peak_mb(self):
        return sum(_status_mb(pid, "VmHWM:") for pid in self.pids())

    def end(self):
        pids = self.pids() if self.is_running() else []
        if pids:
            self.child.send_signal(self.end_signal)
        try:
            self.child.wait(END_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in pids:
                _kill(pid)
            self.child.wait()
        _running.discard(self)

    def kill(self):
        """At once, where nothing is asked of an orderly end."""
        for pid in self.pids() if self.is_running() else []:
            _kill(pid)
        self.child.wait()
        _running.discard(self)


def end_all():
    for process in list(_running):
        process.kill()


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _read(path):
    """Nothing of a process that has ended meanwhile."""
    try:
        return pathlib.Path(path).read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _cpu_ticks(pid):
    """utime to cstime: the 14th to 17th field of proc(5), behind the name, which may hold spaces.

    The last two are those of children that have ended: what they used is not lost.
    """
    text = _read(f"/proc/{pid}/stat")
    return sum(int(field) for field in text[text.rfind(")") + 2:].split()[11:15])


def _status_mb(pid, field):
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    return 0.0
