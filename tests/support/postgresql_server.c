#include "tests/support/postgresql_server.h"

#include <assert.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "tests/support/temporary_folder.h"

enum { PATH_BYTES = 512, START_MS = 60 * 1000, PAUSE_MS = 20 };

struct postgresql_server {
    char *folder;
    pid_t pid;
    pid_t proxy_pid; /* 0: none */
    unsigned databases;
    char url[2 * PATH_BYTES];
    char answer[PATH_BYTES];
};

/* The newest that is installed. */
static bool find_programs(char path_out[PATH_BYTES])
{
    glob_t found = {0};
    const bool is_found = glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) == 0;

    if (is_found) {
        (void)snprintf(path_out, PATH_BYTES, "%s", found.gl_pathv[found.gl_pathc - 1]);
    }
    globfree(&found);
    return is_found;
}

bool postgresql_is_installed(void)
{
    char path[PATH_BYTES];

    return find_programs(path);
}

/* PostgreSQL refuses to be run by root. */
static const struct passwd *find_user(void)
{
    const struct passwd *user = getpwnam("postgres");

    return user ? user : getpwnam("nobody");
}

/* In the child. */
static _Noreturn void become(const char *folder, const char *program, char *const *words)
{
    char path[2 * PATH_BYTES];
    char programs[PATH_BYTES];
    const struct passwd *user = find_user();
    const int log = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (getuid() == 0 &&
        (setgroups(0, NULL) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)) {
        _exit(1);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGQUIT);
    (void)dup2(log, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    if (chdir(folder) < 0 || !find_programs(programs)) {
        _exit(1);
    }
    (void)snprintf(path, sizeof(path), "%s/%s", program[0] == '/' ? "" : programs, program);
    (void)execv(path, words);
    _exit(1);
}

static pid_t spawn(const char *folder, const char *program, char *const *words)
{
    const pid_t pid = fork();

    assert(pid >= 0);
    if (pid == 0) {
        become(folder, program, words);
    }
    return pid;
}

static void create_cluster(const struct postgresql_server *server, const char *settings)
{
    char program[] = "initdb";
    char *words[] = {program,
                     (char[]){"-D"},
                     (char[]){"db"},
                     (char[]){"-U"},
                     (char[]){"pierone"},
                     (char[]){"-A"},
                     (char[]){"trust"},
                     (char[]){"-E"},
                     (char[]){"UTF8"},
                     (char[]){"--locale=C.UTF-8"},
                     (char[]){"--no-sync"},
                     NULL};
    char path[PATH_BYTES];
    FILE *file = NULL;
    int status = 0;

    assert(waitpid(spawn(server->folder, program, words), &status, 0) > 0);
    assert(status == 0);
    (void)snprintf(path, sizeof(path), "%s/db/postgresql.conf", server->folder);
    file = fopen(path, "ae");
    assert(file);
    (void)fprintf(file,
                  "listen_addresses = ''\nunix_socket_directories = '%s'\nmax_connections = 200\n"
                  "shared_buffers = 32MB\n%s\n",
                  server->folder, settings);
    (void)fclose(file);
}

struct postgresql_server *postgresql_server_new(const char *settings)
{
    struct postgresql_server *server = memory_new(1, sizeof(*server));
    const struct passwd *user = find_user();

    server->folder = temporary_folder_new();
    if (getuid() == 0) {
        assert(chown(server->folder, user->pw_uid, user->pw_gid) == 0);
    }
    create_cluster(server, settings);
    postgresql_server_start(server);
    return server;
}

static void set_url(struct postgresql_server *server, const char *database)
{
    (void)snprintf(server->url, sizeof(server->url), "postgresql://pierone@/%s?host=%s%s", database,
                   server->folder, server->proxy_pid > 0 ? "&port=6432" : "");
}

void postgresql_server_start(struct postgresql_server *server)
{
    char program[] = "postgres";
    char *words[] = {program, (char[]){"-D"}, (char[]){"db"}, NULL};
    const int64_t deadline_ms = clock_monotonic_ms(&clock_system) + START_MS;
    char url[PATH_BYTES];

    (void)snprintf(url, sizeof(url), "postgresql://pierone@/postgres?host=%s", server->folder);
    server->pid = spawn(server->folder, program, words);
    while (PQping(url) != PQPING_OK) {
        assert(clock_monotonic_ms(&clock_system) < deadline_ms);
        assert(waitpid(server->pid, NULL, WNOHANG) == 0);
        clock_pause(PAUSE_MS);
    }
}

/* Its children follow it: to the last one, so that the next server finds the folder free. */
void postgresql_server_kill(struct postgresql_server *server)
{
    (void)kill(server->pid, SIGQUIT);
    (void)waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void postgresql_server_free(struct postgresql_server *server)
{
    if (server) {
        if (server->proxy_pid > 0) {
            (void)kill(server->proxy_pid, SIGTERM);
            (void)waitpid(server->proxy_pid, NULL, 0);
        }
        if (server->pid > 0) {
            postgresql_server_kill(server);
        }
        temporary_folder_free(server->folder);
        free(server);
    }
}

static const char proxy_program[] = "/usr/sbin/pgbouncer";

bool postgresql_proxy_is_installed(void)
{
    return access(proxy_program, X_OK) == 0;
}

void postgresql_server_put_proxy(struct postgresql_server *server)
{
    char program[] = "/usr/sbin/pgbouncer";
    char *words[] = {program, (char[]){"-q"}, (char[]){"pgbouncer.ini"}, NULL};
    const int64_t deadline_ms = clock_monotonic_ms(&clock_system) + START_MS;
    char text[2 * PATH_BYTES];
    FILE *file = NULL;

    (void)snprintf(text, sizeof(text), "%s/pgbouncer.ini", server->folder);
    file = fopen(text, "we");
    assert(file);
    (void)fprintf(file,
                  "[databases]\n* = host=%s user=pierone\n[pgbouncer]\nlisten_port = 6432\n"
                  "unix_socket_dir = %s\nauth_type = any\npool_mode = transaction\n"
                  "max_client_conn = 500\ndefault_pool_size = 8\n",
                  server->folder, server->folder);
    (void)fclose(file);
    (void)chmod(text, 0644);
    server->proxy_pid = spawn(server->folder, program, words);
    (void)snprintf(text, sizeof(text), "postgresql://pierone@/postgres?host=%s&port=6432",
                   server->folder);
    while (PQping(text) != PQPING_OK) {
        assert(clock_monotonic_ms(&clock_system) < deadline_ms);
        clock_pause(PAUSE_MS);
    }
}

const char *postgresql_server_create(struct postgresql_server *server)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "create database test%u", ++server->databases);
    set_url(server, "postgres");
    (void)postgresql_server_ask(server, text);
    (void)snprintf(text, sizeof(text), "test%u", server->databases);
    set_url(server, text);
    return server->url;
}

const char *postgresql_server_folder(const struct postgresql_server *server)
{
    return server->folder;
}

const char *postgresql_server_url(const struct postgresql_server *server)
{
    return server->url;
}

const char *postgresql_server_ask(struct postgresql_server *server, const char *text)
{
    PGconn *handle = PQconnectdb(server->url);
    PGresult *result = PQexec(handle, text);
    const ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        (void)fprintf(stderr, "%s: %s\n", text, PQerrorMessage(handle));
        abort();
    }
    (void)snprintf(server->answer, sizeof(server->answer), "%s",
                   PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(handle);
    return server->answer;
}
