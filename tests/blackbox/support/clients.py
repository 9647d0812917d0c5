"""The real clients, each with folders of its own, so that none touches what the machine has."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from .waiting import wait_until

# Nothing that a client does here takes longer, on a busy machine either.
COMMAND_TIMEOUT_S = 120
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"


# Whatever they are told, dockerd makes folders for plugins, and podman and buildah
# note where they saw a blob.
FOREIGN_PATHS = tuple(map(pathlib.Path, (
    "/run/docker", "/run/docker/plugins",
    "/var/lib/containers", "/var/lib/containers/cache",
    "/var/lib/containers/cache/blob-info-cache-v1.boltdb")))


class ForeignPaths:
    """Removes those afterwards that were not there before, unless somebody else uses them by now."""

    def __init__(self):
        self.paths = [path for path in FOREIGN_PATHS if not path.exists()]

    def release(self):
        for path in reversed(self.paths):
            with contextlib.suppress(OSError):
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()


def find_program(name):
    """Debian's program first: another of the same name may come before it in PATH."""
    return shutil.which(name, path=SYSTEM_PATH) or shutil.which(name)


def clean_environment(home, **more):
    environment = {name: value for name, value in os.environ.items()
                   if name.lower() not in PROXIES and not name.startswith(("DOCKER_", "XDG_"))}
    return {**environment, "HOME": str(home), "LC_ALL": "C.UTF-8",
            "PATH": f"{SYSTEM_PATH}:{os.environ.get('PATH', '')}", **more}


class Client:
    """A program with the arguments and the environment that it always gets."""

    def __init__(self, command, environment):
        self.command = command
        self.environment = environment

    def try_run(self, *arguments, stdin=None):
        """Returns what subprocess.run does; stdout and stderr are text."""
        return subprocess.run([*self.command, *map(str, arguments)], input=stdin or "",
                              capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S,
                              env=self.environment, check=False)

    def run(self, *arguments, stdin=None):
        """As try_run, but it has to succeed. Returns stdout."""
        result = self.try_run(*arguments, stdin=stdin)
        assert result.returncode == 0, f"{result.args}\n{result.stdout}\n{result.stderr}"
        return result.stdout.strip()

    def refuse(self, *arguments):
        """As try_run, but it has to fail. Returns all that it said."""
        result = self.try_run(*arguments)
        assert result.returncode != 0, f"{result.args}\n{result.stdout}\n{result.stderr}"
        return result.stdout + result.stderr


class Folder:
    """A temporary folder that is gone afterwards, also where a client left it without write access."""

    def __init__(self, name):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"pierone-{name}-"))
        (self.path / "home").mkdir()

    def release(self):
        for folder, _, _ in os.walk(self.path):
            os.chmod(folder, 0o700)
        shutil.rmtree(self.path)


def write_context(folder, content, dockerfile="FROM scratch\nCOPY hello /hello\n"):
    """A build context whose one file holds `content`."""
    context = pathlib.Path(tempfile.mkdtemp(prefix="context-", dir=folder))
    (context / "hello").write_text(content, encoding="utf-8")
    (context / "Dockerfile").write_text(dockerfile, encoding="utf-8")
    return context


class DockerDaemon:
    """A dockerd (which starts a containerd) apart from the machine's: own state, socket and network."""

    def __init__(self):
        self.folder = Folder("docker")
        self.foreign_paths = ForeignPaths()
        path = self.folder.path
        self.socket = f"unix://{path}/docker.sock"
        self.containerd_socket = path / "exec/containerd/containerd.sock"
        self.environment = clean_environment(path / "home", DOCKER_CONFIG=str(path / "home/.docker"),
                                             DOCKER_BUILDKIT="0")
        (path / "daemon.json").write_text("{}", encoding="utf-8")
        with (path / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [find_program("dockerd"), "--config-file", path / "daemon.json",
                 "--data-root", path / "data", "--exec-root", path / "exec",
                 "--pidfile", path / "docker.pid", "--host", self.socket,
                 "--iptables=false", "--ip6tables=false", "--bridge=none",
                 "--storage-driver=vfs"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        self.docker = Client([find_program("docker"), "--host", self.socket], self.environment)

    def wait_until_ready(self):
        wait_until(self._is_ready, "dockerd")

    def ctr(self):
        """containerd's own client."""
        return Client([find_program("ctr"), "--address", self.containerd_socket,
                       "--namespace", "pierone-test"], self.environment)

    def release(self):
        """Ends it and sees to it that no process, mount or file is left."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(COMMAND_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for mount in reversed(self._mounts()):
            subprocess.run([find_program("umount"), mount], check=True)
        self.foreign_paths.release()
        self.folder.release()

    def _is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError((self.folder.path / "log").read_text(errors="replace"))
        return self.docker.try_run("version").returncode == 0

    def _mounts(self):
        """Mount points below our folder, outer ones first."""
        mounts = [line.split()[4] for line in
                  pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
        return [mount for mount in mounts if mount.startswith(f"{self.folder.path}/")]


def podman(folder):
    return Client([find_program("podman"), "--root", folder / "root", "--runroot", folder / "run",
                   "--tmpdir", folder / "tmp", "--storage-driver", "vfs",
                   "--cgroup-manager", "cgroupfs", "--events-backend", "none"],
                  clean_environment(folder / "home", TMPDIR=str(folder)))


def buildah(folder):
    return Client([find_program("buildah"), "--root", folder / "root", "--runroot", folder / "run",
                   "--storage-driver", "vfs"],
                  clean_environment(folder / "home", TMPDIR=str(folder)))


def skopeo(folder):
    """Told that it is not root, so that it keeps its cache of blobs in its home."""
    runtime = folder / "run"
    runtime.mkdir()
    return Client([find_program("skopeo")],
                  clean_environment(folder / "home", TMPDIR=str(folder), XDG_RUNTIME_DIR=str(runtime),
                                    _CONTAINERS_ROOTLESS_UID="1000"))
