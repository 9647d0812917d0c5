/* Also covers plain_transport.c: the sender is its main user. */
#include "http/sender.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_BYTES = 1000000, ROOM_BYTES = 2000000 };

struct fixture {
    struct transport transport;
    int peer;
    int file_fd;
    struct http_response response;
    struct sender sender;
    char *heard;
    size_t heard_bytes;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char path[] = "/tmp/pierone-test-sender-XXXXXX";
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    plain_transport_init(&fixture->transport, ends[0]);
    fixture->peer = ends[1];
    fixture->heard = malloc(ROOM_BYTES);
    memset(fixture->heard, 'f', FILE_BYTES);
    fixture->file_fd = mkstemp(path);
    (void)unlink(path);
    assert_int_equal(write(fixture->file_fd, fixture->heard, FILE_BYTES), FILE_BYTES);
    http_response_init(&fixture->response);
    fixture->response.status = 200;
    sender_init(&fixture->sender);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    sender_release(&fixture->sender);
    http_response_release(&fixture->response);
    transport_release(&fixture->transport);
    if (fixture->peer >= 0) {
        (void)close(fixture->peer);
    }
    (void)close(fixture->file_fd);
    free(fixture->heard);
    free(fixture);
    return 0;
}

static void hear(struct fixture *fixture)
{
    ssize_t got = 0;

    do {
        got = read(fixture->peer, fixture->heard + fixture->heard_bytes,
                   ROOM_BYTES - 1 - fixture->heard_bytes);
        fixture->heard_bytes += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    fixture->heard[fixture->heard_bytes] = '\0';
}

/* Sends all, with the peer reading whenever the sender would wait. */
static void send_all(struct fixture *fixture)
{
    uint64_t budget = UINT64_MAX;

    while (!sender_is_done(&fixture->sender)) {
        const enum io_result result = sender_run(&fixture->sender, &fixture->transport, &budget);

        assert_true(result == IO_DONE || result == IO_WAIT_WRITE);
        hear(fixture);
    }
    hear(fixture);
}

static void head_and_bytes_leave_together(void **state)
{
    struct fixture *fixture = *state;
    const struct http_delivery delivery = {0};

    fixture->response.body = str_from("hello");
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    send_all(fixture);
    assert_memory_equal(fixture->heard, "HTTP/1.1 200 OK\r\n", 17);
    assert_non_null(strstr(fixture->heard, "\r\n\r\nhello"));
    assert_int_equal(fixture->sender.sent_body_bytes, 5);
}

static void a_part_of_a_file_leaves(void **state)
{
    struct fixture *fixture = *state;
    const struct http_delivery delivery = {0};
    uint64_t head_and_slice = 1000;

    fixture->response.file_fd = fixture->file_fd;
    fixture->response.file_offset_bytes = 1;
    fixture->response.file_length_bytes = FILE_BYTES - 2;
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    assert_true(sender_has_file(&fixture->sender));
    assert_int_equal(sender_run(&fixture->sender, &fixture->transport, &head_and_slice), IO_DONE);
    assert_true(fixture->transport.is_corked);
    send_all(fixture);
    assert_false(fixture->transport.is_corked); /* the end is not held back */
    assert_int_equal(strspn(strstr(fixture->heard, "\r\n\r\n") + 4, "f"), FILE_BYTES - 2);
    assert_int_equal(fixture->sender.sent_body_bytes, FILE_BYTES - 2);
    fixture->response.file_fd = -1; /* the fixture closes it */
}

static void the_answer_to_head_has_no_body(void **state)
{
    struct fixture *fixture = *state;
    const struct http_delivery delivery = {.is_head = true};

    fixture->response.body = str_from("hello");
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    send_all(fixture);
    assert_non_null(strstr(fixture->heard, "Content-Length: 5\r\n"));
    assert_string_equal(strstr(fixture->heard, "\r\n\r\n"), "\r\n\r\n");
    assert_int_equal(fixture->sender.sent_body_bytes, 0);
}

static void a_budget_ends_a_turn(void **state)
{
    struct fixture *fixture = *state;
    const struct http_delivery delivery = {0};
    uint64_t budget = 1;

    fixture->response.file_fd = fixture->file_fd;
    fixture->response.file_length_bytes = FILE_BYTES;
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    assert_int_equal(sender_run(&fixture->sender, &fixture->transport, &budget), IO_DONE);
    assert_false(sender_is_done(&fixture->sender));
    assert_int_equal(budget, 0);
    fixture->response.file_fd = -1;
}

static void a_peer_that_is_gone_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    const struct http_delivery delivery = {0};
    uint64_t budget = UINT64_MAX;

    (void)close(fixture->peer);
    fixture->peer = -1;
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    assert_int_equal(sender_run(&fixture->sender, &fixture->transport, &budget), IO_CLOSED);
}

static void a_file_that_ends_early_breaks_off(void **state)
{
    struct fixture *fixture = *state;
    const struct http_delivery delivery = {0};
    enum io_result result = IO_DONE;
    uint64_t budget = UINT64_MAX;

    assert_int_equal(ftruncate(fixture->file_fd, 10), 0);
    fixture->response.file_fd = fixture->file_fd;
    fixture->response.file_length_bytes = 20;
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    result = sender_run(&fixture->sender, &fixture->transport, &budget);
    assert_int_equal(result, IO_CLOSED);
    fixture->response.file_fd = -1;
}

/* Gives pieces of 1000 bytes, each of one letter, until it has none. */
struct letters {
    struct http_source base;
    unsigned pieces;
    unsigned asked;
};

static bool read_letters(struct http_source *base, uint64_t offset_bytes, uint64_t left_bytes,
                         struct strbuf *piece)
{
    struct letters *letters = (struct letters *)base;

    assert_int_equal(offset_bytes, 7 + letters->asked * 1000);
    assert_int_equal(piece->length, 0);
    for (uint64_t i = 0; i < 1000 && i < left_bytes && letters->asked < letters->pieces; i++) {
        strbuf_append_byte(piece, (char)('a' + (char)letters->asked));
    }
    letters->asked++;
    return piece->length > 0;
}

static void keep_letters(struct http_source *base)
{
    (void)base;
}

static void source_is_asked_for_a_piece_when_the_one_before_is_sent(void **state)
{
    struct fixture *fixture = *state;
    struct letters letters = {.base = {read_letters, keep_letters}, .pieces = 3};
    const struct http_delivery delivery = {.date_s = 0};
    uint64_t budget = 1000000;

    fixture->response.source = &letters.base;
    fixture->response.file_offset_bytes = 7;
    fixture->response.file_length_bytes = 2500;
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    assert_false(sender_needs_piece(&fixture->sender)); /* the head is to be sent first */
    assert_false(sender_has_file(&fixture->sender));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(sender_run(&fixture->sender, &fixture->transport, &budget), IO_DONE);
        assert_true(sender_needs_piece(&fixture->sender));
        assert_false(sender_is_done(&fixture->sender));
        assert_int_equal(letters.asked, i);
        assert_true(sender_take_piece(&fixture->sender));
    }
    assert_int_equal(sender_run(&fixture->sender, &fixture->transport, &budget), IO_DONE);
    assert_true(sender_is_done(&fixture->sender));
    assert_false(sender_needs_piece(&fixture->sender));
    assert_int_equal(fixture->sender.sent_body_bytes, 2500);
    fixture->response.source = NULL;
}

static void source_that_ends_early_is_no_answer(void **state)
{
    struct fixture *fixture = *state;
    struct letters letters = {.base = {read_letters, keep_letters}, .pieces = 1};
    const struct http_delivery delivery = {.date_s = 0};
    uint64_t budget = 1000000;

    fixture->response.source = &letters.base;
    fixture->response.file_offset_bytes = 7;
    fixture->response.file_length_bytes = 2500;
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    assert_int_equal(sender_run(&fixture->sender, &fixture->transport, &budget), IO_DONE);
    assert_true(sender_take_piece(&fixture->sender));
    assert_int_equal(sender_run(&fixture->sender, &fixture->transport, &budget), IO_DONE);
    assert_false(sender_take_piece(&fixture->sender));
    assert_false(sender_is_done(&fixture->sender));
    fixture->response.source = NULL;
}

static const struct http_part parts[] = {
    {STR_LITERAL("<first>"), 10, 3},
    {STR_LITERAL("<second>"), FILE_BYTES - 100000, 100000},
    {STR_LITERAL("<end>"), 0, 0},
};

static void parts_of_a_file_leave_with_what_is_between_them(void **state)
{
    struct fixture *fixture = *state;
    const struct http_delivery delivery = {0};
    const char *body = NULL;

    fixture->response.file_fd = fixture->file_fd;
    fixture->response.parts = parts;
    fixture->response.part_count = 3;
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    assert_true(sender_has_file(&fixture->sender));
    send_all(fixture);
    assert_non_null(strstr(fixture->heard, "Content-Length: 100023\r\n"));
    body = strstr(fixture->heard, "\r\n\r\n") + 4;
    assert_memory_equal(body, "<first>fff<second>f", 19);
    assert_int_equal(strspn(body + 18, "f"), 100000);
    assert_string_equal(body + 100018, "<end>");
    assert_int_equal(fixture->sender.sent_body_bytes, 100023);
    fixture->response.file_fd = -1;
}

static bool read_dots(struct http_source *base, uint64_t offset_bytes, uint64_t left_bytes,
                      struct strbuf *piece)
{
    (void)base;
    assert_true(offset_bytes + left_bytes == 13 || offset_bytes + left_bytes == FILE_BYTES);
    for (uint64_t i = 0; i < 60000 && i < left_bytes; i++) {
        strbuf_append_byte(piece, '.');
    }
    return true;
}

static void parts_of_a_source_are_taken_piece_by_piece(void **state)
{
    struct fixture *fixture = *state;
    struct http_source dots = {read_dots, keep_letters};
    const struct http_delivery delivery = {0};
    uint64_t budget = UINT64_MAX;
    unsigned pieces = 0;
    const char *body = NULL;

    fixture->response.source = &dots;
    fixture->response.parts = parts;
    fixture->response.part_count = 3;
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    while (!sender_is_done(&fixture->sender)) {
        const enum io_result result = sender_run(&fixture->sender, &fixture->transport, &budget);

        assert_true(result == IO_DONE || result == IO_WAIT_WRITE);
        hear(fixture);
        if (sender_needs_piece(&fixture->sender)) {
            assert_true(sender_take_piece(&fixture->sender));
            pieces++;
        }
    }
    assert_int_equal(pieces, 3);
    body = strstr(fixture->heard, "\r\n\r\n") + 4;
    assert_memory_equal(body, "<first>...<second>.", 19);
    assert_string_equal(body + 100018, "<end>");
    fixture->response.source = NULL;
}

static void a_part_can_be_the_end_of_a_turn(void **state)
{
    struct fixture *fixture = *state;
    const struct http_delivery delivery = {0};
    uint64_t budget = 0;

    fixture->response.file_fd = fixture->file_fd;
    fixture->response.parts = parts;
    fixture->response.part_count = 3;
    sender_begin(&fixture->sender, &fixture->response, &delivery);
    while (!sender_is_done(&fixture->sender)) {
        enum io_result result = IO_DONE;

        budget = 1;
        result = sender_run(&fixture->sender, &fixture->transport, &budget);
        assert_true(result == IO_DONE || result == IO_WAIT_WRITE);
        hear(fixture);
    }
    assert_true(strstr(fixture->heard, "<end>") == fixture->heard + fixture->heard_bytes - 5);
    fixture->response.file_fd = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(head_and_bytes_leave_together, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_of_a_file_leaves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_answer_to_head_has_no_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_budget_ends_a_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_peer_that_is_gone_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_ends_early_breaks_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(source_is_asked_for_a_piece_when_the_one_before_is_sent,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(parts_of_a_file_leave_with_what_is_between_them, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(parts_of_a_source_are_taken_piece_by_piece, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_part_can_be_the_end_of_a_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(source_that_ends_early_is_no_answer, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
