/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_CONSOLE_H
#define DOOR_CONSOLE_H

/*
 * The console: a line for people about each thing that clients do, in the words
 * of the Python host, on standard output and, when there is a log file, in the
 * log. No colours. Text of peers is cut, and what is not text in it is escaped,
 * so that nobody can forge a line or steer a terminal. A line that the terminal
 * does not take at once is dropped.
 *
 * address is a caller's, "" for nobody; of it and of a session's id the first
 * characters are shown.
 */
#include <stdbool.h>
#include <stddef.h>

/*
 * Where lines go: descriptor fd (-1: none) and, if is_logged, the log at info
 * level. Before this is called they go to the log alone.
 */
void console_to(int fd, bool is_logged);

/* A socket was opened; n is how many sessions there are. */
void console_opened(const char *peer, unsigned n);

/* A socket was closed. */
void console_closed(unsigned n);

/* How a CONNECT was taken: words of ours, never of the peer. */
void console_compat(
    const char *transport, const char *peer_version, bool is_accepted);

/* A client was greeted; is_newer: the server's conversation won. */
void console_connect(const char *address, const char *session,
    const char *status, bool is_newer);

/* It was greeted again on the same socket. */
void console_reattach(const char *address, const char *session,
    const char *status, bool is_newer);

/* It brought a conversation. */
void console_history(size_t n_messages);

/* The server's conversation was the newer one. */
void console_merged(void);

/* It named another caller's session. */
void console_foreign(const char *session);

/* Its session runs. */
void console_resumed(void);

/* An input was accepted. */
void console_input(
    const char *address, const char *session, const char *prompt, size_t len);

/* With so many images and files. */
void console_attached(size_t images, size_t files);

/* An input joined a running turn. */
void console_runtime_input(const char *session, const char *prompt, size_t len);

/* A tool is called by a client. */
void console_exec(const char *tool, const char *args, size_t len);

/* Another frame came. */
void console_received(const char *type, size_t len);

/* A frame (such as "CONNECT") was refused for what its signature says. */
void console_auth_error(const char *frame, const char *why);

/* A frame was refused since nobody is known yet. */
void console_unauthenticated(const char *frame);

/* An agent failed; the text is for the operator and never for a client. */
void console_agent_error(const char *text, size_t len);

/* A stranger was verified by some means ("invite code", "payment"; never the
 * code itself) and has a new level now. */
void console_verified(
    const char *address, const char *means, const char *level);

/* Sessions were forgotten. */
void console_expired(unsigned n);

#endif
