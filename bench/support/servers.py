"""The servers that are compared: how each is started, and where it finds the same bytes."""

import http.client
import json
import os
import pathlib
import shutil
import ssl
import time

from support import content, ports
from support.process import Process

READY_TIMEOUT_SECONDS = 60
READY_POLL_SECONDS = 0.0005
CONNECT_TIMEOUT_SECONDS = 60
SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


class Server:
    """A kind of server with a data folder, which is filled once and then started on again and again.

    With a certificate it speaks TLS, and nothing else.
    """

    name = ""
    environment = {}
    is_temporary = False  # the folder goes when the server is left

    def __init__(self, folder, certificate=None):
        self.folder = pathlib.Path(folder)
        self.certificate = certificate
        self.port = 0
        self.process = None
        self.ready_seconds = 0.0

    @classmethod
    def is_missing(cls):
        """Whether nobody has said where its program is."""
        return False

    def command(self):
        raise NotImplementedError

    def url(self, path):
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}{path}"

    def load_options(self):
        """What generators of load have to know of it."""
        return {"port": self.port, "tls": int(self.certificate is not None)}

    def connect(self):
        if not self.certificate:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=CONNECT_TIMEOUT_SECONDS)
        context = ssl.create_default_context(cafile=str(self.certificate.path))
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context,
                                           timeout=CONNECT_TIMEOUT_SECONDS)

    def start(self):
        """Returns when it answers; `ready_seconds` is how long that took."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = ports.free()
        command = self.command()
        self.process = Process(command, self.environment, self.folder / "log")
        while not self._answers():
            if not self.process.is_running():
                raise RuntimeError(f"{self.name} does not start: see {self.folder}/log")
            if time.monotonic() - self.process.begin > READY_TIMEOUT_SECONDS:
                raise RuntimeError(f"{self.name} is not ready after {READY_TIMEOUT_SECONDS} s")
            time.sleep(READY_POLL_SECONDS)
        self.ready_seconds = time.monotonic() - self.process.begin

    def _answers(self):
        client = self.connect()
        try:
            client.request("GET", "/v2/")
            return client.getresponse().status in (200, 401)
        except OSError:
            return False
        finally:
            client.close()

    def fill(self, image):
        self.start()
        content.push(self, image)
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
        if self.certificate:
            self.environment |= {"PIERONE_TLS_CERTIFICATE": str(self.certificate.path),
                                 "PIERONE_TLS_KEY": str(self.certificate.key_path),
                                 "PIERONE_TLS_MINIMUM": "1.3"}
        return [os.path.join(self.build, "pieroned")]


class DockerRegistry(Server):
    name = "docker-registry"
    program = shutil.which("docker-registry")

    def command(self):
        config = self.folder / "config.yml"
        config.write_text(
            f"""version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: "{self.folder}/data"}}
  cache: {{blobdescriptor: inmemory}}
http: {{addr: "127.0.0.1:{self.port}"{self._tls()}}}
""", encoding="utf-8")
        return [self.program, "serve", str(config)]

    def _tls(self):
        return f""", tls: {{certificate: "{self.certificate.path}", key: "{self.certificate.key_path}",
  minimumtls: tls1.3}}""" if self.certificate else ""


class DockerRegistryLazy(DockerRegistry):
    """Fewer garbage collections: faster, for memory."""

    name = "docker-registry GOGC=800"
    environment = {"GOGC": "800"}


class Distribution(DockerRegistryLazy):
    """What docker-registry has become, where somebody says where it is."""

    name = "distribution 3"
    program = None
    environment = {"GOGC": "800", "OTEL_TRACES_EXPORTER": "none"}

    @classmethod
    def is_missing(cls):
        return cls.program is None


class Zot(Server):
    """Flushes what it has received before it answers, as the others do (`commit`)."""

    name = "zot"
    program = None
    environment = {"GOGC": "800"}

    @classmethod
    def is_missing(cls):
        return cls.program is None

    def command(self):
        http = {"address": "127.0.0.1", "port": str(self.port)}
        if self.certificate:
            http["tls"] = {"cert": str(self.certificate.path), "key": str(self.certificate.key_path)}
        config = self.folder / "config.json"
        config.write_text(json.dumps({
            "distSpecVersion": "1.1.1", "http": http, "log": {"level": "error"},
            "storage": {"rootDirectory": str(self.folder / "data"), "gc": False, "commit": True},
        }), encoding="utf-8")
        return [self.program, "serve", str(config)]


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
    listen 127.0.0.1:{self.port} backlog=4096{self._tls()};
    root {self.folder}/data;
    default_type application/octet-stream;
    location = /v2/ {{ return 200; }}
    location ~ /manifests/ {{ default_type {content.MEDIA_TYPE}; }}
  }}
}}
""", encoding="utf-8")
        return [shutil.which("nginx", path=SYSTEM_PATH), "-p", str(self.folder), "-c", str(config)]

    def _tls(self):
        """The shorter of TLS's ciphers, as all the others choose it by themselves."""
        return f""" ssl;
    ssl_certificate {self.certificate.path}; ssl_certificate_key {self.certificate.key_path};
    ssl_protocols TLSv1.3; ssl_prefer_server_ciphers on;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256""" if self.certificate else ""

    def fill(self, image):
        base = self.folder / "data/v2" / content.REPOSITORY
        digests = {content.digest_of(blob): blob for blob in image.blobs()}
        (base / "blobs").mkdir(parents=True)
        (base / "manifests").mkdir()
        for digest, blob in digests.items():
            (base / "blobs" / digest).write_bytes(blob)
        for name in (content.TAG, content.digest_of(image.manifest)):
            (base / "manifests" / name).write_bytes(image.manifest)


KINDS = (DockerRegistry, DockerRegistryLazy, Distribution, Zot, Nginx, Pieroned)
