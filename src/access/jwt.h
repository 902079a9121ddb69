/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_JWT_H
#define ACCESS_JWT_H

/*
 * JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, with the advice of
 * RFC 8725: the keys decide which algorithms there are (access/jwt_keys.h), so
 * "none" is unknown; a token without an expiry is refused; sizes are bounded.
 * The header's other members (kid, jku, x5u ...) are not used: nothing in a
 * token chooses its key. Pure functions, safe from any thread. To read one costs
 * a signature's verification, less than 0.2 ms.
 */
#include "base/buf.h"
#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

struct err;
struct jwt_keys;

/* The longest token, and the longest header in it. */
#define JWT_MAX 8192
#define JWT_HEADER_MAX 2048

/* How far the clocks of two machines may differ. */
#define JWT_LEEWAY_S 60

/* What a token must say. */
struct jwt_rules {
	const char *issuer;   /* its "iss"; "": any or none */
	const char *audience; /* is in its "aud"; "": it has no "aud" */
	int64_t now_s;	      /* since 1970 */
};

/* A token that is good. */
struct jwt {
	struct buf text;
	struct json_doc doc;
	const struct json *claims; /* an object */
	int64_t expires_s;
};

/*
 * Read a token and check its signature, its time (exp and, if present, nbf and
 * iat, each with JWT_LEEWAY_S) and the rules. Returns 0, or -1 with
 * ERR_UNAUTHORIZED; nothing is to be freed then. The text of the error tells
 * why, and about its claims only if the signature is good.
 */
int jwt_read(struct jwt *token, const struct jwt_keys *keys, const char *text,
    size_t len, const struct jwt_rules *rules, struct err *err);

/* Free what jwt_read() filled in. */
void jwt_fini(struct jwt *token);

/* Append a token with these claims (a JSON object), signed by the secret. */
void jwt_put(struct buf *out, const struct jwt_keys *keys, const char *claims,
    size_t len);

#endif
