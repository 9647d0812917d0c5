"""Latency against load, as a picture and as a table."""

import pathlib
import subprocess

from support import load
from support.report import figure

CONNECTIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
QUICK_CONNECTIONS = (1, 4, 16, 64)


def sweep(url, seconds, is_quick):
    """(connections, requests a second, p50 and p99 in microseconds), one for each step."""
    for connections in QUICK_CONNECTIONS if is_quick else CONNECTIONS:
        told = load.wrk(url, connections, seconds)
        yield connections, told["requests"] / told["seconds"], told["p50_us"], told["p99_us"]


def table(curves):
    lines = ["| server | connections | req/s | p50 ms | p99 ms |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, points in curves.items():
        for connections, rate, p50_us, p99_us in points:
            lines.append(f"| {name} | {connections} | {figure(rate)} | {figure(p50_us / 1000)} |"
                         f" {figure(p99_us / 1000)} |")
            name = ""
    return "\n".join(lines)


def draw(curves, path, folder):
    """A PNG of 99th percentiles; a point for each number of connections."""
    data = pathlib.Path(folder) / "latency.data"
    most = max(connections for points in curves.values() for connections, *_ in points)
    blocks = []
    for name, points in curves.items():
        lines = [f"{rate} {p99_us / 1000}" for _, rate, _, p99_us in points]
        blocks.append("\n".join([f'"{name}"', *lines]))
    data.write_text("\n\n\n".join(blocks) + "\n", encoding="utf-8")
    script = f"""set terminal pngcairo size 900,600
set output "{path}"
set logscale xy
set grid
set rmargin 4
set key outside top center horizontal
set title "manifest GET: latency against load, 1 to {most} connections"
set xlabel "requests per second"
set ylabel "99th percentile, ms"
plot for [i=0:{len(curves) - 1}] "{data}" index i using 1:2 with linespoints title columnheader(1)
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
