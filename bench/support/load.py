"""Runs the load generators and reads what they say."""

import contextlib
import json
import os
import pathlib
import subprocess

LUA = pathlib.Path(__file__).with_name("wrk.lua")
MARK = "BENCH "


def wrk(url, connections, seconds, artifacts=None, tags=None, authorization=None):
    """A closed loop: each connection asks again when it has its answer.

    With artifacts and tags, for one at random of what fill has made.
    """
    threads = min(connections, os.cpu_count())
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
               "-s", str(LUA), url]
    spread = {"BENCH_ARTIFACTS": str(artifacts), "BENCH_TAGS": str(tags)} if artifacts else {}
    header = {"BENCH_AUTHORIZATION": authorization} if authorization else {}
    return _run(command, {**spread, **header})


def generate(build, kind, **options):
    """The project's own generator, for what wrk cannot do (bench/load). A list gives several."""
    return _run([_tool(build, "load"), kind, *_words(options)], {})


def fill(build, database, artifacts, tags):
    return _run([_tool(build, "fill"), str(database), str(artifacts), str(tags)], {})


@contextlib.contextmanager
def held(build, **options):
    """Connections that stay for as long as this does; gives what opening them came to."""
    with subprocess.Popen([_tool(build, "load"), "hold", *_words(options)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            told = next((line for line in child.stdout if line.startswith(MARK)), None)
            if told is None:
                raise RuntimeError("load hold failed")
            yield json.loads(told[len(MARK):])
        finally:
            child.stdin.close()


def in_background(build, kind, **options):
    return subprocess.Popen([_tool(build, "load"), kind, *_words(options)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _tool(build, name):
    return os.path.join(build, "bench", name)


def _words(options):
    for name, value in options.items():
        for one in value if isinstance(value, (list, tuple)) else (value,):
            yield f"{name}={one}"


def _run(command, environment):
    done = subprocess.run(command, env={**os.environ, **environment}, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode != 0 or not lines:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(lines[-1][len(MARK):])
