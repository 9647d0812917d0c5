"""What the figures depend on beside the servers: the machine, its disk, its page cache."""

import os
import pathlib
import platform
import time

WARM_BYTES = 2 * 1024 ** 3
CHUNK_BYTES = 4 * 1024 ** 2
FSYNC_SECONDS = 2


def describe():
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024 ** 2
    load = os.getloadavg()[0]
    return (f"{_processor()}, {os.cpu_count()} cores, {memory_mb / 1024:.0f} GB, "
            f"Linux {platform.release()}, load before {load:.1f}")


def warm_page_cache(folder):
    """A virtual machine's memory is slow when it is touched first: touch it before measuring."""
    path = pathlib.Path(folder) / "warm"
    chunk = os.urandom(CHUNK_BYTES)
    with open(path, "wb") as file:
        for _ in range(WARM_BYTES // CHUNK_BYTES):
            file.write(chunk)
    path.unlink()


def fsync_rate(folder):
    """Appends of 4 KB, each flushed: how often a second a disk can promise something, in a row."""
    path = pathlib.Path(folder) / "fsync"
    count = 0
    end = time.monotonic() + FSYNC_SECONDS
    with open(path, "wb", buffering=0) as file:
        while time.monotonic() < end:
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            count += 1
    path.unlink()
    return count / FSYNC_SECONDS


def _processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()
