#pragma once

/* Writes a self-signed certificate for that name and its key as PEM files. Aborts if it cannot. */
void certificate_write(const char *name, const char *certificate_path, const char *key_path);
