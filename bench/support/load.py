"""Runs the load generators and reads what they say."""

import json
import os
import pathlib
import subprocess

LUA = pathlib.Path(__file__).with_name("wrk.lua")
MARK = "BENCH "


def wrk(url, connections, seconds, method="GET"):
    """A closed loop: each connection asks again when it has its answer."""
    threads = min(connections, os.cpu_count())
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
               "-s", str(LUA), url]
    return _run(command, {"BENCH_METHOD": method})


def generator(build, *arguments):
    """The project's own generator, for what wrk cannot do (bench/load_*.c)."""
    return _run([os.path.join(build, "bench", "load"), *map(str, arguments)], {})


def _run(command, environment):
    done = subprocess.run(command, env={**os.environ, **environment}, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lines = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode != 0 or not lines:
        raise RuntimeError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(lines[-1][len(MARK):])
