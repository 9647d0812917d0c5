"""
A real PostgreSQL: Debian's, on loopback, with its data in a folder that is gone afterwards. It
trusts whoever connects. As it will not be run by root, it runs as Debian's user `postgres` then.
Without `is_durable` it does not flush to the disk: that is for tests that do not cut its power.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import urllib.parse
import uuid

from .ceph import free_ports
from .waiting import PATIENCE_S, wait_until

PROGRAMS = pathlib.Path("/usr/lib/postgresql/15/bin")
USER = "postgres"  # of the system, and the superuser of the database
TEMPLATE = "template1"

# As in life, but for what is where. Connections: of all servers of a test and of its own questions.
SETTINGS = {
    "listen_addresses": "127.0.0.1", "max_connections": "200", "shared_buffers": "64MB",
    "wal_level": "replica", "max_wal_senders": "4", "wal_keep_size": "256MB",
    "log_min_messages": "warning", "log_line_prefix": "%m [%p] %q%d ",
}
CARELESS = {"fsync": "off", "full_page_writes": "off"}


def is_installed():
    return all((PROGRAMS / name).exists() for name in ("initdb", "postgres", "pg_basebackup"))


def run_as():
    """What subprocess needs to run a program that refuses root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(USER)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def make_folder(name):
    """Of the user that it will run as."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"pierone-{name}-"))
    if os.geteuid() == 0:
        user = pwd.getpwnam(USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
    return folder


class Postgres:
    """Made by new() or replicate(); ended by release(), whatever happened."""

    def __init__(self, is_durable=False):
        self.folder = make_folder("postgres")
        self.is_durable = is_durable
        self.process = None
        self.port = None

    @classmethod
    def new(cls, is_durable=False):
        postgres = cls(is_durable)
        try:
            postgres._run("initdb", "-D", postgres._data, "-U", USER, "-A", "trust", "-E", "UTF8",
                          "--locale=C", "--no-sync", "--no-instructions")
            postgres.start()
        except BaseException:
            postgres.release()
            raise
        return postgres

    def replicate(self):
        """A standby that has all that this one ever acknowledges from here on."""
        standby = Postgres(self.is_durable)
        try:
            standby._run("pg_basebackup", "-D", standby._data, "-R", "--no-sync", "-c", "fast",
                         "-d", f"host={self.folder} port={self.port} user={USER} "
                               "application_name=standby")
            standby.start()
            self.configure(synchronous_standby_names="standby")
            wait_until(lambda: self.ask("select sync_state from pg_stat_replication") == "sync",
                       "the standby to be synchronous")
        except BaseException:
            standby.release()
            raise
        return standby

    # -- where it is

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def url(self, database, *others, **parameters):
        """As pieroned takes it; `others` are servers that may take this one's place."""
        hosts = ",".join(server.address for server in (self, *others))
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return f"postgresql://{USER}@{hosts}/{database}{query}"

    # -- databases

    def create_database(self):
        """An empty one, with a name of its own."""
        name = f"test_{uuid.uuid4().hex[:20]}"
        self.ask(f"create database {name} template {TEMPLATE}")
        return name

    def drop_database(self, name):
        """Also one that is used still."""
        self.ask(f"drop database if exists {name} with (force)")

    def ask(self, sql, database="postgres"):
        """What psql makes of it: rows are lines, and fields have | between them."""
        return self._run("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                         "-p", str(self.port), "-U", USER, "-d", database, "-c", sql).strip()

    @contextlib.contextmanager
    def asking(self, sql, database):
        """A psql that is at it; with None, it does what is written to it."""
        command = ["-c", sql] if sql else []
        process = subprocess.Popen(
            [PROGRAMS / "psql", "-XAtq", "-v", "VERBOSITY=verbose", "-h", self.folder,
             "-p", str(self.port), "-U", USER, "-d", database, *command],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.folder,
            **run_as())
        try:
            yield process
            process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
            process.wait()

    def ask_at(self, url, *statements):
        """By another way than its own."""
        return subprocess.run(
            [PROGRAMS / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url,
             *(part for sql in statements for part in ("-c", sql))],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.folder,
            timeout=PATIENCE_S, check=False, **run_as())

    def configure(self, **settings):
        """Holds for connections that there are already, too, when this returns."""
        for name, value in settings.items():
            self.ask(f"alter system set {name} = '{value}'")
        self.ask("select pg_reload_conf()")
        for name, value in settings.items():
            wait_until(lambda name=name, value=value: self.ask(f"show {name}") == value,
                       f"{name} to be {value}")

    # -- its life

    def start(self):
        """Ports are free when they are chosen, and may not be when they are used: tries again."""
        for is_last in (False, False, True):
            try:
                return self._start_once()
            except AssertionError:
                if is_last:
                    raise

    def _start_once(self):
        self.port = self.port or free_ports(1)[0]
        settings = {**SETTINGS, **({} if self.is_durable else CARELESS),
                    "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [f"-c{name}={value}" for name, value in settings.items()]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAMS / "postgres", "-D", self._data, *options], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.folder, **run_as())
        try:
            wait_until(self._is_ready, "PostgreSQL to start")
        except BaseException:
            self.kill()
            self.port = None
            raise
        return self

    def stop(self):
        """Breaks connections off, and ends in order."""
        self._end(signal.SIGINT)

    def kill(self):
        """SIGKILL, with all processes that serve its clients: what was not flushed is lost to it."""
        self._end(signal.SIGKILL)

    def promote(self):
        """A standby becomes a primary; it is one when this returns."""
        assert self.ask("select pg_promote(true, 60)") == "t"

    def is_standby(self):
        return self.ask("select pg_is_in_recovery()") == "t"

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def release(self):
        """At once: nobody will need what it would write down at its end."""
        try:
            self._end(signal.SIGQUIT)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- how that is done

    @property
    def _data(self):
        return self.folder / "data"

    def _is_ready(self):
        """What pg_ctl looks at: the last line of the file that says who runs here."""
        if self.process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended: {self.log_tail()}")
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text("utf-8", "replace").splitlines()
            return (len(lines) >= 8 and lines[0] == str(self.process.pid)
                    and lines[7].strip() in ("ready", "standby"))
        return False

    def _end(self, number):
        """Its children notice a postmaster that was killed, but only when they come to look."""
        if self.process is None:
            return
        children = self._children()
        self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if number == signal.SIGKILL:
            for child in children:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(child, signal.SIGKILL)
        for child in children:
            os.close(child)
        self.process = None

    def _children(self):
        """Descriptors: their numbers cannot become those of others meanwhile."""
        path = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        descriptors = []
        with contextlib.suppress(FileNotFoundError):
            for pid in path.read_text("ascii").split():
                with contextlib.suppress(ProcessLookupError):
                    descriptors.append(os.pidfd_open(int(pid)))
        return descriptors

    def log_tail(self):
        path = self.folder / "log"
        return path.read_text("utf-8", "replace")[-3000:] if path.exists() else "(no log)"

    def _run(self, program, *arguments):
        done = subprocess.run([PROGRAMS / program, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, cwd=self.folder, timeout=PATIENCE_S,
                              check=False, **run_as())
        assert done.returncode == 0, f"{program}: {done.stderr.decode(errors='replace')}"
        return done.stdout.decode("utf-8")
