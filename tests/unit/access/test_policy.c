#include "access/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Says the same to whoever asks, and counts. */
struct oracle {
    enum error_code answer;
    int questions;
};

static enum error_code ask_oracle(void *context, const struct identity *identity, struct str team,
                                  struct error *err)
{
    struct oracle *oracle = context;

    assert_non_null(identity);
    assert_true(team.length > 0);
    oracle->questions++;
    return oracle->answer == OK ? OK : error_set(err, oracle->answer, "the oracle says so");
}

/* One caller and what he wants. */
struct situation {
    bool is_nobody; /* the identity is NULL */
    enum identity_kind kind;
    const char *scopes;
    const char *teams;
    enum error_code oracle;
    const char *team;
    enum policy_action action;
};

struct verdict {
    enum error_code code;
    int questions;
    struct error err;
};

static struct verdict judge(const struct situation *situation)
{
    const struct identity identity = {
        .kind = situation->kind,
        .name = STR_LITERAL("jdoe"),
        .scopes = str_from(situation->scopes),
        .teams = str_from(situation->teams),
        .expires_ms = INT64_MAX,
    };
    struct oracle oracle = {situation->oracle, 0};
    const struct policy_lookup lookup = {ask_oracle, &oracle};
    struct verdict verdict = {.code = OK};

    verdict.code = policy_decide(situation->is_nobody ? NULL : &identity, situation->action,
                                 str_from(situation->team), &lookup, &verdict.err);
    verdict.questions = oracle.questions;
    return verdict;
}

/*
 * The rule once more, as a list of what is granted. Whatever is in no row is refused. A row's scope
 * NULL: none is needed.
 */
static const struct grant {
    enum identity_kind kind;
    enum policy_action action;
    const char *scope;
    bool takes_member;
} grants[] = {
    {IDENTITY_ANONYMOUS, ACTION_PULL, NULL, false},
    {IDENTITY_ANONYMOUS, ACTION_LIST, NULL, false},
    {IDENTITY_UNKNOWN, ACTION_PULL, NULL, false},
    {IDENTITY_UNKNOWN, ACTION_LIST, NULL, false},
    {IDENTITY_INSTANCE, ACTION_PULL, NULL, false},
    {IDENTITY_EMPLOYEE, ACTION_PULL, NULL, false},
    {IDENTITY_EMPLOYEE, ACTION_LIST, NULL, false},
    {IDENTITY_EMPLOYEE, ACTION_PUSH, NULL, true},
    {IDENTITY_SERVICE, ACTION_PULL, NULL, false},
    {IDENTITY_SERVICE, ACTION_LIST, NULL, false},
    {IDENTITY_SERVICE, ACTION_PUSH, "\napplication.write\n", true},
    {IDENTITY_SERVICE, ACTION_PUSH, "\napplication.write_all\n", false},
    {IDENTITY_SERVICE, ACTION_PUSH, "\napplication.write_all_trusted\n", false},
    {IDENTITY_SERVICE, ACTION_CLAIM_SCM_SOURCE, "\napplication.write_all_trusted\n", false},
};

/* Whether a list has a line, here by searching text: "\nline\n". */
static bool lists(const char *lines, const char *wanted)
{
    char text[256] = "\n";

    (void)snprintf(text, sizeof(text), "\n%s", lines);
    return strstr(text, wanted) != NULL;
}

/* 2: granted, whatever the oracle says; 1: granted to members; 0: not granted. */
static int best_grant(const struct situation *situation)
{
    int best = 0;

    for (size_t i = 0; i < ARRAY_LEN(grants); i++) {
        const struct grant *grant = &grants[i];

        if (!situation->is_nobody && grant->kind == situation->kind &&
            grant->action == situation->action &&
            (!grant->scope || lists(situation->scopes, grant->scope)) &&
            (grant->action != ACTION_PUSH || situation->team[0])) {
            best = !grant->takes_member ? 2 : best == 2 ? 2 : 1;
        }
    }
    return best;
}

static struct verdict expect(const struct situation *situation)
{
    char line[64];
    const int best = best_grant(situation);

    (void)snprintf(line, sizeof(line), "\n%s\n", situation->team);
    if (best == 2 || (best == 1 && lists(situation->teams, line))) {
        return (struct verdict){.code = OK};
    }
    if (best == 1) {
        return (struct verdict){
            .code = situation->oracle == OK             ? OK
                    : situation->oracle == ERROR_DENIED ? ERROR_DENIED
                                                        : ERROR_UNAVAILABLE,
            .questions = 1,
        };
    }
    return (struct verdict){.code = situation->is_nobody || situation->kind == IDENTITY_ANONYMOUS
                                        ? ERROR_UNAUTHENTICATED
                                        : ERROR_DENIED};
}

static void compare(const struct situation *situation)
{
    const struct verdict expected = expect(situation);
    const struct verdict actual = judge(situation);

    if (actual.code != expected.code || actual.questions != expected.questions) {
        fail_msg("%s, action %d on team '%s', scopes '%s', teams '%s', oracle %s: %s and %d "
                 "questions, not %s and %d",
                 situation->is_nobody ? "nobody" : identity_kind_name(situation->kind),
                 (int)situation->action, situation->team, situation->scopes, situation->teams,
                 error_code_name(situation->oracle), error_code_name(actual.code), actual.questions,
                 error_code_name(expected.code), expected.questions);
    }
    assert_true((actual.code == OK) == (actual.err.message[0] == '\0'));
}

static const char *const team_lists[] = {"", "acme\n", "other\n", "acm\nacmes\nACME\na\n",
                                         "x\nacme\n"};
static const char *const teams[] = {"acme", "other", ""};
static const enum error_code oracle_answers[] = {
    OK,
    ERROR_DENIED,
    ERROR_UNAVAILABLE,
    ERROR_INTERNAL,
    ERROR_INVALID,
    ERROR_NOT_FOUND,
    ERROR_UNAUTHENTICATED,
};

/* What is left: membership, by token and by look-up, and the team. */
static size_t compare_memberships(struct situation situation)
{
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(team_lists); i++) {
        for (size_t k = 0; k < ARRAY_LEN(oracle_answers); k++) {
            for (size_t m = 0; m < ARRAY_LEN(teams); m++) {
                situation.teams = team_lists[i];
                situation.oracle = oracle_answers[k];
                situation.team = teams[m];
                compare(&situation);
                count++;
            }
        }
    }
    return count;
}

static void every_combination_is_decided_as_the_list_of_grants_says(void **state)
{
    enum { KINDS = IDENTITY_INSTANCE + 1, ACTIONS = ACTION_CLAIM_SCM_SOURCE + 1 };
    /* Each set of scopes is a number: a bit for each of these. */
    static const char *const scopes[] = {
        "uid\napplication.write_al\napplication.write_everything\nwrite_all\nAPPLICATION.WRITE\n",
        "application.write\n",
        "application.write_all\n",
        "application.write_all_trusted\n",
    };
    size_t count = 0;

    (void)state;
    for (unsigned set = 0; set < 1U << ARRAY_LEN(scopes); set++) {
        char text[256] = "";

        for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
            const size_t length = strlen(text);

            (void)snprintf(text + length, sizeof(text) - length, "%s",
                           set & (1U << i) ? scopes[i] : "");
        }
        for (int kind = -1; kind < KINDS; kind++) {
            for (int action = 0; action < ACTIONS; action++) {
                count += compare_memberships((struct situation){
                    .is_nobody = kind < 0,
                    .kind = kind < 0 ? IDENTITY_EMPLOYEE : (enum identity_kind)kind,
                    .scopes = text,
                    .action = (enum policy_action)action,
                });
            }
        }
    }
    assert_int_equal(count, 16 * (KINDS + 1) * ACTIONS * ARRAY_LEN(team_lists) *
                                ARRAY_LEN(oracle_answers) * ARRAY_LEN(teams));
}

/* The cases that are told in the documentation, one by one, with what the caller gets to read. */
static const struct example {
    struct situation situation;
    enum error_code code;
    const char *message; /* NULL: none */
} examples[] = {
    {{true, IDENTITY_UNKNOWN, "", "", OK, "acme", ACTION_PULL},
     ERROR_UNAUTHENTICATED,
     "log in first"},
    {{true, IDENTITY_UNKNOWN, "", "", OK, "acme", ACTION_PUSH},
     ERROR_UNAUTHENTICATED,
     "log in first"},
    {{false, IDENTITY_ANONYMOUS, "", "", OK, "acme", ACTION_PULL}, OK, NULL},
    {{false, IDENTITY_ANONYMOUS, "", "", OK, "", ACTION_LIST}, OK, NULL},
    {{false, IDENTITY_ANONYMOUS, "application.write_all\n", "acme\n", OK, "acme", ACTION_PUSH},
     ERROR_UNAUTHENTICATED,
     "log in first"},
    {{false, IDENTITY_ANONYMOUS, "application.write_all_trusted\n", "", OK, "acme",
      ACTION_CLAIM_SCM_SOURCE},
     ERROR_UNAUTHENTICATED,
     "log in first"},
    {{false, IDENTITY_EMPLOYEE, "", "acme\n", ERROR_DENIED, "acme", ACTION_PUSH}, OK, NULL},
    {{false, IDENTITY_EMPLOYEE, "", "", OK, "acme", ACTION_PUSH}, OK, NULL},
    {{false, IDENTITY_EMPLOYEE, "", "other\n", ERROR_DENIED, "acme", ACTION_PUSH},
     ERROR_DENIED,
     "employee jdoe may not push to team acme: the oracle says so"},
    {{false, IDENTITY_EMPLOYEE, "", "", ERROR_UNAVAILABLE, "acme", ACTION_PUSH},
     ERROR_UNAVAILABLE,
     "the oracle says so"},
    {{false, IDENTITY_EMPLOYEE, "application.write_all\n", "", ERROR_DENIED, "acme", ACTION_PUSH},
     ERROR_DENIED,
     "employee jdoe may not push to team acme: the oracle says so"},
    {{false, IDENTITY_EMPLOYEE, "", "acme\n", OK, "", ACTION_PUSH},
     ERROR_DENIED,
     "employee jdoe may not push to team : the repository belongs to none"},
    {{false, IDENTITY_SERVICE, "application.write\n", "", OK, "acme", ACTION_PUSH}, OK, NULL},
    {{false, IDENTITY_SERVICE, "application.write\n", "", ERROR_DENIED, "acme", ACTION_PUSH},
     ERROR_DENIED,
     "service jdoe may not push to team acme: the oracle says so"},
    {{false, IDENTITY_SERVICE, "application.write_all\n", "", ERROR_DENIED, "acme", ACTION_PUSH},
     OK,
     NULL},
    {{false, IDENTITY_SERVICE, "application.write_all\n", "", OK, "", ACTION_PUSH},
     ERROR_DENIED,
     "service jdoe may not push to team : the repository belongs to none"},
    {{false, IDENTITY_SERVICE, "uid\n", "acme\n", OK, "acme", ACTION_PUSH},
     ERROR_DENIED,
     "service jdoe may not push to team acme: its token has neither the scope "
     "application.write nor application.write_all"},
    {{false, IDENTITY_INSTANCE, "application.write_all\n", "acme\n", OK, "acme", ACTION_PUSH},
     ERROR_DENIED,
     "instance jdoe may not push to team acme: a machine may pull, and nothing else"},
    {{false, IDENTITY_INSTANCE, "", "", OK, "", ACTION_LIST},
     ERROR_DENIED,
     "jdoe may pull, and nothing else"},
    {{false, IDENTITY_UNKNOWN, "application.write_all\n", "acme\n", OK, "acme", ACTION_PUSH},
     ERROR_DENIED,
     "unknown jdoe may not push to team acme: it is known neither as an employee nor "
     "as a service"},
    {{false, IDENTITY_SERVICE, "application.write_all\n", "", OK, "acme", ACTION_CLAIM_SCM_SOURCE},
     ERROR_DENIED,
     "jdoe may not say where an image was built from: that takes a service with the "
     "scope application.write_all_trusted"},
    {{false, IDENTITY_EMPLOYEE, "application.write_all_trusted\n", "acme\n", OK, "acme",
      ACTION_CLAIM_SCM_SOURCE},
     ERROR_DENIED,
     "jdoe may not say where an image was built from: that takes a service with the "
     "scope application.write_all_trusted"},
    {{false, IDENTITY_SERVICE, "application.write_all_trusted\n", "", OK, "acme",
      ACTION_CLAIM_SCM_SOURCE},
     OK,
     NULL},
    {{false, IDENTITY_SERVICE, "application.write_all\n", "acme\n", OK, "acme", ACTION_NONE},
     ERROR_DENIED,
     "nobody may do this"},
};

static void refusals_name_user_team_and_condition(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
        const struct verdict verdict = judge(&examples[i].situation);

        assert_int_equal(verdict.code, examples[i].code);
        assert_string_equal(verdict.err.message, examples[i].message ? examples[i].message : "");
    }
}

/* A look-up that is broken may return anything: only OK is a yes. */
static void no_failing_lookup_ever_grants(void **state)
{
    static const enum policy_action actions[] = {ACTION_NONE, ACTION_PUSH, ACTION_CLAIM_SCM_SOURCE};

    (void)state;
    for (int kind = IDENTITY_UNKNOWN; kind <= IDENTITY_INSTANCE; kind++) {
        for (int answer = -1; answer <= ERROR_INTERNAL + 1; answer++) {
            for (size_t i = 0; i < ARRAY_LEN(actions) && answer != OK; i++) {
                const struct situation situation = {
                    .kind = (enum identity_kind)kind,
                    .scopes = "application.write\n",
                    .teams = "other\n",
                    .oracle = (enum error_code)answer,
                    .team = "acme",
                    .action = actions[i],
                };

                assert_int_not_equal(judge(&situation).code, OK);
            }
        }
    }
}

static void condition_is_told_even_if_names_are_long(void **state)
{
    char name[IDENTITY_NAME_BYTES];
    const struct identity identity = {.kind = IDENTITY_SERVICE, .name = {name, sizeof(name)}};
    struct oracle oracle = {OK, 0};
    const struct policy_lookup lookup = {ask_oracle, &oracle};
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(name); i++) {
        name[i] = 'n';
    }
    assert_int_equal(policy_decide(&identity, ACTION_PUSH, identity.name, &lookup, &err),
                     ERROR_DENIED);
    assert_non_null(strstr(err.message, "nor application.write_all"));
}

static void reason_can_be_of_no_interest(void **state)
{
    const struct identity identity = {.kind = IDENTITY_EMPLOYEE, .name = STR_LITERAL("jdoe")};
    struct oracle oracle = {ERROR_DENIED, 0};
    const struct policy_lookup lookup = {ask_oracle, &oracle};

    (void)state;
    assert_int_equal(policy_decide(&identity, ACTION_PUSH, str_from("acme"), &lookup, NULL),
                     ERROR_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_is_decided_as_the_list_of_grants_says),
        cmocka_unit_test(refusals_name_user_team_and_condition),
        cmocka_unit_test(no_failing_lookup_ever_grants),
        cmocka_unit_test(condition_is_told_even_if_names_are_long),
        cmocka_unit_test(reason_can_be_of_no_interest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
