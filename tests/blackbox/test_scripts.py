"""The commands that the README names, as a newcomer runs them. They build what is not built yet."""

import contextlib
import re
import signal
import socket
import subprocess

import pytest

from support.clients import SYSTEM_PATH, clean_environment
from support.server import LISTENING, ROOT
from support.waiting import wait_until

# A build from nothing on a small machine may be part of it.
BUILD_PATIENCE_S = 300


def run_script(*arguments):
    return subprocess.run(arguments, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=BUILD_PATIENCE_S, check=False)


@contextlib.contextmanager
def running_script(folder, *arguments):
    """script/server with ARGS for the server; yields what it has said so far, as a function."""
    log_file = folder / "script-server.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen([ROOT / "script/server", "--", *arguments], cwd="/",
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield lambda: log_file.read_text(encoding="utf-8")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(BUILD_PATIENCE_S) == 0, log_file.read_text(encoding="utf-8")


def wait_for_port(said):
    def find():
        match = re.search(r'"event":"started".*' + LISTENING.pattern, said())
        return match and match.group(1)

    return wait_until(find, "script/server to listen", BUILD_PATIENCE_S)


@pytest.mark.parametrize("script", ["script/server", "script/test", "script/install-dependencies"])
def test_script_says_what_it_does(script):
    result = run_script(ROOT / script, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"Usage: {script}")


@pytest.mark.parametrize("script", ["script/server", "script/test", "script/install-dependencies"])
def test_script_refuses_what_it_does_not_know(script):
    result = run_script(ROOT / script, "--no-such-option")
    assert (result.returncode, result.stdout) == (2, "")
    assert "Usage" in result.stderr


def test_arguments_go_to_the_server():
    result = run_script(ROOT / "script/server", "--", "--version")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("pieroned ")


def test_second_server_says_that_the_port_is_taken(client_folder):
    with running_script(client_folder, "--listen", "127.0.0.1:0",
                        "--data", client_folder / "data") as said:
        port = wait_for_port(said)
        result = run_script(ROOT / "script/server", "--", "--listen", f"127.0.0.1:{port}",
                            "--data", client_folder / "other")
        assert result.returncode == 1
        assert port in result.stderr and "in use" in result.stderr


def free_port():
    """A port that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def printed_commands(text, program):
    return [line.strip() for line in text.splitlines()
            if line.startswith("  ") and program in line]


def run_as_printed(commands, environment):
    for command in commands:
        result = subprocess.run(["sh", "-eu", "-c", command], env=environment, capture_output=True,
                                text=True, check=False)
        assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"


def test_docker_commands_work_as_printed(client_folder, docker_daemon):
    port = free_port()
    with running_script(client_folder, "--listen", f"127.0.0.1:{port}",
                        "--data", client_folder / "data") as said:
        wait_for_port(said)
        commands = printed_commands(said(), "docker ")
        assert len(commands) == 2
        run_as_printed(commands, {**docker_daemon.environment, "PATH": SYSTEM_PATH,
                                  "DOCKER_HOST": docker_daemon.socket})
        docker_daemon.docker.run("rmi", f"localhost:{port}/team/app:1.0")
        docker_daemon.docker.run("pull", f"localhost:{port}/team/app:1.0")


def podman_environment(folder):
    """What the `podman` fixture says by options, for a plain `podman`."""
    storage, containers = folder / "storage.conf", folder / "containers.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/root"\n'
                       f'runroot = "{folder}/run"\n', encoding="utf-8")
    containers.write_text(f'[engine]\ntmp_dir = "{folder}/tmp"\nevents_logger = "none"\n'
                          'cgroup_manager = "cgroupfs"\n', encoding="utf-8")
    return clean_environment(folder / "home", TMPDIR=str(folder), PATH=SYSTEM_PATH,
                             CONTAINERS_STORAGE_CONF=str(storage), CONTAINERS_CONF=str(containers))


def test_podman_commands_work_as_printed(client_folder, podman):
    port = free_port()
    with running_script(client_folder, "--listen", f"127.0.0.1:{port}",
                        "--data", client_folder / "data") as said:
        wait_for_port(said)
        commands = printed_commands(said(), "podman ")
        assert len(commands) == 2
        run_as_printed(commands, podman_environment(client_folder))
        podman.run("rmi", f"localhost:{port}/team/app:1.0")
        podman.run("pull", "--tls-verify=false", f"localhost:{port}/team/app:1.0")
