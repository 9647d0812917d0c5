"""Debian's nginx as a load balancer: each request goes to the next server, whoever sends it."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from .ceph import free_ports
from .clients import find_program
from .waiting import PATIENCE_S, wait_until

# docs/operations.md shows the same, without what only tests need.
CONFIGURATION = """
daemon off;
{user}
worker_processes 2;
pid {folder}/pid;
error_log {folder}/log warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream registry {{
{servers}
        keepalive 32;
    }}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        location / {{
            proxy_pass http://registry;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_request_buffering off;
            proxy_buffering off;
            proxy_read_timeout 900s;
        }}
    }}
}}
"""


def is_installed():
    return find_program("nginx") is not None


class LoadBalancer:
    """As a server looks to tests: it has a port, and connections come to one of `servers`."""

    def __init__(self, servers):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pierone-nginx-"))
        self.process = None
        self.port = free_ports(1)[0]
        try:
            self._configure(servers)
            self._start()
        except BaseException:
            self.release()
            raise

    @property
    def host(self):
        return f"localhost:{self.port}"

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def use(self, servers):
        """From some moment after this on: connections that it has go on as they were."""
        self._configure(servers)
        self.process.send_signal(signal.SIGHUP)

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

    @property
    def _configuration(self):
        return self.folder / "nginx.conf"

    def _configure(self, servers):
        lines = "\n".join(f"        server 127.0.0.1:{server.port} max_fails=1 fail_timeout=1s;"
                          for server in servers)
        self._configuration.write_text(CONFIGURATION.format(
            folder=self.folder, port=self.port, servers=lines,
            user="user root;" if os.geteuid() == 0 else ""), encoding="utf-8")

    def _start(self):
        with (self.folder / "output").open("wb") as output:
            self.process = subprocess.Popen(
                [find_program("nginx"), "-c", self._configuration, "-p", self.folder,
                 "-e", self.folder / "log"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        wait_until(self._listens, "nginx to listen")

    def _listens(self):
        if self.process.poll() is not None:
            said = (self.folder / "output").read_text("utf-8", "replace")
            raise AssertionError(f"nginx ended: {said[-3000:]}")
        with contextlib.suppress(OSError):
            self.connect().close()
            return True
        return False
