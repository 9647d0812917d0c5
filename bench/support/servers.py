"""The servers that are compared: how each is started, and where it finds the same bytes."""

import http.client
import os
import pathlib
import shutil
import socket
import time

from support import content
from support.process import Process

READY_TIMEOUT_SECONDS = 60
READY_POLL_SECONDS = 0.0005
SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


class Server:
    """A kind of server with a data folder, which is filled once and then started on again and again."""

    name = ""
    environment = {}
    is_temporary = False  # the folder goes when the server is left

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = 0
        self.process = None
        self.ready_seconds = 0.0

    def command(self):
        raise NotImplementedError

    def start(self):
        """Returns when it answers; `ready_seconds` is how long that took."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = _free_port()
        command = self.command()
        self.process = Process(command, self.environment, self.folder / "log")
        while not _answers(self.port):
            if not self.process.is_running():
                raise RuntimeError(f"{self.name} does not start: see {self.folder}/log")
            if time.monotonic() - self.process.begin > READY_TIMEOUT_SECONDS:
                raise RuntimeError(f"{self.name} is not ready after {READY_TIMEOUT_SECONDS} s")
            time.sleep(READY_POLL_SECONDS)
        self.ready_seconds = time.monotonic() - self.process.begin

    def fill(self, image):
        self.start()
        content.push(self.port, image)
        self.stop()

    def stop(self):
        if self.process:
            self.process.end()
            self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        if self.is_temporary:
            shutil.rmtree(self.folder)


class Pieroned(Server):
    name = "pieroned"
    build = ""

    def command(self):
        self.environment = {
            "PIERONE_LISTEN": f"127.0.0.1:{self.port}",
            "PIERONE_DATA": str(self.folder / "data"),
            "PIERONE_LOG_LEVEL": "warning",
            "PIERONE_LIMITS_DRAIN_DELAY": "1ms",
        }
        return [os.path.join(self.build, "pieroned")]


class DockerRegistry(Server):
    name = "docker-registry"

    def command(self):
        config = self.folder / "config.yml"
        config.write_text(
            f"""version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: "{self.folder}/data"}}
  cache: {{blobdescriptor: inmemory}}
http: {{addr: "127.0.0.1:{self.port}"}}
""", encoding="utf-8")
        return [shutil.which("docker-registry"), "serve", str(config)]


class DockerRegistryLazy(DockerRegistry):
    """Fewer garbage collections: faster, for memory."""

    name = "docker-registry GOGC=800"
    environment = {"GOGC": "800"}


class Nginx(Server):
    """Files at the paths of a registry: what serving bytes costs at least."""

    name = "nginx"

    def command(self):
        config = self.folder / "nginx.conf"
        config.write_text(
            f"""daemon off; worker_processes auto; pid {self.folder}/pid; error_log stderr error;
worker_rlimit_nofile 65536; {"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 20000; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; keepalive_timeout 120s;
  open_file_cache max=1000;
  client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2;
  fastcgi_temp_path {self.folder}/t3; uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5;
  server {{
    listen 127.0.0.1:{self.port};
    root {self.folder}/data;
    default_type application/octet-stream;
    location = /v2/ {{ return 200; }}
    location ~ /manifests/ {{ default_type {content.MEDIA_TYPE}; }}
  }}
}}
""", encoding="utf-8")
        return [shutil.which("nginx", path=SYSTEM_PATH), "-p", str(self.folder), "-c", str(config)]

    def fill(self, image):
        base = self.folder / "data/v2" / content.REPOSITORY
        digests = {content.digest_of(blob): blob for blob in image.blobs()}
        (base / "blobs").mkdir(parents=True)
        (base / "manifests").mkdir()
        for digest, blob in digests.items():
            (base / "blobs" / digest).write_bytes(blob)
        for name in (content.TAG, content.digest_of(image.manifest)):
            (base / "manifests" / name).write_bytes(image.manifest)


KINDS = (DockerRegistry, DockerRegistryLazy, Nginx, Pieroned)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request("GET", "/v2/")
        return client.getresponse().status in (200, 401)
    except OSError:
        return False
    finally:
        client.close()
