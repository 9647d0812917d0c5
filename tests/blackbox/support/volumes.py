"""File systems of a test's own: an ext4 in a file, as a disk that can lose its power or be full."""

import contextlib
import os
import pathlib
import subprocess

import pytest


def _run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False)


class Volume:
    """An ext4 file system in an image file, mounted at a folder."""

    def __init__(self, image, mount_point):
        self.image = pathlib.Path(image)
        self.mount_point = pathlib.Path(mount_point)
        self.is_mounted = False

    def make(self, size_bytes):
        with open(self.image, "wb") as image:
            image.truncate(size_bytes)
        subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", "-m", "0", self.image], check=True)
        return self

    def mount(self):
        self.mount_point.mkdir(parents=True, exist_ok=True)
        # The journal commits seldom: nothing is written only because time passes.
        result = _run("mount", "-o", "loop,commit=300", self.image, self.mount_point)
        if result.returncode != 0:
            pytest.skip(f"loop mounts are not permitted here: {result.stderr.strip()}")
        self.is_mounted = True
        return self

    def unmount(self):
        if self.is_mounted:
            subprocess.run(["umount", self.mount_point], check=True)
            self.is_mounted = False

    def cut_power(self, image, mount_point):
        """
        What a power failure at this moment would leave: the bytes that have reached the disk, which
        is the image file. (The loop device writes to it through the page cache that the copy is
        read from: the copy is as new as the file system's last write.) What the file system only
        holds in memory, since nobody flushed it, is not in it. Mounting the copy replays its
        journal.

        A power failure takes no time and a copy does: nobody may write meanwhile, or the copy has
        the journal of one moment and the files of another, which no disk ever had.
        """
        subprocess.run(["cp", "--sparse=always", self.image, image], check=True)
        return Volume(image, mount_point).mount()


@contextlib.contextmanager
def volume(folder, size_bytes):
    """A mounted one below the folder; skips where that cannot be."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a file system")
    made = Volume(folder / "disk", folder / "data").make(size_bytes)
    made.mount()
    try:
        yield made
    finally:
        made.unmount()
