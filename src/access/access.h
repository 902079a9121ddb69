/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

/*
 * Who is asking, and may they? A door hands over what a request says of its
 * sender, and hears later who it is or why it is refused. One struct access per
 * worker; it has the lists, the policy and the gate (access/gate.h).
 *
 * The order of checks is that of spec 3.6: blacklist, form, freshness,
 * recipient, signature, single use, policy. A request that tried to sign and
 * failed is never taken for an anonymous one. All calls are made on the loop's
 * thread; callbacks come later, never from inside the call.
 *
 * Where too many signatures wait, the verdict is ERR_LIMIT (of this peer) or
 * ERR_CROWDED (of all); then the signature was not used up.
 */
#include "access/seal_call.h"
#include "core/err.h"
#include "identity/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct access;
struct access_call;
struct buf;
struct conf;
struct heritage;
struct json;
struct loop;
struct lists_change;
struct lists_result;
struct store;

/* Who somebody is, as the server found out. */
struct caller {
	char address[ADDRESS_SIZE]; /* canonical; "" is nobody */
	const char *level; /* stranger contact whitelist admin blocked */
	bool is_known;	   /* contact or above: may approve, and EXEC */
	bool is_admin;
	bool is_super; /* it has our own key */
};

/* Nobody: an anonymous caller. */
#define CALLER_NOBODY ((struct caller){.level = "stranger"})

/* What a signature is shown for; it decides which checks apply. */
enum access_use {
	ACCESS_CONNECT, /* CONNECT INIT ATTACH: recipient, claim, policy */
	ACCESS_AGAIN,	/* CONNECT on a connection that has one: no policy */
	ACCESS_INPUT, /* POST /input, bare INPUT: recipient if named, claim, policy */
	ACCESS_SPOKEN, /* INPUT on an open v1 connection: as INPUT, no policy */
	ACCESS_READ,   /* signed GET: policy, no claim */
	ACCESS_COMMAND, /* v2 frame: recipient, claim; the blocked are refused */
	ACCESS_ONBOARD, /* ONBOARD_SUBMIT: claim; the blocked are refused */
	ACCESS_ADMIN,	/* claim; no policy: the door looks at the role */
	ACCESS_STATUS,	/* SESSION_STATUS: recipient, claim, no policy */
};

/* A question. Everything is borrowed during the call only. */
struct access_ask {
	enum access_use use;
	/* As they came; NULL when the request has no such member. */
	const struct json *payload;
	const struct json *from;
	const struct json *signature;
	const char *peer;  /* address of the client, for limits */
	const char *place; /* where it comes from, for may_repeat */
	bool is_relayed;   /* it came through a relay */
	bool
	    may_name_recipient; /* the recipient may be our name (3.6 step 7) */
	/* An equal one may come at once from the same place (spec 2.15). */
	bool may_repeat;
	bool is_sealed; /* its signer alone can send it: no claim needed */
	/*
	 * What is wrong with the request, told only if the signature is good;
	 * it is not claimed then. Static text; NULL: nothing.
	 */
	const char *late;
};

/* The answer, valid inside the callback only. */
struct access_verdict {
	const struct caller *caller; /* who it is, when the signature is good */
	const struct err *err;	     /* NULL: welcome */
	bool may_onboard; /* refused, but a door is open (access_doors) */
};

typedef void access_fn(void *arg, const struct access_verdict *verdict);

typedef void access_judged_fn(void *arg, bool is_allowed, const char *reason);

struct access_setup {
	const struct conf *conf;
	struct store *store;
	struct heritage *heritage;
	struct loop *loop;
	const char *name;	   /* ours, which a recipient may be */
	const uint8_t *secret_key; /* identity/ident_key.h; NULL: cannot seal */
	/* From any thread: call access_collect() on the loop soon. */
	void (*wake)(void *arg);
	/*
	 * Ask the evaluator about the caller that key names; facts is a JSON
	 * object. fn is called once, later. NULL: there is no evaluator.
	 */
	void (*judge)(void *arg, const char *key, const char *facts,
	    access_judged_fn *fn, void *fn_arg);
	void *arg;
};

/* NULL with ERR_CONFIG when policy or lists cannot be used. */
struct access *access_new(const struct access_setup *setup, struct err *err);

/* Forget all calls, stop, free, null *a. */
void access_free(struct access **a);

/* Call what other threads have finished. */
void access_collect(struct access *a);

/* Call every 100 ms: what waits too long is refused. */
void access_tick(struct access *a);

/*
 * Ask. Without payload, from and signature the caller is nobody, and only the
 * policy is asked. fn is called once, unless access_forget() came first.
 */
struct access_call *access_ask(
    struct access *a, const struct access_ask *ask, access_fn *fn, void *arg);

/* The asker does not want to hear; nulls *call. */
void access_forget(struct access_call **call);

/* A client asks for a seal. Everything is borrowed during the call only. */
struct access_sealing {
	const struct json *frame; /* SEAL */
	const char *peer;	  /* address of the client */
	bool is_relayed;	  /* it came through a relay */
};

/*
 * Seal a connection, as seal_call_new() says. It proves who the client is, and
 * asks nothing else about it.
 */
struct seal_call *access_seal(struct access *a,
    const struct access_sealing *sealing, seal_call_fn *fn, void *arg,
    struct err *err);

/*
 * Whether anybody may come in without a signature, so that nothing needs to be
 * asked. When false, access_ask() may still say yes.
 */
bool access_is_open(const struct access *a);

/*
 * Who an address is now, at the moment of use. Returns 0, or -1: ERR_FORBIDDEN
 * (blacklisted or blocked), ERR_MISCONFIGURED (a list cannot be read).
 */
int access_look(struct access *a, const char *address, struct caller *caller,
    struct err *err);

/*
 * Whether somebody may have been blocked since the last call. Cheap: for every
 * half second.
 */
bool access_has_changed(struct access *a);

/*
 * Whether the address is blocked or blacklisted, as the last
 * access_has_changed() found it.
 */
bool access_is_blocked(const struct access *a, const char *address);

/* The level name for /info: open, careful, strict or custom. */
const char *access_policy_name(const struct access *a);

/* What a stranger can do to get in. */
struct access_doors {
	bool has_invite;
	bool has_payment;
	double price;
};

/* The doors that are open now; false for none. */
bool access_doors(const struct access *a, struct access_doors *doors);

/*
 * ONBOARD_SUBMIT of a caller that access_ask(ACCESS_ONBOARD) let through: look
 * at invite_code, else at payment, in the payload, and promote. The verdict has
 * the caller's new level, or an err with the text of spec 2.9.1.
 */
struct access_call *access_onboard(struct access *a, const char *address,
    const struct json *payload, const char *peer, access_fn *fn, void *arg);

/* What became of a change to the lists. */
typedef void access_change_fn(
    void *arg, const struct lists_result *result, const struct err *err);

/*
 * Change the lists, as an admin asked. fn is called once, later: result, or
 * NULL with err. It cannot be forgotten: arg must outlive it.
 */
void access_change(struct access *a, const struct lists_change *change,
    access_change_fn *fn, void *arg);

#endif
