"""A real pieroned, started on a port of the system's choice, with its data in a folder of its own."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from .databases import OwnFile
from .waiting import PATIENCE_S, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]

LISTENING = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\]):([1-9][0-9]*)")

CHUNK = 65536

# What tests do not set themselves: there is no load balancer to wait for at the end.
USUAL_LIMITS = {"drain_delay": "1ms"}

# Sanitizers write their reports to files of their own, so that none hides in a log.
SANITIZERS = ("ASAN", "UBSAN", "TSAN")


def find_binary(preferred):
    """The server under test: $PIERONE, or the preferred build, or the other one."""
    if os.environ.get("PIERONE"):
        return pathlib.Path(os.environ["PIERONE"]).resolve()
    builds = {"asan": ROOT / "build/asan/pieroned", "release": ROOT / "build/pieroned"}
    for path in (builds[preferred], *builds.values()):
        if path.exists():
            return path
    raise FileNotFoundError("no pieroned: run script/test, or set PIERONE to one")


def to_yaml(settings, indent=0):
    """Nested dicts of plain values as block mappings."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, dict):
            lines += [f"{' ' * indent}{key}:", to_yaml(value, indent + 2)]
        else:
            lines.append(f"{' ' * indent}{key}: {json.dumps(value)}")
    return "\n".join(lines)


class Server:
    """Started by start(), ended by stop() (which checks that it ended well) or kill()."""

    databases = OwnFile()  # for all of a run: see databases.py

    def __init__(self, binary, settings=None, environment=None):
        self.binary = binary
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pierone-test-"))
        self.settings = settings or {}
        self.environment = environment or {}
        self.settings_file = self.folder / "pierone.yaml"
        self.log_file = self.folder / "log"
        self._databases = self.databases
        self.database = None if "database" in self.settings else self._databases.create()
        self.process = None
        self.port = None
        self._is_terminated = False
        self._log_begin = 0

    # -- its life

    def start(self, patience_s=PATIENCE_S):
        self.write_settings(self.settings)
        self._is_terminated = False
        self._log_begin = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.open_log() as log:
            self.process = subprocess.Popen(
                [self.binary, "-c", self.settings_file, "--listen", "127.0.0.1:0",
                 "--data", self.folder / "data"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                env=self._environment())
        self.port = wait_until(self._find_port, "the server to listen", patience_s)
        return self

    def open_log(self):
        return self.log_file.open("ab")

    def stop(self):
        """SIGTERM; the server has to finish in order and without a sanitizer's complaint."""
        if self.process is None:
            return
        if not self._is_terminated:
            self.terminate()
        self.check_end()

    def check_end(self):
        """It ends by itself, in order and without a sanitizer's complaint."""
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the server did not end:\n" + self.log_tail()) from None
        self.process = None
        self.check_sanitizers()
        assert code == 0, f"the server ended with {code}:\n{self.log_tail()}"

    def kill(self):
        """Power off, as far as a process can tell: SIGKILL. Nothing if there is none."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self):
        """From here on it does nothing: no thread runs, and none is in the kernel. Then kill()."""
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: self._thread_states() == {"T"}, "the server to stand still")

    def restart(self):
        """Starts again on the same data; a new port, usually."""
        self.stop()
        return self.start()

    def release(self):
        """Ends it whatever happened, and leaves nothing behind."""
        try:
            self.stop()
        finally:
            self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
            if self.database:
                self._databases.drop(self.database)

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def terminate(self):
        """Begins its end; a second signal would cut that short."""
        self._is_terminated = True
        self.process.send_signal(signal.SIGTERM)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def count_threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def count_sockets(self):
        folder = f"/proc/{self.process.pid}/fd"
        count = 0
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                count += os.readlink(f"{folder}/{name}").startswith("socket:")
        return count

    def peak_memory_bytes(self):
        """The most that was ever resident (proc(5), VmHWM)."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmHWM:\s*([0-9]+) kB", status).group(1)) * 1024

    # -- what it is told and what it says

    def write_settings(self, settings):
        self.settings = {**settings, "limits": {**USUAL_LIMITS, **settings.get("limits", {})}}
        if self.database:
            self.settings.update(self._databases.settings(self.database))
        self.settings_file.write_text(to_yaml(self.settings) + "\n", encoding="utf-8")

    @property
    def host(self):
        """As it stands in an image's name."""
        return f"localhost:{self.port}"

    def connect(self, address="127.0.0.1"):
        """As somebody at that address of the loopback interface."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S,
                                        source_address=(address, 0))

    def log_lines(self):
        """The structured lines since the last start, as dicts."""
        text = self.log_text()
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def requests(self):
        """The log lines of requests."""
        return [line for line in self.log_lines() if "method" in line]

    def wait_for_logged(self, **fields):
        """The newest line of a request with these fields. Lines come after answers."""
        def find():
            return [line for line in self.requests()
                    if all(line.get(name) == value for name, value in fields.items())]

        return wait_until(find, f"a request with {fields} to be logged")[-1]

    def wait_for_event(self, event):
        """The lines of it, once there is one. They come after what they tell."""
        return wait_until(lambda: [line for line in self.log_lines() if line["event"] == event],
                          f"{event} to be logged")

    def check_manifest_puts(self, repository, statuses):
        """Its pushes of manifests were answered so, and none came besides. Lines come after answers."""
        def find():
            return [line["status"] for line in self.requests() if line["method"] == "PUT"
                    and line["path"].startswith(f"/v2/{repository}/manifests/")]

        wait_until(lambda: len(find()) >= len(statuses), f"pushes of manifests to {repository}")
        assert find() == statuses

    def log_text(self):
        with self.log_file.open("rb") as log:
            log.seek(self._log_begin)
            whole_lines = log.read().rpartition(b"\n")[0]
        return whole_lines.decode("utf-8")

    def whole_log(self):
        """All that it ever said, also before a restart."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def log_tail(self):
        return "\n".join(self.log_text().splitlines()[-20:])

    def check_sanitizers(self):
        files = list(self.folder.glob("sanitizer.*"))
        reports = [path.read_text(errors="replace") for path in files]
        for path in files:
            path.unlink()
        assert not reports, "\n".join(reports)

    def _thread_states(self):
        """As proc(5) names them: R, S, D, T …"""
        threads = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return {(thread / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
                for thread in threads}

    def _environment(self):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("PIERONE")}
        environment.update(self.environment)
        for sanitizer in SANITIZERS:
            name = f"{sanitizer}_OPTIONS"
            own = self.environment.get(name, "")
            environment[name] = (f"log_path={self.folder}/sanitizer.{sanitizer}"
                                 f":print_stacktrace=1:{own}")
        return environment

    def _find_port(self):
        if self.process.poll() is not None:
            code = self.process.returncode
            self.process = None
            self.check_sanitizers()
            raise AssertionError(f"the server ended at once with {code}:\n{self.log_tail()}")
        match = LISTENING.search(self.log_text())
        return int(match.group(1)) if match else None


class UnreadServer(Server):
    """Its log goes to a pipe, which is read only when a test asks for the log."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._pipe = None

    def open_log(self):
        self._pipe, end = os.pipe()
        os.set_blocking(self._pipe, False)
        return os.fdopen(end, "ab")

    def log_text(self):
        with contextlib.suppress(BlockingIOError), self.log_file.open("ab") as log:
            while read := os.read(self._pipe, CHUNK):
                log.write(read)
        return super().log_text()

    def release(self):
        super().release()
        os.close(self._pipe)


def run_once(binary, *arguments, environment=None, stdin=""):
    """Runs a pieroned that is to end by itself; returns what subprocess.run does."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIERONE")}
    return subprocess.run([binary, *arguments], input=stdin, capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False,
                          env={**clean, **(environment or {})})
