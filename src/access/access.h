/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

/*
 * Authentication and admission: who is the caller, and may it come in? A door
 * passes what a request says about its sender, and later gets the caller or the
 * reason of a refusal. There is one struct access per worker; it owns the
 * lists, a thread that changes them, the policy and the gate (access/gate.h).
 *
 * The checks have the order of spec 3.6: blacklist, form, freshness, recipient,
 * signature, single use, policy. A request whose signature fails is never
 * treated as anonymous. All calls are made on the loop's thread; callbacks come
 * later, never from inside the call.
 *
 * If too many signatures wait, the verdict is ERR_LIMIT (too many of this peer)
 * or ERR_CROWDED (too many in total); the signature has not been used up then.
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

/* A caller as the server has verified it. */
struct caller {
	char address[ADDRESS_SIZE]; /* canonical; "": anonymous */
	const char *level; /* stranger contact whitelist admin blocked */
	bool is_known;	   /* contact or above: may approve, and EXEC */
	bool is_admin;
	bool is_super; /* has the agent's own key */
};

/* The anonymous caller. */
#define CALLER_NOBODY ((struct caller){.level = "stranger"})

/* The purpose of a signature, which determines the checks. */
enum access_use {
	ACCESS_CONNECT, /* CONNECT INIT ATTACH: recipient, claim, policy */
	ACCESS_AGAIN,	/* CONNECT on a connected connection: no policy */
	ACCESS_INPUT,  /* HTTP, bare INPUT: recipient if named, claim, policy */
	ACCESS_SPOKEN, /* INPUT on an open v1 connection: as INPUT, see below */
	ACCESS_READ,   /* signed GET: policy, no claim */
	ACCESS_COMMAND, /* v2 frame: recipient, claim; refused if blocked;
			   see below */
	ACCESS_ONBOARD, /* ONBOARD_SUBMIT: claim; refused if blocked */
	ACCESS_ADMIN,	/* claim; no policy: the door checks the role */
	ACCESS_STATUS,	/* SESSION_STATUS: recipient, claim, no policy */
};

/*
 * On an open connection the policy has been asked. It is asked again about each
 * prompt if it leaves the caller to an evaluator that sees prompts
 * (trust_sees_prompt).
 */

/* A question. All pointers are borrowed for the duration of the call. */
struct access_ask {
	enum access_use use;
	/* As received; NULL if the request has no such member. */
	const struct json *payload;
	const struct json *from;
	const struct json *signature;
	const char *peer;	 /* address of the client, for limits */
	const char *place;	 /* the origin of the request, for may_repeat */
	bool is_relayed;	 /* received through a relay */
	bool may_name_recipient; /* "to" may be our name (3.6 step 7) */
	/*
	 * The same signature is accepted again at once from the same place
	 * (spec 2.15).
	 */
	bool may_repeat;
	bool is_sealed; /* only the signer can send it: no claim needed */
	/*
	 * What is wrong with the request, reported only if the signature is
	 * valid, which is then not claimed. Static text; NULL: nothing.
	 */
	const char *late;
	/*
	 * Who was proven to be the caller by an earlier frame: payload, from and
	 * signature are not read. NULL: they say it.
	 */
	const struct caller *caller;
	/* What it says, if that is not in the payload; NULL: nothing. */
	const struct json *prompt;
};

/* The verdict, valid only inside the callback. */
struct access_verdict {
	const struct caller *caller; /* the caller, if the signature is valid */
	const struct err *err;	     /* NULL: admitted */
	bool may_onboard;	     /* refused; see access_doors() */
};

/* Receives a verdict, on the loop's thread. */
typedef void access_fn(void *arg, const struct access_verdict *verdict);

/*
 * Receives the answer of the evaluator; reason is valid only inside the call.
 */
typedef void access_judged_fn(void *arg, bool is_allowed, const char *reason);

/* What an access needs. All of it is borrowed and must outlive it. */
struct access_setup {
	const struct conf *conf;
	struct store *store;
	struct heritage *heritage;
	struct loop *loop;
	const char *name;	   /* the agent's, valid as a recipient */
	const uint8_t *secret_key; /* identity/ident_key.h; NULL: cannot seal */
	/*
	 * Called from any thread: access_collect() must be called on the loop
	 * soon.
	 */
	void (*wake)(void *arg);
	/*
	 * Ask the evaluator about the caller identified by key; facts is a JSON
	 * object. fn is called once, later. NULL: there is no evaluator.
	 */
	void (*judge)(void *arg, const char *key, const char *facts,
	    access_judged_fn *fn, void *fn_arg);
	void *arg;
};

/*
 * Create an access. Returns NULL with ERR_CONFIG if the policy or the lists
 * cannot be used.
 */
struct access *access_new(const struct access_setup *setup, struct err *err);

/* Forget all calls, stop the threads, free, and null *a. */
void access_free(struct access **a);

/* Deliver the results that other threads have finished. */
void access_collect(struct access *a);

/* Refuse calls that have waited too long. Call it every 100 ms. */
void access_tick(struct access *a);

/*
 * Ask for a verdict. Without payload, from and signature the caller is
 * anonymous, and only the policy is evaluated. fn is called once, unless
 * access_forget() is called before.
 */
struct access_call *access_ask(
    struct access *a, const struct access_ask *ask, access_fn *fn, void *arg);

/* Cancel the callback of a call, and null *call. */
void access_forget(struct access_call **call);

/*
 * A client requests a seal. All pointers are borrowed for the duration of the
 * call.
 */
struct access_sealing {
	const struct json *frame; /* the SEAL frame */
	const char *peer;	  /* address of the client */
	bool is_relayed;	  /* received through a relay */
};

/*
 * Seal a connection, as described at seal_call_new(). This proves the client's
 * identity, and checks nothing else about it.
 */
struct seal_call *access_seal(struct access *a,
    const struct access_sealing *sealing, seal_call_fn *fn, void *arg,
    struct err *err);

/*
 * Whether anonymous callers are always admitted, so that access_ask() is not
 * needed. Even if false, access_ask() may admit one.
 */
bool access_is_open(const struct access *a);

/* Whether clients may seal their connections: the key of the agent is there. */
bool access_can_seal(const struct access *a);

/*
 * Get the current level of an address. Returns 0, or -1: ERR_FORBIDDEN
 * (blacklisted or blocked), ERR_MISCONFIGURED (a list cannot be read).
 */
int access_look(struct access *a, const char *address, struct caller *caller,
    struct err *err);

/*
 * Whether a caller may have been blocked since the last call. Cheap enough to
 * be called every half second.
 */
bool access_has_changed(struct access *a);

/*
 * Whether the address is blocked or blacklisted, as of the last
 * access_has_changed().
 */
bool access_is_blocked(const struct access *a, const char *address);

/* The ways in which a stranger can be admitted. */
struct access_doors {
	bool has_invite;
	bool has_payment;
	double price;
};

/* Get the ways that are open now. Returns false if there is none. */
bool access_doors(const struct access *a, struct access_doors *doors);

/*
 * Process the ONBOARD_SUBMIT of a caller that access_ask(ACCESS_ONBOARD) has
 * admitted: check invite_code, or else payment, in the payload, and promote the
 * caller. The verdict has its new level, or an err with the text of spec 2.9.1.
 */
struct access_call *access_onboard(struct access *a, const char *address,
    const struct json *payload, const char *peer, access_fn *fn, void *arg);

/* Receives the result of a change to the lists. */
typedef void access_change_fn(
    void *arg, const struct lists_result *result, const struct err *err);

/*
 * Change the lists, as requested by an admin. fn is called once, later, with
 * result, or with NULL and err. Changes are made in the order of the calls. A
 * change fails with ERR_CROWDED if there is no room for it, or if it takes
 * longer than 2 s. It cannot be cancelled: arg must outlive it.
 */
void access_change(struct access *a, const struct lists_change *change,
    access_change_fn *fn, void *arg);

#endif
