"""The PostgreSQL, pgbouncer and nginx of the tests do what tests of several instances count on."""

import pytest

from support import nginx, pgbouncer
from support.nginx import LoadBalancer
from support.pgbouncer import PgBouncer
from support.postgres import Postgres
from support.registry_client import RegistryClient
from support.waiting import wait_until

TABLE = "create table kept (number integer primary key)"


def numbers(postgres, database):
    return [int(line) for line in postgres.ask("select * from kept order by 1", database).split()]


def insert(postgres, database, number):
    postgres.ask(f"insert into kept values ({number})", database)


@pytest.fixture
def database(primary_and_standby):
    name = primary_and_standby[0].create_database()
    primary_and_standby[0].ask(TABLE, name)
    return name


def test_databases_know_nothing_of_each_other(shared_postgres):
    first, second = (shared_postgres.create_database() for _ in range(2))
    shared_postgres.ask(TABLE, first)
    with pytest.raises(AssertionError, match="does not exist"):
        numbers(shared_postgres, second)
    for name in (first, second):
        shared_postgres.drop_database(name)


def test_standby_has_what_was_acknowledged(primary_and_standby, database):
    primary, standby = primary_and_standby
    for number in range(20):
        insert(primary, database, number)
    primary.kill()
    assert standby.is_standby()
    standby.promote()
    assert numbers(standby, database) == list(range(20))
    insert(standby, database, 20)


def test_nothing_is_acknowledged_without_the_standby(primary_and_standby, database):
    primary, standby = primary_and_standby
    standby.kill()
    waiting = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'"
    with primary.asking("insert into kept values (1)", database) as process:
        wait_until(lambda: primary.ask(waiting) == "1", "the commit to wait for the standby")
        assert process.poll() is None
        primary.kill()
    assert process.returncode != 0


def test_primary_becomes_read_only_for_those_who_are_connected(primary_and_standby, database):
    primary, _ = primary_and_standby
    with primary.asking(None, database) as session:
        session.stdin.write(b"insert into kept values (1);\n")
        session.stdin.flush()
        wait_until(lambda: numbers(primary, database) == [1], "the first statement")
        primary.configure(default_transaction_read_only="on")
        _, said = session.communicate(b"insert into kept values (2);\n")
    assert b"25006" in said and numbers(primary, database) == [1]


def test_killed_primary_starts_again_with_all_it_acknowledged():
    postgres = Postgres.new(is_durable=True)
    try:
        name = postgres.create_database()
        postgres.ask(TABLE, name)
        insert(postgres, name, 1)
        postgres.kill()
        postgres.start()
        assert numbers(postgres, name) == [1]
    finally:
        postgres.release()


def test_pgbouncer_refuses_what_transaction_mode_cannot_keep(shared_postgres):
    if not pgbouncer.is_installed():
        pytest.skip("pgbouncer is not installed: run script/install-dependencies test")
    name = shared_postgres.create_database()
    way = PgBouncer(shared_postgres)
    try:
        assert shared_postgres.ask_at(way.url(name), "select 7").stdout == "7\n"
        refused = shared_postgres.ask_at(way.url(name, options="-c statement_timeout=1000"),
                                         "select 7")
        assert "unsupported startup parameter" in refused.stderr
    finally:
        way.release()
        shared_postgres.drop_database(name)


@pytest.fixture
def balanced(start_server, request):
    if not nginx.is_installed():
        pytest.skip("nginx is not installed: run script/install-dependencies test")
    servers = [start_server() for _ in range(3)]
    balancer = LoadBalancer(servers)
    request.addfinalizer(balancer.release)
    return servers, balancer


def ask(balancer, count):
    with RegistryClient(balancer.port) as registry:
        return [registry.request("GET", "/v2/").status for _ in range(count)]


def test_requests_of_one_connection_go_round(balanced):
    servers, balancer = balanced
    assert ask(balancer, 30) == [200] * 30
    for server in servers:
        wait_until(lambda server=server: len(server.requests()) == 10, "its share of the requests")


def test_others_take_the_requests_of_one_that_was_killed(balanced):
    servers, balancer = balanced
    servers[0].kill()
    assert ask(balancer, 30) == [200] * 30
    servers[0].start()
    balancer.use(servers)
    wait_until(lambda: ask(balancer, 3) and servers[0].requests(), "it to be asked again")
