/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_BANNER_H
#define MAIN_BANNER_H

/*
 * The text that a server in the foreground prints once all its workers serve.
 * Pure function: facts in, text out, without colours, so that it reads the same
 * in a file.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

/* The facts; everything is borrowed. */
struct banner {
	const char *notices; /* whole lines printed first; may be "" */
	const char *name;    /* of the agent */
	const char *model;   /* may be "" */
	size_t n_tools;
	const char *state;     /* what its turns share; NULL: nothing to say */
	const char *bound;     /* as returned by listen_open() */
	const char *address;   /* our 0x... */
	const char *doors;     /* core/doors.h */
	bool has_relay;	       /* it says itself when it is reached */
	const char *host_yaml; /* path of the settings, or "" */
	const char *co_dir;
	/*
	 * The trust level, or "custom"; and the value of CONNECTONION_ENV if
	 * the level came from there, else NULL.
	 */
	const char *trust;
	const char *environment;
	bool has_invite;  /* CO_INVITE_CODE is set */
	bool has_payment; /* CO_PAYMENT sets a price */
};

/* Append the text. */
void banner_print(struct buf *out, const struct banner *b);

#endif
