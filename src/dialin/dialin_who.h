/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_WHO_H
#define DIALIN_DIALIN_WHO_H

/* What AGENT_CONNECT says of an agent, as the table and the dock keep it. */
#include "dialin/dialin_table.h"
#include "ons/ons_report.h"

struct dialin_conn;

/* Copy a text to size bytes, whole characters only, with a NUL. */
void dialin_who_copy(char *to, size_t size, struct span s);

/* Fill in all but user and organisation. */
void dialin_who_fill(struct dialin_who *who, const struct ons_connect *c);

/* Note the commands that the agent still runs; absent: it does not tell. */
void dialin_who_active(struct dialin_conn *c, struct span json);

#endif
