/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_LIMIT_H
#define OIP_OIP_LIMIT_H

/*
 * Limits of the ConnectOnion door (limits/limits.h). A client that is refused is
 * told the number in an ERROR, and keeps its connection.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct oip_conn;

/* The client is known as this address from now on; false: it was told why not. */
bool oip_limit_caller(struct oip_conn *c, const char *address);

/* Count a message of its peer; false: it was told why not. */
bool oip_limit_message(struct oip_conn *c, size_t len);

/* Count an input, or a call of a tool, of its caller. 0, or -1 with ERR_LIMIT. */
int oip_limit_input(const struct oip_conn *c, size_t len, struct err *err);

#endif
