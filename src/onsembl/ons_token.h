/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_TOKEN_H
#define ONSEMBL_ONS_TOKEN_H

/*
 * Who the clients of Onsembl are: agents, dashboards and programs show tokens
 * (access/jwt.h). Their keys are the secret in the environment variable
 * ONSEMBL_JWT_SECRET or in the file onsembl_secret_file, for tokens of this
 * server and of those that share its secret, and the public keys in the file
 * onsembl_keys, for those of an issuer. There is no default: without a key every
 * token is refused, and the refusal says what to set.
 *
 * The keys are read once and then only read. A verification costs at most
 * 0.2 ms, so it is done on the loop.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct conf;
struct err;
struct ons_token_keys;

/* The longest name of a user or an organisation ("sub", "org"). */
#define ONS_USER_MAX 200

/* How long a token is good if nothing else is said. */
#define ONS_TOKEN_TTL_S 86400

/* What a token may be used for ("type"). */
enum ons_use {
	ONS_USE_ACCESS,	 /* everything; also that of an unknown type */
	ONS_USE_CLI,	 /* the same, given to a program */
	ONS_USE_REFRESH, /* to be exchanged for another, and no more */
};

/* What a good token says. */
struct ons_claims {
	char user[ONS_USER_MAX + 1];
	char org[ONS_USER_MAX + 1]; /* "": none */
	/* The login that the token comes from ("sid"); "": not known. */
	char login[ONS_USER_MAX + 1];
	enum ons_use use;
	int64_t issued_s; /* 0: not said */
	int64_t expires_s;
};

/*
 * Read the keys that the settings and the environment name. Returns NULL with
 * ERR_CONFIG: a file cannot be read, or a key cannot be used.
 */
struct ons_token_keys *ons_token_open(const struct conf *conf, struct err *err);

/* Wipe and free the keys, and null *keys. */
void ons_token_close(struct ons_token_keys **keys);

/*
 * From now on ask fn of each token that is good otherwise, and of the login that
 * it comes from; it returns whether that has been withdrawn. Tokens to refresh
 * are withdrawn by exchanging them, so fn is asked of their logins only.
 */
void ons_token_ask(struct ons_token_keys *keys,
    bool (*fn)(void *arg, const char *text, size_t len), void *arg);

/* Whether any token can be good. */
bool ons_token_is_on(const struct ons_token_keys *keys);

/* Whether tokens can be made: there is a secret. */
bool ons_token_can_make(const struct ons_token_keys *keys);

/*
 * Verify the token that a client shows; text NULL: it shows none, which only
 * "onsembl_auth: off" accepts, as the user "dev". A token to refresh is refused.
 * Returns 0, or -1 with ERR_UNAUTHORIZED or, if there are no keys,
 * ERR_MISCONFIGURED.
 */
int ons_token_verify(const struct ons_token_keys *keys, const char *text,
    size_t len, struct ons_claims *claims, struct err *err);

/* The same for a token to refresh, which must be shown. */
int ons_token_verify_refresh(const struct ons_token_keys *keys,
    const char *text, size_t len, struct ons_claims *claims, struct err *err);

/*
 * Returns the sentence of the protocol for a client whose token was refused
 * with this error.
 */
const char *ons_token_refusal(const struct err *err, bool has_token);

/*
 * Append a token that says this. issued_s is now. Returns 0, or -1 with
 * ERR_MISCONFIGURED: there is no secret.
 */
int ons_token_make(const struct ons_token_keys *keys,
    const struct ons_claims *claims, struct buf *out, struct err *err);

/*
 * Whether the user of these claims may see and command what belongs to that
 * user (of that organisation): it is the same user, or the same organisation,
 * or all users share (onsembl_shared).
 */
bool ons_token_may_see(const struct ons_token_keys *keys,
    const struct ons_claims *claims, const char *user, const char *org);

#endif
