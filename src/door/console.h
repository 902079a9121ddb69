/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_CONSOLE_H
#define DOOR_CONSOLE_H

/*
 * The console prints one line for people about each thing that clients do, in
 * the wording of the Python host, to standard output and, if there is a log
 * file, to the log. No colours. Text from peers is cut and its control
 * characters are escaped, so that nobody can forge a line or control a
 * terminal. A line that the terminal does not accept at once is dropped.
 *
 * address is the caller's address, "" for an anonymous caller. Of addresses and
 * session ids only the first characters are shown.
 */
#include <stdbool.h>
#include <stddef.h>

struct session;
struct session_input;

/*
 * Send lines to descriptor fd (-1: none) and, if is_logged, to the log at info
 * level. Before this call they go to the log only.
 */
void console_to(int fd, bool is_logged);

/* A socket was opened; n is the number of sessions. */
void console_opened(const char *peer, unsigned n);

/* A socket was closed; n is the number of sessions. */
void console_closed(unsigned n);

/*
 * A CONNECT was accepted or not. peer_version is a word of ours, never text
 * from the peer.
 */
void console_compat(
    const char *transport, const char *peer_version, bool is_accepted);

/*
 * A client was greeted. is_newer: the server's conversation was the newer one.
 */
void console_connect(const char *address, const char *session,
    const char *status, bool is_newer);

/* A client was greeted again on the same socket. */
void console_reattach(const char *address, const char *session,
    const char *status, bool is_newer);

/* The client sent a conversation. */
void console_history(size_t n_messages);

/* The server's conversation was the newer one. */
void console_merged(void);

/* The client named a session of another caller. */
void console_foreign(const char *session);

/* The client's session has a running turn. */
void console_resumed(void);

/*
 * An input is about to be given to a session: console_runtime_input() if its
 * turn runs, else console_input().
 */
void console_submit(const struct session *s, const struct session_input *in);

/* An input was accepted. */
void console_input(
    const char *address, const char *session, const char *prompt, size_t len);

/* The input had this many images and files. */
void console_attached(size_t images, size_t files);

/* An input joined a running turn. */
void console_runtime_input(const char *session, const char *prompt, size_t len);

/* A client called a tool. */
void console_exec(const char *tool, const char *args, size_t len);

/* Some other frame was received. */
void console_received(const char *type, size_t len);

/* A frame (such as "CONNECT") was refused because of its signature. */
void console_auth_error(const char *frame, const char *why);

/* A frame was refused because the connection is not authenticated yet. */
void console_unauthenticated(const char *frame);

/*
 * An agent failed. The text is for the operator, and must never go to a client.
 */
void console_agent_error(const char *text, size_t len);

/*
 * A stranger was verified by some means ("invite code" or "payment"; never the
 * code itself) and now has this level.
 */
void console_verified(
    const char *address, const char *means, const char *level);

/* The connection to the relay changed; a whole line. */
void console_relay(const char *what);

/* Sessions expired. */
void console_expired(unsigned n);

#endif
