/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_HEAR_H
#define AGENTSERVER_AS_HEAR_H

/* What a client says over its WebSocket: messages, each of which runs. */
#include <stdbool.h>
#include <stddef.h>

struct as_conn;

/* Whether a frame shows the right key. */
bool as_hear_key(const char *text, size_t len);

/* A frame of a client that is admitted. */
void as_hear_text(struct as_conn *c, const char *text, size_t len);

/* Tell the client of its mistake. */
void as_hear_complain(struct as_conn *c, const char *code, const char *detail);

/* The client is gone: forget what waits. Its messages proceed. */
void as_hear_forget(struct as_conn *c);

#endif
