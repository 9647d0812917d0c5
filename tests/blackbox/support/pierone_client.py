"""The command line client and the credential helper, as a person of their own: with a home."""

import json
import os
import pty
import select
import signal
import subprocess
import termios

from .clients import COMMAND_TIMEOUT_S, Client, clean_environment
from .waiting import PATIENCE_S

# What a person's own settings would bring in.
FOREIGN = ("PIERONE_", "OAUTH2_", "CREDENTIALS_DIR", "NO_COLOR", "BROWSER", "DISPLAY", "WAYLAND_",
           "SSL_CERT_FILE", "SSH_")

PASSED_BY_US = {"TERM": "xterm"}


class Person:
    """Somebody with a home folder, programs in PATH, and settings given to each run."""

    def __init__(self, programs, home, url=None):
        self.programs = programs
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.url = url

    def environment(self, **more):
        kept = {name: value for name, value in clean_environment(self.home).items()
                if not name.startswith(FOREIGN)}
        own = {"PIERONE_URL": self.url} if self.url else {}
        path = f"{self.programs}:{kept['PATH']}"
        return {**kept, **PASSED_BY_US, "PATH": path, **own, **more}

    def client(self, program="pierone", **more):
        return Client([self.programs / program], self.environment(**more))

    def run(self, *arguments, stdin=None, **more):
        """pierone; it has to succeed. Returns stdout."""
        return self.client(**more).run(*arguments, stdin=stdin)

    def attempt(self, *arguments, stdin=None, **more):
        return self.client(**more).try_run(*arguments, stdin=stdin)

    def fail(self, *arguments, code=1, **more):
        """It has to fail with that code and without results. Returns what it complains of."""
        result = self.attempt(*arguments, **more)
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        assert result.stdout == ""
        return result.stderr

    def json(self, *arguments, **more):
        return json.loads(self.run(*arguments, "-o", "json", **more))

    def rows(self, *arguments, **more):
        """TSV as dicts."""
        lines = self.run(*arguments, "-o", "tsv", **more).split("\n")
        names = lines[0].split("\t")
        return [dict(zip(names, line.split("\t"))) for line in lines[1:]]

    def helper(self, action, stdin="", **more):
        return self.client("docker-credential-pierone", **more).try_run(action, stdin=stdin)

    def start(self, *arguments, **more):
        """In the background; chatter is a pipe."""
        return subprocess.Popen([self.programs / "pierone", *arguments], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment(**more))

    @property
    def docker_config(self):
        return self.home / ".docker/config.json"

    @property
    def logins(self):
        return self.home / ".config/pierone/logins.json"

    @property
    def config(self):
        return self.home / ".config/pierone.yaml"


class Terminal:
    """A program on a pseudo-terminal of its own: what it shows, and what somebody types."""

    def __init__(self, arguments, environment):
        self.shown = ""
        self.master, slave = pty.openpty()
        self.usual = termios.tcgetattr(self.master)

        def take_terminal():  # the first that a session opens is its own: keys send it signals
            os.close(os.open(os.ttyname(slave), os.O_RDWR))
            for number in (signal.SIGINT, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)

        self.process = subprocess.Popen(arguments, stdin=slave, stdout=slave, stderr=slave,
                                        env=environment, start_new_session=True,
                                        preexec_fn=take_terminal)
        os.close(slave)

    def wait_for(self, text):
        while text not in self.shown:
            assert self._read(), f"it never showed {text!r}: {self.shown!r}"

    def type(self, text):
        os.write(self.master, text.encode())

    def is_as_before(self):
        return termios.tcgetattr(self.master) == self.usual

    def finish(self):
        """Reads the rest; returns the exit status."""
        while self._read():
            pass
        return self.process.wait(COMMAND_TIMEOUT_S)

    def release(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)

    def _read(self):
        ready, _, _ = select.select([self.master], [], [], PATIENCE_S)
        if not ready:
            return False
        try:
            data = os.read(self.master, 4096)
        except OSError:  # Linux: nobody has the other end any more
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)
