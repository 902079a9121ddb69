/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_ORDER_H
#define WRAPPER_ORDER_H

/*
 * An order is a command of the server that is not over: what it asks for, and
 * what has been said about it. It lives until the server has been told its end.
 */
#include "base/buf.h"
#include "base/list.h"
#include "ons/ons_order.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The maximum number of arguments, and of variables, of one command. */
#define ORDER_MAX_WORDS 1024

struct order {
	struct list link;
	char *id;
	char *text;
	char **args; /* NULL-terminated */
	char **env;  /* "NAME=VALUE", NULL-terminated */
	char *dir;   /* a real path in the working directory */
	char *kind;  /* "NATURAL", "INVESTIGATE", ...; NULL: it was not said */
	enum ons_priority priority;
	int64_t time_limit_ms; /* 0: none */
	int64_t began_ms;      /* 0: it waits */
	int64_t sequence;      /* of the last output */
	int64_t n_tokens;      /* of its model; 0: unknown */
	int64_t asked;	       /* that of the newest question; 0: none */
	struct buf output[2];  /* not sent yet: output, errors */
	bool is_cancelled;
	const char *why; /* static; NULL: as the agent says */
};

/*
 * Copy a request. root is the working directory, a real path. Returns NULL,
 * with a text for the sender in why, if it cannot be done here.
 */
struct order *order_new(
    const struct ons_request *q, const char *root, char *why, size_t size);

/* Free and null *o. It must be in no list. */
void order_free(struct order **o);

/*
 * Resolve a directory, absolute or below root. Returns its real path, to be
 * freed; or NULL, with a text in why, unless it is root or inside it.
 */
char *order_dir(const char *root, const char *dir, char *why, size_t size);

#endif
