#include "base/password_prompt.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <termios.h>
#include <unistd.h>

#include "base/memory.h"

/* What would leave the terminal without an echo. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

enum { SIGNAL_COUNT = ARRAY_LEN(signals) };

static volatile sig_atomic_t caught; /* the signal that came meanwhile, or 0 */

static void note_signal(int number)
{
    caught = number;
}

/* Without SA_RESTART, and blocked but while we wait: none comes unseen. What is ignored (nohup)
 * stays so. */
static void catch_signals(struct sigaction before_out[SIGNAL_COUNT], sigset_t *mask_out)
{
    const struct sigaction noting = {.sa_handler = note_signal};
    sigset_t blocked;

    caught = 0;
    (void)sigemptyset(&blocked);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        (void)sigaddset(&blocked, signals[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &blocked, mask_out);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        (void)sigaction(signals[i], &noting, &before_out[i]);
        if (before_out[i].sa_handler == SIG_IGN) {
            (void)sigaction(signals[i], &before_out[i], NULL);
        }
    }
}

/* Byte by byte: what follows the line is not ours to take. With a mask, the signals that it lets
 * through end the wait. */
static ssize_t read_byte(const sigset_t *mask, char *byte_out)
{
    fd_set input;

    FD_ZERO(&input);
    FD_SET(STDIN_FILENO, &input);
    if (mask && pselect(STDIN_FILENO + 1, &input, NULL, NULL, NULL, mask) < 0) {
        return -1;
    }
    return read(STDIN_FILENO, byte_out, 1);
}

/* Of a line that was written for Windows; `docker login --password-stdin` cuts it, too. */
static void cut_carriage_return(struct strbuf *secret)
{
    if (secret->length > 0 && secret->text[secret->length - 1] == '\r') {
        secret->text[--secret->length] = '\0';
    }
}

static enum error_code read_line(const sigset_t *mask, struct strbuf *secret, struct error *err)
{
    char byte = '\0';
    bool has_nul = false;
    ssize_t got = 0;

    while ((got = read_byte(mask, &byte)) == 1 && byte != '\n' && !secret->is_truncated) {
        has_nul = has_nul || byte == '\0';
        strbuf_append_byte(secret, byte);
    }
    memory_wipe(&byte, sizeof(byte));
    if (got < 0) {
        return error_set(err, ERROR_INVALID, "%s",
                         caught != 0 ? "interrupted: nothing was changed"
                                     : "cannot read the password");
    }
    if (got == 0 && secret->length == 0) {
        return error_set(err, ERROR_INVALID, "there is no password on standard input");
    }
    if (has_nul) {
        return error_set(err, ERROR_INVALID, "a password cannot hold a NUL character");
    }
    if (secret->is_truncated) {
        return error_set(err, ERROR_INVALID, "the password is longer than %zu bytes",
                         secret->limit_bytes);
    }
    cut_carriage_return(secret);
    return OK;
}

/* Now that the terminal is as it was, the signal has its usual effect. */
static void release_signals(const struct sigaction before[SIGNAL_COUNT], const sigset_t *mask)
{
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        (void)sigaction(signals[i], &before[i], NULL);
    }
    if (caught != 0) {
        (void)raise(caught);
    }
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
}

enum error_code password_prompt(const char *prompt, struct strbuf *secret_out, struct error *err)
{
    struct termios usual;
    struct termios silent;
    struct sigaction before[SIGNAL_COUNT];
    sigset_t mask;
    enum error_code code = OK;

    if (tcgetattr(STDIN_FILENO, &usual) < 0) {
        return error_set(err, ERROR_INVALID,
                         "there is no terminal to ask for the password on: use --password-stdin");
    }
    silent = usual;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    catch_signals(before, &mask);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0) {
        (void)fprintf(stderr, "%s: ", prompt); /* who answers it at once is not seen either */
        code = read_line(&mask, secret_out, err);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &usual);
        (void)fputc('\n', stderr);
    } else {
        code =
            error_set(err, ERROR_INVALID, "the terminal cannot be silenced: use --password-stdin");
    }
    release_signals(before, &mask);
    return code;
}

enum error_code password_read_line(struct strbuf *secret_out, struct error *err)
{
    return read_line(NULL, secret_out, err);
}
