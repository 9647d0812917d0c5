"""Rows over PostgreSQL: pushes beside SQLite and docker-registry, and a million tags."""

import functools
import os
import pathlib
import tempfile

from support import load
from support.instances import Instances
from support.rows import DOCKER_REGISTRIES, Goal, Row
from support.rows_growth import COST_FACTOR, FILLINGS, PAGE, QUICK_FILLINGS
from support.rows_growth import FEW as SQLITE_FEW
from support.rows_growth import MANY as SQLITE_MANY
from support.rows_read import WARM_UP_SECONDS, by_wrk, sample_requests, watched
from support.rows_write import push_images

SQLITE = "pieroned"
ONE = "pieroned, PostgreSQL"
THREE = "pieroned, PostgreSQL, three instances"
COUNTS = {ONE: 1, THREE: 3}
FEW = "pieroned, PostgreSQL, few tags"
MANY = "pieroned, PostgreSQL, many tags"
SQLITE_NAMES = {FEW: SQLITE_FEW, MANY: SQLITE_MANY}
CLIENTS = 64
CONNECTIONS = 16


def _scratch(bench, name):
    if name not in COUNTS:
        return bench.scratch(name)
    return Instances(pathlib.Path(tempfile.mkdtemp(dir=bench.folder)), COUNTS[name])


def _measure_scratch_pushes(bench, name):
    with _scratch(bench, name) as server:
        os.sync()
        return sample_requests(*watched(server, lambda: push_images(bench, server, CLIENTS)))


def grown(bench, name):
    """Filled once a run; pushes that come on top do not matter."""
    if name not in bench.grown:
        server = Instances(bench.folder / name.replace(" ", "-").replace(",", ""), 1)
        artifacts, tags = (QUICK_FILLINGS if bench.is_quick else FILLINGS)[SQLITE_NAMES[name]]
        with server:  # which makes the schema
            server.database.fill(artifacts, tags)
        bench.grown[name] = server
    return bench.grown[name]


def _measure_requests(path, bench, name):
    with grown(bench, name) as server:
        by_wrk(bench, server, path, CONNECTIONS, WARM_UP_SECONDS)
        return sample_requests(*watched(server, lambda: by_wrk(
            bench, server, path, CONNECTIONS, bench.seconds)))


def _measure_any(bench, name):
    """Pulls that are spread over all tags: among many, most ask the database."""
    artifacts, tags = (QUICK_FILLINGS if bench.is_quick else FILLINGS)[SQLITE_NAMES[name]]
    with grown(bench, name) as server:
        return sample_requests(*watched(server, lambda: load.wrk(
            server.url("/"), CONNECTIONS, bench.seconds, artifacts=artifacts,
            tags=tags // artifacts)))


def _measure_pushes(bench, name):
    with grown(bench, name) as server:
        return sample_requests(*watched(server, lambda: push_images(bench, server, CLIENTS)))


_costs = Goal(f"cost ≤ {COST_FACTOR}× that among few tags", 1 / COST_FACTOR, (FEW,), mine=MANY)


def _row(name, title, measure, unit="req/s", cpu_unit="µs/req", goals=(_costs,)):
    return Row(name, f"PostgreSQL: {title}", unit, cpu_unit, (FEW, MANY), measure, goals,
               needs_content=False)


def _requests(name, title, path):
    return _row(name, title, functools.partial(_measure_requests, path))


ROWS = (
    Row("postgres-push", f"small images pushed, durable, {CLIENTS} clients", "images/s", "µs/image",
        (*DOCKER_REGISTRIES, SQLITE, ONE, THREE), _measure_scratch_pushes,
        (Goal("three instances ≥ 5× docker-registry", 5, DOCKER_REGISTRIES, mine=THREE),
         Goal("one ≥ 0.7× SQLite", 0.7, (SQLITE,), mine=ONE)),
        needs_content=False),
    _requests("postgres-growth-pull", "manifest GET by tag", "/v2/team0/app0/manifests/1.0"),
    _requests("postgres-growth-latest", "manifest GET of latest", "/v2/team0/app0/manifests/latest"),
    _requests("postgres-growth-tags", f"page of {PAGE} tags", f"/v2/team0/app0/tags/list?n={PAGE}"),
    _requests("postgres-growth-catalog", f"page of {PAGE} of the catalog", f"/v2/_catalog?n={PAGE}"),
    _row("postgres-growth-pull-any", "manifest GET by tag, spread over all tags", _measure_any,
         goals=()),
    _row("postgres-growth-push", f"small images pushed, {CLIENTS} clients", _measure_pushes,
         "images/s", "µs/image"),
)
