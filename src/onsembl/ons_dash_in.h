/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_DASH_IN_H
#define ONSEMBL_ONS_DASH_IN_H

/* What dashboards send (doc/onsembl.txt 3). */
#include <stddef.h>

struct ons_dash;

/* Take the token of its upgrade; NULL: it showed none. */
void ons_dash_in_token(struct ons_dash *d, const char *token, size_t len);

/* Take a message. */
void ons_dash_in(struct ons_dash *d, const char *text, size_t len);

#endif
