"""`pieroned user`: the file of local users, as an operator makes it and a running server reads it."""

import base64
import concurrent.futures
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tempfile
import termios

import pytest

from support.waiting import PATIENCE_S, wait_until
from support.wire import Wire, request

PASSWORD, OTHER_PASSWORD = "correct horse battery", "staple päss:word"
HASH = re.compile(r"\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{0,86}\$[./A-Za-z0-9]{43}")


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="pierone-test-") as path:
        yield pathlib.Path(path)


@pytest.fixture
def file(folder):
    return folder / "users"


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("PIERONE")}


@pytest.fixture
def user(binary, file):
    """Calls `pieroned user …` on the file: user("add", "alice", password="…")."""

    def call(*arguments, password=None):
        more = [] if password is None else ["--password-stdin"]
        result = subprocess.run(
            [binary, "user", *arguments, "--users-file", file, *more], text=True,
            input="" if password is None else password + "\n", capture_output=True,
            timeout=PATIENCE_S, check=False, env=clean_environment())
        assert_no_secret(result.stdout + result.stderr)
        return result

    return call


def assert_no_secret(output):
    for secret in (PASSWORD, OTHER_PASSWORD, "$y$"):
        assert secret not in output


def assert_done(result, output=""):
    assert (result.returncode, result.stdout, result.stderr) == (0, output, "")


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Terminal:
    """A pieroned that believes to be talking to a person."""

    def __init__(self, binary, *arguments, ignored=()):
        self.ignored = ignored  # signals, as under nohup
        self.ours, self.theirs = pty.openpty()
        self.usual = termios.tcgetattr(self.theirs)
        self.shown = ""
        self.process = subprocess.Popen(
            [binary, *arguments], stdin=self.theirs, stdout=self.theirs, stderr=self.theirs,
            env=clean_environment(), start_new_session=True, preexec_fn=self._take_terminal)

    def _take_terminal(self):
        os.close(os.open(os.ttyname(self.theirs), os.O_RDWR))  # the first of a session is its own
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN if number in self.ignored else signal.SIG_DFL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)

    def wait_for(self, text):
        wait_until(lambda: self._read() and text in self.shown, f"{text!r} in {self.shown!r}")

    def type(self, text):
        os.write(self.ours, text.encode())

    def answer(self, prompt, text):
        self.wait_for(prompt)
        self.type(text + "\n")

    def wait(self):
        code = self.process.wait(PATIENCE_S)
        self._read()
        assert_no_secret(self.shown)
        return code

    def has_pending(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return any(int(line.split()[1], 16) for line in status.splitlines()
                   if line.startswith(("SigPnd", "ShdPnd")))

    def is_silent(self):
        return not termios.tcgetattr(self.theirs)[3] & termios.ECHO

    def is_as_before(self):
        return termios.tcgetattr(self.theirs) == self.usual

    def _read(self):
        while select.select([self.ours], [], [], 0)[0]:
            self.shown += os.read(self.ours, 4096).decode()
        return True


@pytest.fixture
def terminal(binary, file):
    def start(*arguments, **conditions):
        return Terminal(binary, "user", *arguments, "--users-file", file, **conditions)

    return start


# -- the file

def test_users_are_added_changed_and_listed(user, file):
    assert_done(user("add", "alice", "--team", "payments", "--team", "checkout", password=PASSWORD))
    assert_done(user("add", "bob", "--team", "payments", password=OTHER_PASSWORD))
    assert_done(user("list"), "NAME   TEAMS\nalice  payments,checkout\nbob    payments\n")
    assert_done(user("team", "bob", "--team", "search"))
    assert_done(user("list"), "NAME   TEAMS\nalice  payments,checkout\nbob    search\n")
    before = file.read_text(encoding="utf-8").splitlines()
    assert_done(user("passwd", "alice", password=OTHER_PASSWORD))
    after = file.read_text(encoding="utf-8").splitlines()
    assert after[0] != before[0] and after[1] == before[1]


def test_file_is_private_and_holds_yescrypt_alone(user, file):
    before = os.umask(0)
    try:
        assert_done(user("add", "alice", "--team", "payments", password=PASSWORD))
    finally:
        os.umask(before)
    assert file.stat().st_mode & 0o7777 == 0o600
    name, hashed, teams = file.read_text(encoding="utf-8").rstrip("\n").split(":")
    assert (name, teams) == ("alice", "payments")
    assert HASH.fullmatch(hashed)
    assert sorted(path.name for path in file.parent.iterdir()) == ["users", "users.lock"]


def test_user_is_not_added_twice(user, file):
    assert_done(user("add", "alice", password=PASSWORD))
    before = file.read_bytes()
    result = user("add", "alice", "--team", "payments", password=OTHER_PASSWORD)
    assert (result.returncode, result.stdout) == (1, "")
    assert "alice" in result.stderr and "pieroned user passwd" in result.stderr
    assert file.read_bytes() == before


def test_unknown_user_is_not_changed(user, file):
    assert_done(user("add", "alice", password=PASSWORD))
    before = file.read_bytes()
    for result in (user("passwd", "bob", password=PASSWORD), user("team", "bob", "--team", "a")):
        assert (result.returncode, result.stdout) == (1, "")
        assert "bob" in result.stderr and str(file) in result.stderr
    assert file.read_bytes() == before


def test_comments_and_order_are_kept(user, file):
    assert_done(user("add", "bob", password=PASSWORD))
    text = "# people\n\n" + file.read_text(encoding="utf-8") + "# end\n"
    file.write_text(text, encoding="utf-8")
    assert_done(user("add", "alice", password=PASSWORD))
    assert file.read_text(encoding="utf-8").startswith(text + "alice:$y$")


def test_concurrent_adds_lose_nothing(user):
    names = [f"user{i:02}" for i in range(24)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda name: user("add", name, "--team", name, password=PASSWORD),
                                names))
    for result in results:
        assert_done(result)
    listed = user("list").stdout.splitlines()[1:]
    assert sorted(listed) == [f"{name}  {name}" for name in names]


def test_one_of_many_that_add_the_same_name_wins(user):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: user("add", "alice", "--team", f"t{i}", password=PASSWORD),
                                range(8)))
    assert sorted(result.returncode for result in results) == [0] + 7 * [1]
    assert len(user("list").stdout.splitlines()) == 2


@pytest.mark.parametrize("line", [
    "carol:$1$saltsalt$NuzA7WTAelpl95xgBGWN60:payments", "carol:abhfCpXqd4GrI:payments"],
    ids=["md5crypt", "descrypt"])
def test_weak_hashes_are_refused_and_can_be_replaced_as_told(user, file, line):
    assert_done(user("add", "alice", password=PASSWORD))
    good = file.read_text(encoding="utf-8")
    file.write_text(good + line + "\n", encoding="utf-8")
    for result in (user("list"), user("add", "dave", password=PASSWORD)):
        assert (result.returncode, result.stdout) == (1, "")
        assert f"{file}, line 2: the hash of carol" in result.stderr
        assert "remove the line" in result.stderr and "saltsalt" not in result.stderr
    file.write_text(good, encoding="utf-8")
    assert_done(user("add", "carol", "--team", "payments", password=PASSWORD))


# -- the command line

@pytest.mark.parametrize("arguments, word", [
    ([], "say what to do"),
    (["remove", "alice"], "remove"),
    (["add"], "NAME"),
    (["add", "alice", "--team", "Not A Team"], "Not A Team"),
    (["add", "al:ice"], "letters and digits"),
    (["team", "alice"], "--team"),
    (["add", "alice", "hunter2"], "--password-stdin"),
    (["passwd", "alice", "--password=hunter2"], "--password"),
])
def test_wrong_usage_ends_with_2_and_repeats_no_password(user, file, arguments, word):
    result = user(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert word in result.stderr and "hunter2" not in result.stderr
    assert not file.exists()


@pytest.mark.parametrize("password, word", [
    ("", "8 characters"), ("x" * 512, "511"), ("a\0b", "NUL")], ids=["empty", "long", "NUL"])
def test_unusable_passwords_are_refused(user, file, password, word):
    result = user("add", "alice", password=password)
    assert (result.returncode, result.stdout) == (1, "")
    assert word in result.stderr and "xxx" not in result.stderr
    assert not file.exists()


def test_without_a_terminal_the_way_out_is_told(user, file):
    result = user("add", "alice")
    assert (result.returncode, result.stdout) == (1, "")
    assert "--password-stdin" in result.stderr
    assert not file.exists()


def test_help_is_on_stdout_and_in_that_of_the_server(binary):
    for arguments, words in ((["user", "--help"], ["passwd", "--password-stdin", "--users-file"]),
                             (["--help"], ["pieroned user", "auth.users_file"])):
        result = subprocess.run([binary, *arguments], capture_output=True, text=True,
                                timeout=PATIENCE_S, check=False, env=clean_environment())
        assert (result.returncode, result.stderr) == (0, "")
        for word in words:
            assert word in result.stdout


def test_list_that_cannot_be_written_is_a_failure(binary, user, file):
    assert_done(user("add", "alice", password=PASSWORD))
    with open("/dev/full", "wb") as full:
        result = subprocess.run([binary, "user", "list", "--users-file", file], stdout=full,
                                stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False,
                                env=clean_environment())
    assert result.returncode == 1 and "cannot write" in result.stderr


# -- the prompt

def test_password_is_asked_for_twice_and_not_shown(terminal, user):
    with terminal("add", "alice", "--team", "payments") as asked:
        asked.wait_for("Password: ")
        assert asked.is_silent()
        asked.type(PASSWORD + "\n")
        asked.answer("The same again: ", PASSWORD)
        assert asked.wait() == 0
        assert asked.is_as_before()
    assert_done(user("list"), "NAME   TEAMS\nalice  payments\n")


def test_two_different_passwords_change_nothing(terminal, file):
    with terminal("add", "alice") as asked:
        asked.answer("Password: ", PASSWORD)
        asked.answer("The same again: ", OTHER_PASSWORD)
        assert asked.wait() == 1
        assert "differ" in asked.shown
        assert asked.is_as_before()
    assert not file.exists()


def test_end_of_input_at_the_prompt_is_told(terminal, file):
    with terminal("add", "alice") as asked:
        asked.answer("Password: ", "\4")
        assert asked.wait() == 1
        assert asked.is_as_before()
    assert not file.exists()


def test_signal_that_is_ignored_stays_so(terminal, user, file):
    with terminal("add", "alice", ignored=(signal.SIGHUP,)) as asked:
        asked.wait_for("Password: ")
        asked.process.send_signal(signal.SIGHUP)
        wait_until(lambda: not asked.has_pending(), "the signal to be seen")
        asked.type(PASSWORD + "\n")
        asked.answer("The same again: ", PASSWORD)
        assert asked.wait() == 0
        assert asked.is_as_before()
    assert file.exists()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_signals_leave_the_terminal_as_it_was(terminal, file, number):
    with terminal("passwd", "alice") as asked:
        asked.wait_for("Password: ")
        asked.type("half a passw")
        asked.process.send_signal(number)
        assert asked.wait() == -number
        assert asked.is_as_before()
        assert "half" not in asked.shown
    assert not file.exists()


def test_interrupting_by_key_leaves_the_terminal_as_it_was(terminal, file):
    with terminal("add", "alice") as asked:
        asked.answer("Password: ", PASSWORD)
        asked.wait_for("The same again: ")
        asked.type("\3")
        assert asked.wait() == -signal.SIGINT
        assert asked.is_as_before()
    assert not file.exists()


# -- a running server

def status_of(server, name, password):
    basic = base64.b64encode(f"{name}:{password}".encode()).decode()
    with Wire(server.connect()) as wire:
        return wire.ask(request("GET", "/v2/", f"Authorization: Basic {basic}")).status


@pytest.fixture
def server(user, file, start_server):
    assert_done(user("add", "alice", "--team", "payments", password=PASSWORD))
    return start_server({"auth": {"users_file": str(file)}})


def test_server_takes_the_password_and_no_other(server):
    assert status_of(server, "alice", PASSWORD) == 200
    assert status_of(server, "alice", OTHER_PASSWORD) == 401
    assert status_of(server, "bob", PASSWORD) == 401
    assert_no_secret(server.log_text())


def test_server_sees_changes_without_a_restart(server, user, file):
    assert status_of(server, "alice", PASSWORD) == 200
    assert_done(user("passwd", "alice", password=OTHER_PASSWORD))
    assert status_of(server, "alice", PASSWORD) == 401
    assert status_of(server, "alice", OTHER_PASSWORD) == 200
    assert_done(user("add", "bob", password=PASSWORD))
    assert status_of(server, "bob", PASSWORD) == 200
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text(lines[1], encoding="utf-8")
    assert status_of(server, "alice", OTHER_PASSWORD) == 401
    assert_no_secret(server.log_text())


def test_server_keeps_its_users_if_the_file_goes_wrong(server, file):
    good = file.read_text(encoding="utf-8")
    file.write_text("alice:abhfCpXqd4GrI:payments\n", encoding="utf-8")
    for _ in range(3):
        assert status_of(server, "alice", PASSWORD) == 200
    kept = server.wait_for_event("users_kept")
    assert len(kept) == 1 and "line 1" in kept[0]["message"]
    assert "abhfCpXqd4GrI" not in server.log_text()
    file.write_text(good.replace("alice", "carol"), encoding="utf-8")
    assert status_of(server, "alice", PASSWORD) == 401
    assert status_of(server, "carol", PASSWORD) == 200
