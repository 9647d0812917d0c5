#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/contract/metadata_contract.h"
#include "tests/support/postgresql_server.h"

static struct postgresql_server *server;

/*
 * One database for all tests, since creating one and its tables takes longer than a test: as an
 * owner may, it is emptied past the triggers that refuse it.
 */
static const char empty_all[] =
    "begin; set local session_replication_role = replica;"
    "do $$ declare name text; begin "
    "for name in select tablename from pg_tables where schemaname = 'public' "
    "and tablename not in ('schema_version', 'schema_compatibility', "
    "'registry_sum_part') loop "
    "execute format('delete from %I', name); end loop; end $$;"
    "do $$ begin if to_regclass('registry_sum_part') is not null then "
    "update registry_sum_part set teams = 0, storage_bytes = 0; end if; end $$; commit";

static void begin(void)
{
    (void)postgresql_server_ask(server, empty_all);
}

static struct metadata *open_database(void)
{
    static struct database_settings settings;
    struct metadata *metadata = NULL;
    struct error err = {0};

    settings = (struct database_settings){.url = postgresql_server_url(server),
                                          .connections = 16,
                                          .prepared_statements = true,
                                          .timeout_ms = 10000,
                                          .retry_time_ms = 10000};
    if (metadata_open(&settings, NULL, &metadata, &err)) {
        fail_msg("%s", err.message);
    }
    return metadata;
}

static void end(void)
{
}

int main(void)
{
    static const struct metadata_driver driver = {begin, open_database, end};
    int failures = 0;

    if (!postgresql_is_installed()) {
        return POSTGRESQL_SKIPPED;
    }
    server = postgresql_server_new("fsync = off");
#ifdef THROUGH_PROXY
    if (!postgresql_proxy_is_installed()) {
        postgresql_server_free(server);
        return POSTGRESQL_SKIPPED;
    }
    postgresql_server_put_proxy(server);
#endif
    (void)postgresql_server_create(server);
    failures = metadata_contract_run(&driver);
    postgresql_server_free(server);
    return failures;
}
