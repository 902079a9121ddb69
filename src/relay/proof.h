/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_PROOF_H
#define RELAY_PROOF_H

/*
 * Who a client is. The relay does not need to know, with one exception: where
 * an agent knows its clients by their session id alone, a socket may take the
 * id of another only if the same key signed for both. Its CONNECT is verified on
 * a thread. Loop's thread only.
 */
struct buf;
struct crew;
struct proof;

/* The largest CONNECT that is looked at, in bytes. */
#define PROOF_BYTES ((size_t)65536)

/*
 * Verify a CONNECT to an agent (canonical address). fn(arg, signer) is called
 * once, later, with the address of its signer, or "" if it proves nothing.
 * Returns NULL, and never calls fn, if it cannot be verified now.
 */
struct proof *proof_begin(struct crew *crew, const struct buf *connect,
    const char *to, void (*fn)(void *arg, const char *signer), void *arg);

/* The caller is gone: do not call fn. Sets *p to NULL, which it may be. */
void proof_forget(struct proof **p);

/*
 * Write the session that a SESSION_STATUS asks about, or "" if it names none.
 * out has room for TUNNEL_SESSION_ID and a NUL.
 */
void proof_asked(char *out, const struct buf *status);

#endif
