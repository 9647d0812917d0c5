"""Where the servers of a run of tests keep their metadata: what pytest's --database says."""

import contextlib

from .pgbouncer import PgBouncer
from .postgres import Postgres

KINDS = ("sqlite", "postgresql", "pgbouncer")


class OwnFile:
    """Of each server, in its folder."""

    def create(self):
        return None

    def drop(self, database):
        pass

    def settings(self, database):
        return {}


class OwnDatabase:
    """Of each server, in one PostgreSQL; `way` is that, or what is in front of it."""

    def __init__(self, postgres, way=None):
        self.postgres = postgres
        self.way = way or postgres

    def create(self):
        return self.postgres.create_database()

    def drop(self, database):
        self.postgres.drop_database(database)

    def settings(self, database):
        return {"database": {"url": self.way.url(database)}}


@contextlib.contextmanager
def of_kind(kind, is_durable=False):
    with contextlib.ExitStack() as stack:
        if kind == "sqlite":
            yield OwnFile()
            return
        postgres = Postgres.new(is_durable)
        stack.callback(postgres.release)
        way = None
        if kind == "pgbouncer":
            way = PgBouncer(postgres)
            stack.callback(way.release)
        yield OwnDatabase(postgres, way)
