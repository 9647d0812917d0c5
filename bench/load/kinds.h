#pragma once

#include "options.h"

/* The kinds of load; each runs to its end and prints one line (recorder_print). */

/* `connections` on `threads` ask for the first path again and again, for `seconds`. */
void load_request(const struct options *options);

/* Each connection asks for the paths in turn, `rate` a second all together, whether or not the
 * answers come in time: latency counts from when a request was due. */
void load_probe(const struct options *options);

/* Each connection gets the first path again and again, for `seconds`, as fast as it can. */
void load_download(const struct options *options);

/* Each connection pushes `count` blobs of `bytes`, as clients do: POST, PATCH, PUT. */
void load_upload(const struct options *options);

/* Each connection pushes small images with tags of their own, for `seconds`. */
void load_push(const struct options *options);

/* Each connection, opened at the same moment, gets all paths once: a cluster that starts. */
void load_pull(const struct options *options);

/* Each connection asks for the first path once and is opened again, for `seconds`; with `resumes`
 * the sessions of TLS before it go on. */
void load_handshake(const struct options *options);

/* Holds idle connections, and uploads and downloads that move some bytes a second, until standard
 * input ends. Prints its line when all are there. */
void load_hold(const struct options *options);
