#include "metadata/sql_postgresql_url.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"

enum { PORT_DEFAULT = 5432, PORT_MAX = 65535 };

/* NULL: it says nothing about that, or cannot be read. Borrowed from the options. */
static const char *url_find(const PQconninfoOption *options, const char *key)
{
    while (options && options->keyword && strcmp(options->keyword, key) != 0) {
        options++;
    }
    return options && options->val && options->val[0] != '\0' ? options->val : NULL;
}

static PQconninfoOption *url_parse(const char *url)
{
    char *message = NULL;
    PQconninfoOption *const options = PQconninfoParse(url, &message);

    PQfreemem(message); /* it repeats the URL */
    return options;
}

/* One list after the other, in one piece of memory. */
struct lists {
    char *hosts;
    char *addresses; /* NULL, as the next: none */
    char *ports;
    char *user;
};

static size_t length_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static char *url_append(char **end, const char *text)
{
    char *const begin = *end;

    if (!text) {
        return NULL;
    }
    memcpy(begin, text, length_of(text));
    *end += length_of(text);
    return begin;
}

static struct lists copy_lists(const PQconninfoOption *options, const char *user,
                               struct postgresql_servers *servers)
{
    const char *const address = url_find(options, "hostaddr");
    const char *const host = url_find(options, "host") ? url_find(options, "host") : address;
    const char *const port = url_find(options, "port");
    const char *const name = url_find(options, "user") ? url_find(options, "user") : user;
    struct lists lists;
    char *end = NULL;

    servers->memory =
        memory_new(length_of(host) + length_of(address) + length_of(port) + length_of(name) + 1, 1);
    end = servers->memory;
    lists.hosts = url_append(&end, host);
    lists.addresses = url_append(&end, address);
    lists.ports = url_append(&end, port);
    lists.user = url_append(&end, name);
    return lists;
}

/* The next of a list, which it ends there; an empty list goes on as it is. */
static const char *cut(char **list)
{
    return *list ? strsep(list, ",") : NULL;
}

static bool read_port(const char *text, uint16_t *port_out)
{
    char *end = NULL;
    const long port = text && text[0] != '\0' ? strtol(text, &end, 10) : PORT_DEFAULT;

    *port_out = (uint16_t)port;
    return (!end || *end == '\0') && port > 0 && port <= PORT_MAX;
}

static enum error_code read_server(struct lists *lists, bool has_one_port, const char *port,
                                   struct postgresql_server_address *address, struct error *err)
{
    address->server.host = cut(&lists->hosts);
    address->address = cut(&lists->addresses);
    address->server.user = lists->user;
    if (address->address && address->address[0] == '\0') {
        address->address = NULL;
    }
    if (!address->server.host || address->server.host[0] == '\0') {
        return error_set(err, ERROR_INVALID, "each server needs a host's name");
    }
    if (!read_port(has_one_port ? port : cut(&lists->ports), &address->server.port)) {
        return error_set(err, ERROR_INVALID, "each port must be a number from 1 to %d", PORT_MAX);
    }
    (void)snprintf(address->port_text, sizeof(address->port_text), "%u",
                   (unsigned)address->server.port);
    return OK;
}

static enum error_code read_servers(struct lists *lists, struct postgresql_servers *servers,
                                    struct error *err)
{
    const char *const port = lists->ports;
    const bool has_one_port = !port || !strchr(port, ',');
    enum error_code code = OK;

    if (!lists->user) {
        return error_set(err, ERROR_INVALID, "it needs a user, here or in database.user");
    }
    do {
        if (servers->count == POSTGRESQL_SERVERS_MAX) {
            return error_set(err, ERROR_INVALID, "at most %d servers can be named",
                             POSTGRESQL_SERVERS_MAX);
        }
        code = read_server(lists, has_one_port, port, &servers->servers[servers->count++], err);
    } while (!code && lists->hosts);
    return code;
}

enum error_code postgresql_servers_read(const char *url, const char *user,
                                        struct postgresql_servers *servers_out, struct error *err)
{
    PQconninfoOption *const options = url_parse(url);
    struct lists lists;
    enum error_code code = OK;

    *servers_out = (struct postgresql_servers){0};
    if (!options) {
        return error_set(err, ERROR_INVALID, "it is not a URL that libpq can read");
    }
    lists = copy_lists(options, user, servers_out);
    PQconninfoFree(options);
    code = read_servers(&lists, servers_out, err);
    if (code) {
        postgresql_servers_release(servers_out);
    }
    return code;
}

void postgresql_servers_release(struct postgresql_servers *servers)
{
    free(servers->memory);
    *servers = (struct postgresql_servers){0};
}

bool postgresql_url_demands_tls(const char *url)
{
    static const char *const modes[] = {"require", "verify-ca", "verify-full"};
    PQconninfoOption *const options = url_parse(url);
    const char *const said = url_find(options, "sslmode");
    const char *const mode = said ? said : getenv("PGSSLMODE");
    const char *const host = url_find(options, "host");
    bool demands_it = false;

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        demands_it = demands_it || (mode && strcmp(mode, modes[i]) == 0);
    }
    demands_it = demands_it && (!host || !strpbrk(host, "/@")); /* a socket has none */
    PQconninfoFree(options);
    return demands_it;
}

bool postgresql_url_has_password(const char *url)
{
    PQconninfoOption *const options = url_parse(url);
    const bool has_one = url_find(options, "password") != NULL;

    PQconninfoFree(options);
    return has_one;
}
