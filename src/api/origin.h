#pragma once

#include "api/call.h"

/*
 * Who a request is from and which URL it was sent to. What a proxy in front says of that
 * (X-Forwarded-For, -Proto, -Host, -Port, or Forwarded of RFC 7239) counts only if the proxy is a
 * trusted one: with one exception, see origin_url.
 */

bool proxies_trust(const struct proxies *proxies, struct str address);

/* Whether the address is a trusted proxy's. `context` is the api's. */
bool origin_is_proxy(void *context, struct str address);

/* The client's address: borrowed from the exchange. */
struct str origin_client_address(const struct call *call);

/* What the registry calls itself in a challenge and in its tokens: that URL without its scheme.
 * Borrowed, or in the arena. */
struct str origin_service(const struct call *call);

/*
 * Whether a page of another site made a browser send this. Fetch Metadata says so, else Origin (RFC
 * 6454 7): other clients send neither.
 */
bool origin_is_foreign(const struct call *call);

/*
 * `https://registry.example.org[:PORT]`: the setting, else as the client sees it. In the arena.
 * Credentials are sent there, so that it is https as soon as anybody says that the client came by
 * https; if that is nobody we trust, the log says so, once a minute.
 */
struct str origin_url(struct call *call);
