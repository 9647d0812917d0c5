"""File systems of a test's own: an ext4 in a file, as a disk that can lose its power or be full."""

import contextlib
import os
import pathlib
import shutil
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
        # A journal that commits seldom, so that nothing is written only because time passes.
        subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", "-m", "0", self.image], check=True)
        return self

    def mount(self):
        self.mount_point.mkdir(parents=True, exist_ok=True)
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
        What a power failure at this moment would leave: the bytes that have reached the disk, which is the image
        file. What the mounted file system only holds in memory is not in it. Mounting the copy replays its journal.
        """
        shutil.copyfile(self.image, image)
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
