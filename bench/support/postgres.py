"""PostgreSQL for rows that need it: Debian's, as it comes, flushing to the disk as in life."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import time

from support import ports
from support.process import Process

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
USER = "postgres"  # of the system and of the database; the program refuses to be run by root
READY_TIMEOUT_SECONDS = 60
READY_POLL_SECONDS = 0.02
SETTINGS = {"listen_addresses": "127.0.0.1", "max_connections": "200", "max_wal_size": "4GB"}
FILLING = pathlib.Path(__file__).with_name("fill_postgres.sql")


def let_pass(folder):
    """Others may go through it, to what they know the name of."""
    pathlib.Path(folder).chmod(0o711)


class Postgres:
    """A cluster of its own in a folder, which trusts whoever connects.

    If root asks for it, USER has to be able to pass by the folders above (let_pass).
    """

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.process = None
        self.port = 0

    def start(self):
        """For the first time it makes the cluster. Returns when it answers."""
        if not self.folder.exists():
            self._create()
        self.port = ports.free()
        settings = {**SETTINGS, "port": self.port, "unix_socket_directories": self.folder}
        self.process = Process(
            [str(PROGRAMS / "postgres"), "-D", str(self._data),
             *(f"-c{name}={value}" for name, value in settings.items())],
            log=self.folder / "log", end_signal=signal.SIGINT, **_run_as())
        while self._psql("select 1").returncode != 0:
            if not self.process.is_running():
                raise RuntimeError(f"PostgreSQL does not start: see {self.folder}/log")
            if time.monotonic() - self.process.begin > READY_TIMEOUT_SECONDS:
                raise RuntimeError(f"PostgreSQL is not ready after {READY_TIMEOUT_SECONDS} s")
            time.sleep(READY_POLL_SECONDS)

    def stop(self):
        self.process.end()
        self.process = None

    def url(self):
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{USER}"

    def ask(self, sql):
        """Rows are lines, and fields have | between them."""
        done = self._psql(sql)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def fill(self, artifacts, tags):
        """The rows that pushes of small images make, far faster; the schema is there already."""
        self.ask(f"\\set artifacts {artifacts}\n\\set tags {tags}\n"
                 + FILLING.read_text(encoding="utf-8"))

    def log(self):
        return self.folder / "log"

    @property
    def _data(self):
        return self.folder / "data"

    def _create(self):
        self.folder.mkdir(parents=True)
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, USER)
        done = subprocess.run(
            [PROGRAMS / "initdb", "-D", self._data, "-U", USER, "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-instructions"], stdin=subprocess.DEVNULL, capture_output=True,
            text=True, check=False, cwd=self.folder, **_run_as())
        if done.returncode != 0:
            raise RuntimeError(f"initdb: {done.stderr.strip()}")

    def _psql(self, sql):
        return subprocess.run(
            [PROGRAMS / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url()], input=sql,
            text=True, capture_output=True, check=False, cwd=self.folder, **_run_as())


def _run_as():
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
