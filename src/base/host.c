#include "base/host.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

enum { NETWORK_BYTES = 8 }; /* of an address of IPv6 */

bool host_parse_address(struct str text, struct in6_addr *address_out, bool *is_ipv4_out)
{
    static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char copy[INET6_ADDRSTRLEN] = "";

    if (text.length == 0 || text.length >= sizeof(copy) || memchr(text.bytes, '\0', text.length)) {
        return false;
    }
    memcpy(copy, text.bytes, text.length);
    memcpy(address_out->s6_addr, mapped, sizeof(mapped));
    *is_ipv4_out = inet_pton(AF_INET, copy, address_out->s6_addr + sizeof(mapped)) == 1;
    return *is_ipv4_out || inet_pton(AF_INET6, copy, address_out) == 1;
}

struct in6_addr host_address_owner(struct str address)
{
    struct in6_addr owner;
    bool is_ipv4 = false;

    if (!host_parse_address(address, &owner, &is_ipv4)) {
        return in6addr_any;
    }
    if (!IN6_IS_ADDR_V4MAPPED(&owner)) {
        memset(owner.s6_addr + NETWORK_BYTES, 0, sizeof(owner.s6_addr) - NETWORK_BYTES);
    }
    return owner;
}

bool host_is_loopback(struct str host)
{
    const struct str name = host_without_port(host);
    struct in6_addr address;
    bool is_ipv4 = false;

    if (!host_parse_address(name, &address, &is_ipv4)) {
        return str_is_ignoring_case(name, "localhost");
    }
    return IN6_IS_ADDR_LOOPBACK(&address) ||
           (IN6_IS_ADDR_V4MAPPED(&address) && address.s6_addr[12] == IN_LOOPBACKNET);
}

struct str host_without_port(struct str host)
{
    const size_t colon = str_index_of(host, ':');

    if (host.length > 0 && host.bytes[0] == '[') {
        return str_slice(host, 1, str_index_of(host, ']'));
    }
    return colon == str_last_index_of(host, ':') ? str_slice(host, 0, colon) : host;
}
