#pragma once

/*
 * Stands between a client and a PostgreSQL server, on a socket of its own, and passes on what they
 * say; until it is told to cut a connection behind the answer to something that the client says:
 * the server has done it, and the client never hears of it.
 */
struct cutting_proxy;

/* `server_folder` is where the server's socket is, `folder` where the proxy's comes to be. */
struct cutting_proxy *cutting_proxy_new(const char *server_folder, const char *folder);
void cutting_proxy_free(struct cutting_proxy *proxy);

/* Cuts the connection whose client next says the text, which is a literal. Once. */
void cutting_proxy_cut_behind(struct cutting_proxy *proxy, const char *text);
