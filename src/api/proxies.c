#include "api/proxies.h"

#include <string.h>

#include "base/host.h"

enum { ADDRESS_BITS = 128, IPV4_OFFSET_BITS = 96 };

static bool parse_network(struct str text, struct in6_addr *address_out, unsigned *bits_out);
static bool is_within(const uint8_t *address, const uint8_t *network, unsigned bits);

enum error_code proxies_parse(struct str text, struct proxies *proxies_out, struct error *err)
{
    struct proxies proxies = {0};
    struct str word;

    while (str_cut(&text, ' ', &word)) {
        if (word.length == 0) {
            continue;
        }
        if (proxies.count == PROXIES_MAX) {
            return error_set(err, ERROR_INVALID, "has more than %d entries", PROXIES_MAX);
        }
        if (!parse_network(word, &proxies.networks[proxies.count].address,
                           &proxies.networks[proxies.count].prefix_bits)) {
            return error_set(err, ERROR_INVALID,
                             "\"%.*s\" is neither an address nor a network such as 10.0.0.0/8",
                             STR_FORMAT(str_slice(word, 0, 80)));
        }
        proxies.count++;
    }
    *proxies_out = proxies;
    return OK;
}

static bool parse_network(struct str text, struct in6_addr *address_out, unsigned *bits_out)
{
    const size_t slash = str_index_of(text, '/');
    uint64_t bits = ADDRESS_BITS;
    bool is_ipv4 = false;

    if (!host_parse_address(str_slice(text, 0, slash), address_out, &is_ipv4)) {
        return false;
    }
    if (slash < text.length) {
        if (!str_parse_uint64(str_from_index(text, slash + 1), &bits) || bits > ADDRESS_BITS) {
            return false;
        }
        bits += is_ipv4 ? IPV4_OFFSET_BITS : 0;
    }
    *bits_out = (unsigned)bits;
    return bits <= ADDRESS_BITS;
}

bool proxies_trust(const struct proxies *proxies, struct str address)
{
    struct in6_addr parsed;
    bool is_ipv4 = false;

    if (proxies->count == 0 || !host_parse_address(address, &parsed, &is_ipv4)) {
        return false;
    }
    for (size_t i = 0; i < proxies->count; i++) {
        if (is_within(parsed.s6_addr, proxies->networks[i].address.s6_addr,
                      proxies->networks[i].prefix_bits)) {
            return true;
        }
    }
    return false;
}

static bool is_within(const uint8_t *address, const uint8_t *network, unsigned bits)
{
    const unsigned whole = bits / 8;
    const unsigned rest = bits % 8;
    const uint8_t mask = (uint8_t)(0xff << (8 - rest));

    return memcmp(address, network, whole) == 0 &&
           (rest == 0 || ((address[whole] ^ network[whole]) & mask) == 0);
}
