"""
A real S3: Ceph's object gateway from Debian's packages on loopback, one of each daemon, with a
store in memory that is gone afterwards. What is particular about it: buckets are named in the path
below 127.0.0.1, or in the host's name below s3.localhost (any other name of a host is taken for a
bucket's); programs built on libcurl resolve names that end in .localhost by themselves, others
(Python, Go) need to be told an address. Lock headers are ignored when a multipart upload begins;
a condition is ignored when one is completed, and in buckets with versions.
"""

import contextlib
import dataclasses
import fcntl
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import uuid

from .certificates import Certificate
from .clients import find_program
from .processes import end_process, process_of
from .s3 import Bucket, Keys, S3Client
from .waiting import PATIENCE_S, wait_until

DOMAIN = "s3.localhost"
REGION = "us-east-1"
KMS_KEY = "test-key"

# In the order they need each other: program -> its name in files.
DAEMONS = {"ceph-mon": "mon", "ceph-osd": "osd", "radosgw": "rgw"}
PROGRAMS = (*DAEMONS, "ceph", "monmaptool", "radosgw-admin")

# Daemons find each other on loopback and trust everybody there. pid_file: each forks when it is
# ready to be asked. The OSD looks for free ports itself.
CONFIGURATION = """
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{monitor_port}]
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
ms_bind_ipv6 = false
ms_bind_msgr1 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
run_dir = {folder}
admin_socket = {folder}/$name.asok
crash_dir = {folder}
log_to_stderr = false
err_to_stderr = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_max_pg_per_osd = 1000

[mon]
mon_data = {folder}/mon
pid_file = {folder}/mon.pid
log_file = {folder}/mon.log
mon_cluster_log_file = {folder}/cluster.log
mon_allow_pool_size_one = true
mon_data_avail_warn = 2
mon_data_avail_crit = 1
paxos_propose_interval = 0.02
paxos_min_wait = 0.01

[osd]
osd_data = {folder}/osd
osd_journal = {folder}/osd/journal
pid_file = {folder}/osd.pid
log_file = {folder}/osd.log
osd_objectstore = memstore
memstore_device_bytes = 8589934592
osd_class_update_on_start = false

[client]
log_file = {folder}/client.log

[client.rgw]
pid_file = {folder}/rgw.pid
log_file = {folder}/rgw.log
rgw_frontends = beast endpoint=127.0.0.1:{port} ssl_endpoint=127.0.0.1:{tls_port} \
ssl_certificate={certificate} ssl_private_key={key}
rgw_thread_pool_size = 64
rgw_dns_name = {domain}
rgw_run_sync_thread = false
rgw_enable_usage_log = false
rgw_gc_obj_min_wait = 1
rgw_gc_processor_period = 5
rgw_gc_processor_max_time = 5
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = {kms_key}=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
rgw_crypt_require_ssl = false
"""


def is_installed():
    return all(find_program(name) for name in PROGRAMS)


def free_ports(count):
    """That were free just now, each another."""
    with contextlib.ExitStack() as probes:
        found = []
        for _ in range(count):
            probe = probes.enter_context(socket.socket())
            probe.bind(("127.0.0.1", 0))
            found.append(probe.getsockname()[1])
        return found


@dataclasses.dataclass
class Place:
    """All that one has to know to use a Ceph that somebody else has started."""
    folder: str
    port: int
    tls_port: int
    operator: Keys


class Ceph:
    """Started by start(), or by another process (attach()); ended by stop()."""

    def __init__(self, place):
        self.place = place
        self.folder = pathlib.Path(place.folder)
        self.operator = place.operator

    @classmethod
    def start(cls, folder):
        """Ports are free when they are chosen, and may not be when they are used: tries again."""
        for is_last in (False, False, True):
            try:
                return cls._start_once(folder)
            except AssertionError:
                if is_last:
                    raise

    @classmethod
    def _start_once(cls, folder):
        monitor_port, port, tls_port = free_ports(3)
        ceph = cls(Place(str(folder), port, tls_port, Keys.new("operator")))
        try:
            ceph._start(monitor_port)
        except BaseException:
            ceph.stop()
            raise
        ceph._state_file.write_text(json.dumps(dataclasses.asdict(ceph.place)), encoding="utf-8")
        return ceph

    @classmethod
    def attach(cls, folder):
        """The one that runs there, or None."""
        state_file = pathlib.Path(folder) / "state.json"
        if not state_file.exists():
            return None
        state = json.loads(state_file.read_text(encoding="utf-8"))
        return cls(Place(**{**state, "operator": Keys(**state["operator"])}))

    def stop(self):
        """Ends what its pid files name, if it is what it should be. The gateway first."""
        self._state_file.unlink(missing_ok=True)
        for program, name in reversed(DAEMONS.items()):
            with contextlib.suppress(FileNotFoundError, ValueError):
                end_process(int((self.folder / f"{name}.pid").read_text("ascii")), program)

    # -- where it is

    @property
    def endpoint(self):
        """Here buckets are the first part of the path."""
        return f"http://127.0.0.1:{self.place.port}"

    @property
    def host_endpoint(self):
        """Here buckets are the first part of the host's name."""
        return f"http://{DOMAIN}:{self.place.port}"

    @property
    def tls_endpoint(self):
        return f"https://127.0.0.1:{self.place.tls_port}"

    @property
    def tls_host_endpoint(self):
        return f"https://{DOMAIN}:{self.place.tls_port}"

    @property
    def ca_file(self):
        """Whom to trust at the TLS endpoints."""
        return self.folder / "certificate.pem"

    @property
    def kms_key(self):
        """With which it encrypts when asked to."""
        return KMS_KEY

    # -- users and buckets

    def create_user(self, name):
        """Who may do nothing with the buckets of others; returns the keys."""
        keys = Keys.new(name)
        self._add_user(keys)
        return keys

    def client(self, keys=None):
        """Speaks S3, as the operator if it is not told otherwise."""
        return S3Client("127.0.0.1", self.place.port, keys or self.operator, REGION)

    def create_bucket(self, has_versions=False, has_lock=False):
        """Of the operator, with a name of its own."""
        bucket = Bucket(self.client(), f"test-{uuid.uuid4().hex[:20]}")
        bucket.create(has_lock)
        if has_versions:
            bucket.set_versioning()
        return bucket

    # -- how it starts

    @property
    def _state_file(self):
        return self.folder / "state.json"

    def _start(self, monitor_port):
        certificate = Certificate(self.folder, names=("localhost", DOMAIN, f"*.{DOMAIN}"))
        self._configure(monitor_port, certificate)
        self._start_monitor(monitor_port)
        self._start_osd()
        self._add_user(self.operator)
        # The gateway expects encryption between the daemons, whatever the configuration says.
        self._start_daemon("radosgw", "-n", "client.rgw", "--auth_client_required=none",
                           "--ms_mon_client_mode=crc", "--rgw_init_timeout=60")
        wait_until(self._answers, "the gateway to answer")

    def _configure(self, monitor_port, certificate):
        (self.folder / "ceph.conf").write_text(CONFIGURATION.format(
            fsid=uuid.uuid4(), folder=self.folder, monitor_port=monitor_port,
            port=self.place.port, tls_port=self.place.tls_port, certificate=certificate.path,
            key=certificate.key_path, domain=DOMAIN, kms_key=KMS_KEY), encoding="utf-8")

    def _start_monitor(self, monitor_port):
        for name in ("mon", "osd"):
            shutil.rmtree(self.folder / name, ignore_errors=True)  # of an attempt that failed
            (self.folder / name).mkdir()
        self._run("monmaptool", "--create", "--clobber",
                  "--addv", "a", f"[v2:127.0.0.1:{monitor_port}/0]", self.folder / "monmap")
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", self.folder / "monmap")
        self._start_daemon("ceph-mon", "-i", "a")

    def _start_osd(self):
        number = str(uuid.uuid4())
        self._run("ceph", "osd", "new", number)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", number)
        self._start_daemon("ceph-osd", "-i", "0")
        wait_until(self._has_osd, "the OSD to come up")

    def _has_osd(self):
        return json.loads(self._run("ceph", "osd", "stat", "-f", "json"))["num_up_osds"] > 0

    def _start_daemon(self, program, *arguments):
        """It forks, and its child says who it is some time later."""
        self._run(program, *arguments)
        wait_until(lambda: self._process_of(program), f"{program} to write its pid")

    def _process_of(self, program):
        return process_of(self.folder / f"{DAEMONS[program]}.pid", program)

    def _add_user(self, keys):
        self._administer("user", "create", f"--uid={keys.user}", f"--display-name={keys.user}",
                         f"--access-key={keys.access_key}", f"--secret={keys.secret_key}")

    def _answers(self):
        if not self._process_of("radosgw"):
            raise AssertionError("the gateway ended:\n" + self._log_tail("rgw"))
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port, timeout=PATIENCE_S)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        return False

    def _log_tail(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace")[-3000:] if path.exists() else "(no log)"

    def _administer(self, *arguments):
        return self._run("radosgw-admin", "-n", "client.rgw", *arguments)

    def _run(self, program, *arguments):
        """Returns stdout. Daemons keep what they inherit, so none of it may be a pipe to us."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            done = subprocess.run(
                [find_program(program), "-c", self.folder / "ceph.conf", *arguments],
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors, cwd=self.folder,
                timeout=2 * PATIENCE_S, check=False)
            errors.seek(0)
            assert done.returncode == 0, f"{done.args}: {errors.read().decode(errors='replace')}"
            output.seek(0)
            return output.read().decode("utf-8")


# -- one for all workers of a run

@contextlib.contextmanager
def shared_ceph():
    """The first worker starts it, the last ends it; also if others have died meanwhile."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = pathlib.Path(tempfile.gettempdir()) / f"pierone-ceph-{run}"
    with _take_turn(folder):
        users = (folder / "users").open("wb")
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            ceph = Ceph.attach(folder) or Ceph.start(folder)
        except BaseException:
            users.close()
            raise
    try:
        yield ceph
    finally:
        with _take_turn(folder), users:
            with contextlib.suppress(BlockingIOError):  # others use it still
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                ceph.stop()
                shutil.rmtree(folder)


def _take_turn(folder):
    """One worker at a time, until the file is closed; in a folder that nobody has just removed."""
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        turn = (folder / "turn").open("wb")
        fcntl.flock(turn, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(turn.fileno()), os.stat(folder / "turn")):
                return turn
        turn.close()
