#include "server/listen_address.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/host.h"

/* Names and IPv4 addresses; whether they exist is the resolver's to say. */
static bool is_host_name(struct str host)
{
    for (size_t i = 0; i < host.length; i++) {
        const char byte = host.bytes[i];

        if (!ascii_is_letter_or_digit(byte) && byte != '-' && byte != '.' && byte != '_') {
            return false;
        }
    }
    return host.length > 0;
}

/* Takes the host and its colon from *text and leaves the port. */
static enum error_code cut_host(struct str *text, struct listen_address *address, struct error *err)
{
    const size_t colon = str_last_index_of(*text, ':');
    struct str host = str_slice(*text, 0, colon);
    struct in6_addr unused;

    if (colon == text->length) {
        return error_set(err, ERROR_INVALID, "must be HOST:PORT, such as 127.0.0.1:8080");
    }
    if (host.length == 0) {
        return error_set(err, ERROR_INVALID,
                         "has no host: write 0.0.0.0 or [::] for all addresses");
    }
    if (str_starts_with(host, "[") && str_ends_with(host, "]")) {
        host = str_slice(host, 1, host.length - 1);
        address->is_ipv6 = true;
    }
    if (host.length >= LISTEN_HOST_BYTES) {
        return error_set(err, ERROR_INVALID, "has a host name that is too long");
    }
    memcpy(address->host, host.bytes, host.length);
    if (address->is_ipv6 ? inet_pton(AF_INET6, address->host, &unused) != 1 : !is_host_name(host)) {
        return error_set(err, ERROR_INVALID,
                         "must be HOST:PORT with a name, an IPv4 address, or an IPv6 address in "
                         "brackets, such as [::1]:8080");
    }
    *text = str_from_index(*text, colon + 1);
    return OK;
}

static enum error_code parse_port(struct str text, unsigned *port_out, struct error *err)
{
    uint64_t port;

    if (!str_parse_uint64(text, &port) || port > LISTEN_PORT_MAX) {
        return error_set(err, ERROR_INVALID, "must end in a port from 0 to %d", LISTEN_PORT_MAX);
    }
    *port_out = (unsigned)port;
    return OK;
}

enum error_code listen_address_parse(struct str text, struct listen_address *address_out,
                                     struct error *err)
{
    struct listen_address address = {0};
    enum error_code code = cut_host(&text, &address, err);

    if (code) {
        return code;
    }
    code = parse_port(text, &address.port, err);
    if (code) {
        return code;
    }
    *address_out = address;
    return OK;
}

bool listen_address_is_loopback(const struct listen_address *address)
{
    return host_is_loopback(str_from(address->host));
}

void listen_address_format(const struct listen_address *address, unsigned port,
                           char text_out[LISTEN_TEXT_BYTES])
{
    (void)snprintf(text_out, LISTEN_TEXT_BYTES, address->is_ipv6 ? "[%s]:%u" : "%s:%u",
                   address->host, port);
}
