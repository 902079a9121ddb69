/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_DASH_COMMAND_H
#define ONSEMBL_ONS_DASH_COMMAND_H

/*
 * The commands of a dashboard: each the turn of a session whose events the
 * dashboard is told as it takes them (onsembl/ons_frame.h). A command is
 * forgotten when it has ended, an hour after it was sent, or with its dashboard;
 * its turn goes on, unless it was cancelled.
 */
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct dialin_queue;
struct ons_agent;
struct ons_dash;
struct ons_message;
struct ons_request;

/* How long a dashboard is told of a command. */
#define ONS_COMMAND_TTL_MS 3600000

/*
 * Run a command for the dashboard, which is told of it by an ACK, or by an
 * ERROR. If an earlier command of this dashboard to this agent waits for an
 * answer, this one is that answer; with q->answer_to it is nothing else.
 */
void ons_dash_command_run(struct ons_dash *d, const struct ons_message *m,
    const struct ons_request *q, const struct ons_agent *a);

/*
 * The same for a command that its user has sent before, and whose agent is not
 * connected now. Returns false, and does nothing, if there is no such command.
 */
bool ons_dash_command_repeat(struct ons_dash *d, const struct ons_message *m,
    const struct ons_request *q);

/*
 * Tell the dashboard from now on of a command of its user that no dashboard has
 * now, or that it has itself. Returns whether there is such a command.
 */
bool ons_dash_command_take(struct ons_dash *d, struct span command);

/*
 * Stop a command of this dashboard. Returns false if it has none of this id.
 */
bool ons_dash_command_cancel(struct ons_dash *d, struct span command);

/*
 * Stop all its commands that are for this agent; NULL: for any. Returns their
 * number.
 */
unsigned ons_dash_command_cancel_all(struct ons_dash *d, const char *agent);

/* Send its COMMAND_STATUS of each command that has not ended. */
void ons_dash_command_list(struct ons_dash *d);

/*
 * Append the commands of this dashboard that are in a queue, as the array
 * "queued" of QUEUE_UPDATE; those of others are none of its business.
 */
void ons_dash_command_put_queue(
    struct buf *out, const struct ons_dash *d, const struct dialin_queue *q);

/* Send as much of all commands as the wire takes. */
void ons_dash_command_pump(struct ons_dash *d);

/* Forget the commands that are older than ONS_COMMAND_TTL_MS. */
void ons_dash_command_expire(struct ons_dash *d, int64_t now_ms);

/* Forget all. */
void ons_dash_command_forget(struct ons_dash *d);

#endif
