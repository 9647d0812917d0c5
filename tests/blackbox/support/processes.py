"""Daemons that are known by their pid files: nobody else is ever ended."""

import contextlib
import os
import pathlib
import select
import signal

from .waiting import PATIENCE_S


def process_of(pid_file, program):
    """The pid there, if that is a living process of this program."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        pid = int(pid_file.read_text("ascii"))
        return pid if is_process(pid, program) else None
    return None


def is_process(pid, program):
    """Nor a zombie, where nobody waits for the children of those who are gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        lines = pathlib.Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
        fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        return fields["Name"] == program and not fields["State"].startswith("Z")
    return False


def end_process(pid, program):
    """A descriptor holds on to the process: no other one can have its number meanwhile."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if not is_process(pid, program):
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
            if select.select([descriptor], [], [], PATIENCE_S)[0]:
                return
    finally:
        os.close(descriptor)
