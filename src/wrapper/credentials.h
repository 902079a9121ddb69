/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_CREDENTIALS_H
#define WRAPPER_CREDENTIALS_H

/*
 * What a login at a server has given us, in ~/.onsembl/credentials.json, which
 * only the user can read. Several wrappers may share it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

/* {0} owns nothing. */
struct credentials {
	char *server; /* the URL at which they are valid */
	char *access;
	char *refresh;
	int64_t expires_ms; /* of access; wall clock */
};

/* Free the texts; *c is then {0}. */
void credentials_fini(struct credentials *c);

/* Read those for this server. Returns false if there are none. */
bool credentials_read(struct credentials *c, const char *server);

/* Take over those of an answer with access_token, refresh_token, expires_in. */
bool credentials_take(
    struct credentials *c, const char *server, const struct json *answer);

/* Write them. Returns false, with a text in why, if that is not possible. */
bool credentials_write(const struct credentials *c, char *why, size_t size);

/* Remove the file. */
void credentials_remove(void);

#endif
