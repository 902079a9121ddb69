/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_LIMIT_H
#define OIP_OIP_LIMIT_H

/*
 * Limits of the ConnectOnion door (limits/limits.h). A client that exceeds a
 * limit gets an ERROR with the number, and keeps its connection.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct oip_conn;

/*
 * Count the client's socket under this address from now on. Returns false if
 * that exceeds the limit, and the client was told.
 */
bool oip_limit_caller(struct oip_conn *c, const char *address);

/*
 * Count a message of the client's peer. Returns false if that exceeds the
 * limit, and the client was told.
 */
bool oip_limit_message(struct oip_conn *c, size_t len);

/*
 * Count an input or a tool call of the client's caller. Returns 0, or -1 with
 * ERR_LIMIT.
 */
int oip_limit_input(const struct oip_conn *c, size_t len, struct err *err);

#endif
