#include "server/user_command.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "auth/users_file.h"
#include "base/password_prompt.h"
#include "server/process.h"
#include "server/settings.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, TEAMS_MAX_BYTES = 16 * 1024 };

enum option_code { OPTION_TEAM = 256, OPTION_USERS_FILE, OPTION_PASSWORD_STDIN, OPTION_HELP };

struct verb;

/* What is to be done. Texts are borrowed from argv. */
struct wish {
    const struct verb *verb;
    const char *name;
    const char *config_file;
    const char *users_file;
    struct strbuf teams; /* one a line */
    bool has_teams;
    bool password_stdin;
    bool help;
    char *const *environment;
    struct settings settings; /* where users_file may come from */
};

struct verb {
    const char *name;
    bool takes_name;
    bool needs_teams;
    enum error_code (*run)(struct wish *wish, struct error *err);
};

static enum error_code need_password(const struct wish *wish, struct strbuf *password,
                                     struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf again;
    enum error_code code = OK;

    strbuf_init_secret(&again, PASSWORD_MAX_BYTES);
    if (wish->password_stdin) {
        return password_read_line(password, err);
    }
    code = password_prompt("Password", password, err);
    if (!code) {
        code = password_prompt("The same again", &again, err);
    }
    if (!code && !str_equal(strbuf_str(password), strbuf_str(&again))) {
        code = error_set(err, ERROR_INVALID, "the two passwords differ: nothing was changed");
    }
    return code;
}

static enum error_code need_hash(const struct wish *wish, char hash_out[PASSWORD_HASH_BYTES],
                                 struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf password;
    enum error_code code = OK;

    hash_out[0] = '\0';
    strbuf_init_secret(&password, PASSWORD_MAX_BYTES);
    code = need_password(wish, &password, err);
    return code ? code : password_hash(password.text, hash_out, err);
}

static enum error_code run_add(struct wish *wish, struct error *err)
{
    char hash[PASSWORD_HASH_BYTES];
    struct user user = {.name = str_from(wish->name), .teams = strbuf_str(&wish->teams)};
    enum error_code code = need_hash(wish, hash, err);

    user.hash = str_from(hash);
    if (!code) {
        code = users_file_update(wish->users_file, &user, USERS_ADD, err);
    }
    explicit_bzero(hash, sizeof(hash));
    return code;
}

static enum error_code run_passwd(struct wish *wish, struct error *err)
{
    char hash[PASSWORD_HASH_BYTES];
    struct user user = {.name = str_from(wish->name)};
    enum error_code code = need_hash(wish, hash, err);

    user.hash = str_from(hash);
    if (wish->has_teams) {
        user.teams = strbuf_str(&wish->teams);
    }
    if (!code) {
        code = users_file_update(wish->users_file, &user, USERS_CHANGE, err);
    }
    explicit_bzero(hash, sizeof(hash));
    return code;
}

static enum error_code run_team(struct wish *wish, struct error *err)
{
    const struct user user = {.name = str_from(wish->name), .teams = strbuf_str(&wish->teams)};

    return users_file_update(wish->users_file, &user, USERS_CHANGE, err);
}

static void print_user(const struct user *user, size_t width)
{
    struct str teams = user->teams;
    struct str team;
    const char *separator = "  ";

    (void)printf("%-*.*s", teams.length > 0 ? (int)width : 0, STR_FORMAT(user->name));
    while (teams.length > 0 && str_cut(&teams, '\n', &team)) {
        (void)printf("%s%.*s", separator, STR_FORMAT(team));
        separator = ",";
    }
    (void)putchar('\n');
}

static enum error_code run_list(struct wish *wish, struct error *err)
{
    CLEANUP(strbuf_release) struct strbuf text;
    struct users_file file = {0};
    struct error reason = {0};
    size_t width = sizeof("NAME") - 1;
    enum error_code code = OK;

    strbuf_init_secret(&text, USERS_FILE_MAX_BYTES);
    code = users_file_read(wish->users_file, &text, err);
    if (!code && users_file_parse(strbuf_str(&text), &file, &reason)) {
        code = error_set(err, ERROR_INVALID, "%s, %s", wish->users_file, reason.message);
    }
    for (size_t i = 0; i < file.count; i++) {
        width = file.users[i].name.length > width ? file.users[i].name.length : width;
    }
    if (!code) {
        (void)printf("%-*s  TEAMS\n", (int)width, "NAME");
    }
    for (size_t i = 0; !code && i < file.count; i++) {
        print_user(&file.users[i], width);
    }
    users_file_release(&file);
    if (!code && (fflush(stdout) != 0 || ferror(stdout))) {
        code = error_set_errno(err, "cannot write the list");
    }
    return code;
}

static const struct verb verbs[] = {
    {"add", true, false, run_add},
    {"passwd", true, false, run_passwd},
    {"team", true, true, run_team},
    {"list", false, false, run_list},
};

static const struct verb *find_verb(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (str_is(name, verbs[i].name)) {
            return &verbs[i];
        }
    }
    return NULL;
}

static enum error_code user_command_add_team(const char *team, struct wish *wish, struct error *err)
{
    const enum error_code code = user_team_check(str_from(team), err);

    strbuf_append_text(&wish->teams, team);
    strbuf_append_byte(&wish->teams, '\n');
    wish->has_teams = true;
    if (!code && wish->teams.is_truncated) {
        return error_set(err, ERROR_INVALID, "these are too many teams");
    }
    return code;
}

/* Of a word that is not understood, the value is not repeated: it may be a password. */
static enum error_code user_command_refuse_option(const char *word, struct error *err)
{
    const struct str name = str_slice(str_from(word), 0, str_index_of(str_from(word), '='));

    if (optopt >= OPTION_TEAM) {
        return error_set(err, ERROR_INVALID, "%.*s takes no value", STR_FORMAT(name));
    }
    if (optopt != 0) {
        return error_set(err, ERROR_INVALID, "unknown option \"-%c\"", optopt);
    }
    return error_set(err, ERROR_INVALID, "unknown option \"%.*s\"", STR_FORMAT(name));
}

static enum error_code user_command_take_option(int option, const char *word, struct wish *wish,
                                                struct error *err)
{
    switch (option) {
    case 'c':
        wish->config_file = optarg;
        return OK;
    case OPTION_USERS_FILE:
        wish->users_file = optarg;
        return OK;
    case OPTION_TEAM:
        return user_command_add_team(optarg, wish, err);
    case OPTION_PASSWORD_STDIN:
        wish->password_stdin = true;
        return OK;
    case 'h':
    case OPTION_HELP:
        wish->help = true;
        return OK;
    case ':':
        return error_set(err, ERROR_INVALID, "%s needs a value", word);
    default:
        return user_command_refuse_option(word, err);
    }
}

static enum error_code take_words(int argc, char *const argv[], struct wish *wish,
                                  struct error *err)
{
    const struct verb *verb = NULL;
    int expected = 1;

    if (argc == 0) {
        return error_set(err, ERROR_INVALID, "say what to do: add, passwd, team or list");
    }
    verb = find_verb(str_from(argv[0]));
    wish->verb = verb;
    if (!verb) {
        return error_set(err, ERROR_INVALID, "\"%s\" is none of add, passwd, team and list",
                         argv[0]);
    }
    expected += verb->takes_name ? 1 : 0;
    if (argc < expected) {
        return error_set(err, ERROR_INVALID, "%s needs the NAME of a user", verb->name);
    }
    if (argc > expected) {
        return error_set(err, ERROR_INVALID,
                         "%s takes fewer arguments; a password is never one: it is asked for, or "
                         "read with --password-stdin",
                         verb->name);
    }
    if (verb->needs_teams && !wish->has_teams) {
        return error_set(err, ERROR_INVALID, "%s needs --team, once for each team", verb->name);
    }
    wish->name = verb->takes_name ? argv[1] : NULL;
    return wish->name ? user_name_check(str_from(wish->name), err) : OK;
}

static enum error_code user_command_parse(int argc, char *const argv[], struct wish *wish,
                                          struct error *err)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"users-file", required_argument, NULL, OPTION_USERS_FILE},
        {"team", required_argument, NULL, OPTION_TEAM},
        {"password-stdin", no_argument, NULL, OPTION_PASSWORD_STDIN},
        {"help", no_argument, NULL, OPTION_HELP},
        {0},
    };
    int option = 0;

    opterr = 0; /* the messages are ours */
    optind = 0;
    while ((option = getopt_long(argc, argv, ":c:h", longs, NULL)) != -1) {
        const enum error_code code = user_command_take_option(option, argv[optind - 1], wish, err);

        if (code) {
            return code;
        }
    }
    return wish->help ? OK : take_words(argc - optind, argv + optind, wish, err);
}

static int user_command_fail_usage(const struct error *err)
{
    (void)fprintf(stderr, "pieroned user: %s\nTry 'pieroned user --help'.\n", err->message);
    return EXIT_USAGE;
}

static void user_command_append_help(struct strbuf *buf)
{
    strbuf_append_text(
        buf, "usage: pieroned user add NAME [--team TEAM]... [OPTION]...\n"
             "       pieroned user passwd NAME [OPTION]...\n"
             "       pieroned user team NAME --team TEAM... [OPTION]...\n"
             "       pieroned user list [OPTION]...\n"
             "Makes and changes the file of local users. A running server sees changes by itself.\n"
             "\n"
             "  add       a new user, who may push to these teams' repositories\n"
             "  passwd    a new password\n"
             "  team      other teams, instead of those before\n"
             "  list      all users and their teams\n"
             "\n"
             "      --team TEAM        once for each team\n"
             "      --password-stdin   read the password from the first line of standard input\n"
             "      --users-file FILE  the file; default: the setting auth.users_file\n"
             "  -c, --config FILE      read that setting from this file\n"
             "  -h, --help             print this\n"
             "\n"
             "Exit status: 0 done, 1 failed, 2 wrong usage.\n");
}

static int user_command_print_help(void)
{
    CLEANUP(strbuf_release) struct strbuf text;

    strbuf_init(&text, TEAMS_MAX_BYTES);
    user_command_append_help(&text);
    return fputs(text.text, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
}

/* The flag's, else the settings'. */
static enum error_code find_users_file(struct wish *wish, struct error *err)
{
    const struct settings_sources sources = {.file = wish->config_file,
                                             .environment = wish->environment};
    struct settings loaded;
    CLEANUP(problems_release) struct problems problems;
    struct str rest;
    struct str line;

    problems_init(&problems);
    if (wish->users_file) {
        return OK;
    }
    if (settings_load(&sources, &loaded, &problems)) {
        rest = problems_lines(&problems);
        (void)str_cut(&rest, '\n', &line);
        return error_set(err, ERROR_INVALID, "%.*s", STR_FORMAT(line));
    }
    settings_release(&wish->settings);
    wish->settings = loaded;
    wish->users_file = loaded.auth.users_file;
    if (!wish->users_file) {
        return error_set(err, ERROR_INVALID,
                         "no file of users is set: give --users-file FILE, or -c FILE with "
                         "auth.users_file in it");
    }
    return OK;
}

static int user_command_do(struct wish *wish, int argc, char *const argv[])
{
    struct error err = {0};

    if (user_command_parse(argc, argv, wish, &err)) {
        return user_command_fail_usage(&err);
    }
    if (wish->help) {
        return user_command_print_help();
    }
    if (find_users_file(wish, &err) || wish->verb->run(wish, &err)) {
        (void)fprintf(stderr, "pieroned user: %s\n", err.message);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

int user_command_run(int argc, char *const argv[], char *const *environment)
{
    struct wish wish = {.environment = environment};
    int status = 0;

    process_keep_memory_private(); /* it will hold passwords */
    strbuf_init(&wish.teams, TEAMS_MAX_BYTES);
    settings_init(&wish.settings);
    status = user_command_do(&wish, argc, argv);
    settings_release(&wish.settings);
    strbuf_release(&wish.teams);
    return status;
}
