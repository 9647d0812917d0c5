"""Rows that compare pieroned on a nearly empty registry with pieroned among a million tags."""

import functools

from support import load, servers
from support.rows import Goal, Row, Sample
from support.rows_read import WARM_UP_SECONDS, by_wrk, sample_requests, watched
from support.rows_write import push_images

FEW = "pieroned, few tags"
MANY = "pieroned, many tags"
PAGE = 10  # so that pages of both are full
FILLINGS = {FEW: (PAGE, PAGE * PAGE), MANY: (10_000, 1_000_000)}
QUICK_FILLINGS = {**FILLINGS, MANY: (10_000, 100_000)}
COST_FACTOR = 1.5
CONNECTIONS = 16


def _server(bench, name):
    """Filled once a run, since that takes minutes; pushes that come on top do not matter."""
    if name not in bench.grown:
        server = servers.Pieroned(bench.folder / name.replace(" ", "-").replace(",", ""))
        server.start()  # makes the folder as a server has it
        server.stop()
        artifacts, tags = (QUICK_FILLINGS if bench.is_quick else FILLINGS)[name]
        load.fill(bench.build, server.folder / "data/metadata.sqlite", artifacts, tags)
        bench.grown[name] = server
    return bench.grown[name]


def _measure_requests(path, bench, name):
    with _server(bench, name) as server:
        by_wrk(bench, server, path, CONNECTIONS, WARM_UP_SECONDS)
        return sample_requests(*watched(server, lambda: by_wrk(
            bench, server, path, CONNECTIONS, bench.seconds)))


def _measure_any(bench, name):
    """Pulls that are spread over all tags: no cache holds them all."""
    artifacts, tags = (QUICK_FILLINGS if bench.is_quick else FILLINGS)[name]
    with _server(bench, name) as server:
        url = f"http://127.0.0.1:{server.port}/"
        return sample_requests(*watched(server, lambda: load.wrk(
            url, CONNECTIONS, bench.seconds, artifacts=artifacts, tags=tags // artifacts)))


def _measure_pushes(bench, name):
    with _server(bench, name) as server:
        return sample_requests(*watched(server, lambda: push_images(bench, server)))


def _measure_ready(bench, name):
    with _server(bench, name) as server:
        return Sample(server.ready_seconds * 1000, memory_mb=server.process.resident_mb())


_costs = Goal(f"cost ≤ {COST_FACTOR}× that among few tags", 1 / COST_FACTOR, (FEW,), mine=MANY)
_memory = Goal(f"memory ≤ {COST_FACTOR}× that among few tags", COST_FACTOR, (FEW,), "memory_mb",
               False, MANY)


def _row(name, title, measure, unit="req/s", cpu_unit="µs/req", goals=(_costs, _memory)):
    return Row(name, title, unit, cpu_unit, (FEW, MANY), measure, goals, needs_content=False)


def _requests(name, title, path):
    return _row(name, title, functools.partial(_measure_requests, path))


ROWS = (
    _requests("growth-pull", "manifest GET by tag", "/v2/team0/app0/manifests/1.0"),
    _requests("growth-latest", "manifest GET of latest", "/v2/team0/app0/manifests/latest"),
    _requests("growth-tags", f"page of {PAGE} tags", f"/v2/team0/app0/tags/list?n={PAGE}"),
    _requests("growth-catalog", f"page of {PAGE} of the catalog", f"/v2/_catalog?n={PAGE}"),
    _row("growth-pull-any", "manifest GET by tag, spread over all tags", _measure_any, goals=()),
    _row("growth-push", "small images pushed, 16 clients", _measure_pushes, "images/s", "µs/image"),
    _row("growth-ready", "ready after start", _measure_ready, "ms", "",
         (Goal("≤ 20 ms", 20, (), "value", False, MANY),)),
)
