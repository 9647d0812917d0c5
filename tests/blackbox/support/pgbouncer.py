"""Debian's pgbouncer in front of a PostgreSQL, in transaction mode: statements of one connection
come to different ones behind it, and it knows nothing of prepared statements."""

import contextlib
import os
import shutil
import socket
import subprocess
import urllib.parse

from .ceph import free_ports
from .clients import find_program
from .postgres import USER, make_folder, run_as
from .waiting import PATIENCE_S, wait_until

CONFIGURATION = """
[databases]
* = host={folder} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 20
max_client_conn = 1000
logfile =
pidfile = {own_folder}/pid
"""


def is_installed():
    return find_program("pgbouncer") is not None


class PgBouncer:
    def __init__(self, postgres):
        self.folder = make_folder("pgbouncer")
        self.process = None
        self.port = free_ports(1)[0]
        try:
            self._start(postgres)
        except BaseException:
            self.release()
            raise

    def url(self, database, **parameters):
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}{query}"

    def release(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, postgres):
        users, configuration = self.folder / "users", self.folder / "pgbouncer.ini"
        users.write_text(f'"{USER}" ""\n', encoding="utf-8")
        configuration.write_text(CONFIGURATION.format(
            folder=postgres.folder, port=postgres.port, own_port=self.port, users=users,
            own_folder=self.folder), encoding="utf-8")
        for path in (users, configuration):
            os.chmod(path, 0o644)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [find_program("pgbouncer"), configuration], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder, **run_as())
        wait_until(self._listens, "pgbouncer to listen")

    def _listens(self):
        if self.process.poll() is not None:
            said = (self.folder / "log").read_text("utf-8", "replace")
            raise AssertionError(f"pgbouncer ended: {said[-3000:]}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S).close()
            return True
        return False
