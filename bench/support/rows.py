"""What a row of the table is: how something is measured on one server, and what is aimed at."""

import dataclasses

DOCKER_REGISTRIES = ("docker-registry", "docker-registry GOGC=800")
NGINX = ("nginx",)
NEWER_REGISTRIES = ("distribution 3", "zot")  # measured where their programs are (servers.py)
ALL_SERVERS = (*DOCKER_REGISTRIES, *NEWER_REGISTRIES, *NGINX, "pieroned")
REGISTRIES = (*DOCKER_REGISTRIES, *NEWER_REGISTRIES, "pieroned")
# Over TLS docker-registry is there at its best only.
TLS_REGISTRIES = (DOCKER_REGISTRIES[-1], *NEWER_REGISTRIES, "pieroned")
TLS_SERVERS = (*TLS_REGISTRIES[:-1], *NGINX, "pieroned")


@dataclasses.dataclass
class Sample:
    """One measurement. Figures that make no sense for a row are None."""

    value: float
    cpu: float | None = None
    memory_mb: float | None = None
    p50_us: float | None = None
    p99_us: float | None = None
    failed: int = 0


@dataclasses.dataclass
class Goal:
    """A median against the best of others, or against a figure (others empty).

    `of` is the field of a sample that is compared.
    """

    text: str
    factor: float
    against: tuple = ()
    of: str = "value"
    is_more_better: bool = True
    mine: str = "pieroned"


@dataclasses.dataclass
class Row:
    name: str
    title: str
    unit: str
    cpu_unit: str
    servers: tuple
    measure: object  # (bench, server's name) -> Sample; starts and stops the server
    goals: tuple = ()
    needs_content: bool = True  # on the servers that bench keeps filled


def at_least(factor, against):
    return Goal(f"≥ {factor}× {_short(against)}", factor, against)


def cpu_at_most(factor, against):
    return Goal(f"CPU ≤ {factor:.2g}× {_short(against)}", factor, against, "cpu", False)


def at_most(figure, unit):
    return Goal(f"≤ {figure} {unit}", figure, (), "value", False)


# For all tests of the table.
MEMORY_GOAL = Goal("memory ≤ 64 MB", 64, (), "memory_mb", False)


def _short(against):
    known = {DOCKER_REGISTRIES: "docker-registry", NEWER_REGISTRIES: "the best registry",
             (*NEWER_REGISTRIES, *NGINX): "the best of all"}
    return known.get(against) or " and ".join(against)
