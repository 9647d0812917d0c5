#include "cli/login_flow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/digest.h"
#include "base/token.h"
#include "tests/support/fake_http_client.h"
#include "tests/unit/cli/client_world.h"

static const char token_url[] = "https://login/token";

enum { TEXT_BYTES = 8 * 1024 };

#define GRANT "{\"access_token\":\"token\",\"refresh_token\":\"refresh\",\"expires_in\":60}"

/* A person with a browser: reads what the terminal shows, and comes back. */
struct person {
    pthread_t thread;
    FILE *screen;
    const char *foreign; /* what the browser is made to bring before; NULL: nothing */
    const char *query;   /* %s: the state */
    char address[TEXT_BYTES];
    char foreign_page[TEXT_BYTES];
    char page[TEXT_BYTES];
};

struct browser_world {
    struct client_world *world;
    struct login_flow flow;
    struct provider provider;
    struct person person;
};

static int set_up(void **state)
{
    struct browser_world *const browser = calloc(1, sizeof(*browser));

    browser->world = client_world_new();
    browser->provider = (struct provider){.issuer = "https://login",
                                          .client_id = "pierone cli",
                                          .scopes = "openid uid",
                                          .authorization_url = "https://login/authorize",
                                          .token_url = token_url};
    browser->flow = (struct login_flow){
        .provider = &browser->provider,
        .client = fake_http_client_new(),
        .environment = &browser->world->environment,
        .clock = &browser->world->clock.clock,
        .arena = &browser->world->arena,
    };
    *state = browser;
    return 0;
}

static int tear_down(void **state)
{
    struct browser_world *const browser = *state;

    http_client_free(browser->flow.client);
    client_world_free(browser->world);
    free(browser);
    return 0;
}

/* The value of a parameter of the address, as it stands there. */
static void find(const char *address, const char *name, char value_out[TEXT_BYTES])
{
    char wanted[64];
    const char *found = NULL;

    (void)snprintf(wanted, sizeof(wanted), "%s=", name);
    found = strstr(address, wanted);
    assert_non_null(found);
    (void)snprintf(value_out, TEXT_BYTES, "%.*s", (int)strcspn(found + strlen(wanted), "&\n"),
                   found + strlen(wanted));
}

static int connect_to(const char *address)
{
    static const char before_port[] = "http%3A%2F%2F127.0.0.1%3A";
    struct sockaddr_in to = {.sin_family = AF_INET};
    char uri[TEXT_BYTES];
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    find(address, "redirect_uri", uri);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)strtoul(uri + sizeof(before_port) - 1, NULL, 10));
    if (strncmp(uri, before_port, sizeof(before_port) - 1) != 0 ||
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
        abort();
    }
    return fd;
}

static void come_back(const struct person *person, const char *query, char page_out[TEXT_BYTES])
{
    const char *const place = strstr(query, "%s");
    const int fd = connect_to(person->address);
    char request[3 * TEXT_BYTES];
    char state[TEXT_BYTES];

    find(person->address, "state", state);
    (void)snprintf(request, sizeof(request), "GET /callback?%.*s%s HTTP/1.1\r\n\r\n",
                   (int)(place ? (size_t)(place - query) : strlen(query)), query,
                   place ? state : "");
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 ||
        recv(fd, page_out, TEXT_BYTES - 1, MSG_WAITALL) < 0) {
        abort();
    }
    (void)close(fd);
}

static void *be_person(void *argument)
{
    struct person *const person = argument;

    do {
        if (!fgets(person->address, sizeof(person->address), person->screen)) {
            return NULL;
        }
    } while (!strstr(person->address, "https://"));
    if (person->foreign) {
        come_back(person, person->foreign, person->foreign_page);
    }
    come_back(person, person->query, person->page);
    return NULL;
}

static enum error_code log_in(struct browser_world *browser, const char *query, struct login *login,
                              struct error *err)
{
    struct person *const person = &browser->person;
    enum error_code code = OK;
    int ends[2];

    *person = (struct person){.query = query, .foreign = person->foreign};
    assert_int_equal(pipe(ends), 0);
    person->screen = fdopen(ends[0], "r");
    browser->flow.chatter = fdopen(ends[1], "w");
    assert_int_equal(pthread_create(&person->thread, NULL, be_person, person), 0);
    code = browser_login(&browser->flow, login, err);
    (void)fclose(browser->flow.chatter);
    (void)pthread_join(person->thread, NULL);
    (void)fclose(person->screen);
    return code;
}

static void a_code_becomes_a_login(void **state)
{
    struct browser_world *const browser = *state;
    const struct person *const person = &browser->person;
    struct login login = {0};

    fake_http_client_answer(browser->flow.client, token_url, 200, GRANT, -1);
    assert_int_equal(log_in(browser, "code=the%2Fcode+1&state=%s", &login, NULL), OK);
    assert_int_equal(login.kind, LOGIN_OAUTH);
    assert_string_equal(login.secret.bytes, "token");
    assert_string_equal(login.refresh_token.bytes, "refresh");
    assert_non_null(strstr(person->page, "200 OK"));
    assert_non_null(strstr(person->address, "https://login/authorize?response_type=code&"
                                            "client_id=pierone%20cli&redirect_uri="));
    assert_non_null(strstr(person->address, "&scope=openid%20uid&state="));
    assert_non_null(strstr(person->address, "&code_challenge_method=S256\n"));
    assert_non_null(strstr(fake_http_client_request(browser->flow.client)->body,
                           "grant_type=authorization_code&code=the%2Fcode%201&redirect_uri="));
}

/* RFC 7636 4.2 */
static void the_challenge_is_the_hash_of_the_verifier(void **state)
{
    struct browser_world *const browser = *state;
    const char *const body = fake_http_client_request(browser->flow.client)->body;
    struct login login = {0};
    char verifier[TEXT_BYTES];
    char challenge[TEXT_BYTES];
    char uri[2][TEXT_BYTES];
    struct digest hash;
    struct strbuf expected;

    fake_http_client_answer(browser->flow.client, token_url, 200, GRANT, -1);
    assert_int_equal(log_in(browser, "code=c&state=%s", &login, NULL), OK);
    find(body, "code_verifier", verifier);
    find(browser->person.address, "code_challenge", challenge);
    assert_int_equal(strlen(verifier), 43);
    hash = hasher_digest_of(DIGEST_SHA256, str_from(verifier));
    strbuf_init(&expected, 100);
    base64url_encode((struct str){(const char *)hash.bytes, 32}, &expected);
    assert_string_equal(challenge, expected.text);
    strbuf_release(&expected);
    assert_null(strstr(browser->person.address, verifier));
    find(body, "redirect_uri", uri[0]);
    find(browser->person.address, "redirect_uri", uri[1]);
    assert_string_equal(uri[0], uri[1]);
}

static void each_login_has_secrets_of_its_own(void **state)
{
    struct browser_world *const browser = *state;
    struct login login = {0};
    char texts[2][2][TEXT_BYTES];

    fake_http_client_answer(browser->flow.client, token_url, 200, GRANT, -1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(log_in(browser, "state=%s", &login, NULL), ERROR_UNAUTHENTICATED);
        find(browser->person.address, "state", texts[i][0]);
        find(browser->person.address, "code_challenge", texts[i][1]);
    }
    assert_string_not_equal(texts[0][0], texts[1][0]);
    assert_string_not_equal(texts[0][1], texts[1][1]);
    assert_string_not_equal(texts[0][0], texts[0][1]);
}

static void other_answers_are_no_login(void **state)
{
    static const struct {
        const char *query;
        const char *told;
    } cases[] = {
        {"error=access_denied&state=%s", "refuses: access_denied"},
        {"error=e&error_description=Not+you%21&state=%s", "refuses: Not you!"},
        {"error=e&code=sesame&state=%s", "refuses: e"},
        {"state=%s", "no code"},
        {"xcode=sesame&state=%s", "no code"},
    };
    struct browser_world *const browser = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login login = {.kind = LOGIN_NONE};
        struct error err = {0};

        assert_int_equal(log_in(browser, cases[i].query, &login, &err), ERROR_UNAUTHENTICATED);
        assert_non_null(strstr(err.message, cases[i].told));
        assert_null(strstr(err.message, "sesame"));
        assert_int_equal(login.kind, LOGIN_NONE);
        assert_non_null(strstr(browser->person.page, "You are not logged in"));
    }
    assert_int_equal(fake_http_client_count(browser->flow.client, NULL), 0);
}

/* Any page can have a browser go there, and guess ports. */
static void what_is_not_of_this_login_changes_nothing(void **state)
{
    static const char *const queries[] = {"code=sesame&state=wrong",
                                          "code=sesame&state=",
                                          "code=sesame",
                                          "",
                                          "error=access_denied",
                                          "error=access_denied&state=wrong"};
    struct browser_world *const browser = *state;

    fake_http_client_answer(browser->flow.client, token_url, 200, GRANT, -1);
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        struct login login = {.kind = LOGIN_NONE};

        browser->person.foreign = queries[i];
        assert_int_equal(log_in(browser, "code=good&state=%s", &login, NULL), OK);
        assert_int_equal(login.kind, LOGIN_OAUTH);
        assert_non_null(strstr(browser->person.foreign_page, "400 Bad Request"));
        assert_null(strstr(browser->person.foreign_page, "what it needs"));
        assert_non_null(strstr(browser->person.page, "200 OK"));
        assert_null(strstr(fake_http_client_request(browser->flow.client)->body, "sesame"));
    }
}

static void a_code_that_is_refused_is_no_login(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum error_code code;
    } cases[] = {
        {400, "{\"error\":\"invalid_grant\"}", ERROR_UNAUTHENTICATED},
        {200, "{}", ERROR_UNAVAILABLE},
        {0, "", ERROR_UNAVAILABLE},
    };
    struct browser_world *const browser = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct login login = {.kind = LOGIN_NONE};
        struct error err = {0};

        fake_http_client_answer(browser->flow.client, token_url, cases[i].status, cases[i].body,
                                -1);
        assert_int_equal(log_in(browser, "code=sesame&state=%s", &login, &err), cases[i].code);
        assert_null(strstr(err.message, "sesame"));
        assert_int_equal(login.kind, LOGIN_NONE);
    }
}

static void an_address_with_a_query_gets_more_of_it(void **state)
{
    struct browser_world *const browser = *state;
    struct login login = {0};

    browser->provider.authorization_url = "https://login/authorize?realm=a";
    assert_int_equal(log_in(browser, "state=%s", &login, NULL), ERROR_UNAUTHENTICATED);
    assert_non_null(strstr(browser->person.address, "/authorize?realm=a&response_type=code&"));
}

static void what_is_missing_is_told(void **state)
{
    struct browser_world *const browser = *state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct login login = {0};
    struct error err = {0};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    browser->provider.redirect_port = ntohs(address.sin_port);
    assert_int_equal(browser_login(&browser->flow, &login, &err), ERROR_INVALID);
    assert_non_null(strstr(err.message, "--device"));
    (void)close(fd);
    browser->provider.authorization_url = NULL;
    assert_int_equal(browser_login(&browser->flow, &login, &err), ERROR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "https://login"));
}

/* The browser is a script that passes its argument on to the person. */
static void the_browser_is_started_with_the_address(void **state)
{
    struct browser_world *const browser = *state;
    struct client_world *const world = browser->world;
    const char *const script = client_world_path(world, "browser");
    struct person *const person = &browser->person;
    struct login login = {0};
    int status = -1;

    client_world_write(world, script, "#!/bin/sh\nprintf '%s\\n' \"$1\" > \"$HOME/opened\"\n");
    assert_int_equal(chmod(script, 0700), 0);
    client_world_set(world, "BROWSER=%s/browser");
    assert_int_equal(log_in(browser, "state=%s", &login, NULL), ERROR_UNAUTHENTICATED);
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
    assert_string_equal(client_world_read(world, client_world_path(world, "opened")),
                        person->address + strspn(person->address, " "));
}

static void a_browser_is_there_if_a_screen_is(void **state)
{
    static const struct {
        const char *variable;
        bool is_there;
    } cases[] = {
        {"BROWSER=x", true}, {"DISPLAY=:0", true},  {"WAYLAND_DISPLAY=wayland-0", true},
        {"DISPLAY=", false}, {"TERM=xterm", false},
    };
    struct client_world *const world = ((struct browser_world *)*state)->world;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        client_world_unset_all(world);
        client_world_set(world, cases[i].variable);
        assert_int_equal(browser_is_there(&world->environment), cases[i].is_there);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_code_becomes_a_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_challenge_is_the_hash_of_the_verifier, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_login_has_secrets_of_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_answers_are_no_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_of_this_login_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_code_that_is_refused_is_no_login, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_with_a_query_gets_more_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_missing_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_browser_is_started_with_the_address, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_browser_is_there_if_a_screen_is, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
