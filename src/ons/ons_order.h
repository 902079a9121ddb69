/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONS_ONS_ORDER_H
#define ONS_ONS_ORDER_H

/*
 * What a server sends to an agent on /ws/agent: the payloads of the ACK of
 * AGENT_CONNECT, COMMAND_REQUEST, COMMAND_CANCEL, AGENT_CONTROL,
 * EMERGENCY_STOP, AGENT_STIMULUS, SERVER_HEARTBEAT and TOKEN_REFRESH. The form
 * that is written satisfies every known agent. The first three have the same
 * members when a dashboard sends them, so they are read with the same calls.
 *
 * A read returns NULL, or what is wrong with the payload, as the end of a
 * sentence. Texts are borrowed from the reader (ons/ons_message.h). Absent
 * texts and JSON have a NULL pointer.
 */
#include "ons/ons_message.h"

/* Commands of a higher priority overtake others that wait for their agent. */
enum ons_priority {
	ONS_URGENT,
	ONS_HIGH,
	ONS_NORMAL,
	ONS_LOW,
};
#define ONS_N_PRIORITIES 4

/* Returns its word: "urgent", ... */
const char *ons_priority_name(enum ons_priority priority);

/*
 * Returns the priority that a dashboard means: a word in any case; or a number,
 * of which 0 is high, 1 to 5 normal, more low, and less urgent. Anything else
 * is normal.
 */
enum ons_priority ons_priority_of(
    struct ons_reader *r, const struct json *value);

/* The ACK of AGENT_CONNECT. */
struct ons_welcome {
	struct span connection; /* an id of this connection */
	struct span agent;
	bool takes_events; /* AGENT_EVENT may be sent */
};

/* Read the payload of an ACK; agent is absent if it answers something else. */
void ons_read_welcome(
    struct ons_welcome *w, struct ons_reader *r, const struct ons_message *m);
void ons_put_welcome(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_message *connect, const struct ons_welcome *w);

/* The time limit of a command if its sender names none. */
#define ONS_TIME_LIMIT_MS 300000

/* COMMAND_REQUEST. */
struct ons_request {
	struct span command; /* its id; absent: the receiver makes one */
	struct span agent;
	struct span text; /* what to do; required */
	struct span args; /* JSON, an array or object; absent: none */
	struct span env;  /* JSON, an object of texts; absent: none */
	struct span dir;  /* working directory; absent: the agent's own */
	enum ons_priority priority;
	struct span kind;	 /* "NATURAL", ...; absent: that */
	struct span constraints; /* JSON, an object; absent: the default */
	int64_t time_limit_ms;	 /* of the constraints; 0: none is named */
	struct span dashboard;
	struct span user;
	/*
	 * From a dashboard, ours: the id of the command whose question this
	 * answers; such a text is never run. Absent: it may be either.
	 */
	struct span answer_to;
};

/* Read its payload; append such a message. */
const char *ons_read_request(
    struct ons_request *q, struct ons_reader *r, const struct ons_message *m);
void ons_put_request(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_request *q);

/* COMMAND_CANCEL. */
struct ons_cancel {
	struct span command;
	struct span agent; /* absent: that of the command */
	struct span reason;
	bool is_forced;
};

/* Read its payload; append such a message. */
const char *ons_read_cancel(
    struct ons_cancel *c, struct ons_reader *r, const struct ons_message *m);
void ons_put_cancel(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_cancel *c);

/* AGENT_CONTROL. */
enum ons_action {
	ONS_STOP,
	ONS_RESTART,
	ONS_PAUSE,
	ONS_RESUME,
};

/* Returns its word: "STOP", ... */
const char *ons_action_name(enum ons_action action);

struct ons_control {
	struct span agent; /* required from a dashboard, absent to an agent */
	enum ons_action action;
	struct span reason;
	bool is_graceful; /* written: true for ONS_STOP only */
	int64_t timeout_ms;
};

/* Read its payload; append such a message. */
const char *ons_read_control(
    struct ons_control *c, struct ons_reader *r, const struct ons_message *m);
/* timeout_ms is written as 30000. */
void ons_put_control(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_control *c);

/* EMERGENCY_STOP. */
struct ons_stop {
	struct span by; /* the user */
	struct span reason;
	int64_t n_agents;
	int64_t n_commands;
};

/* Read its payload; append such a message. */
void ons_read_stop(
    struct ons_stop *s, struct ons_reader *r, const struct ons_message *m);
void ons_put_stop(
    struct buf *out, struct span id, int64_t now_ms, const struct ons_stop *s);

/*
 * AGENT_STIMULUS: what a command that runs is told, such as the answer to a
 * question. stimulus is a line to an agent of co-agent(7), a JSON object with a
 * type. Only for agents that sent AGENT_EVENT. An answer may come twice, so it
 * has the sequence of the AGENT_EVENT that asked.
 */
struct ons_stimulus {
	struct span command;
	struct span stimulus;
	int64_t asked; /* that sequence; 0: none */
};

/* Read its payload; append such a message. */
const char *ons_read_stimulus(
    struct ons_stimulus *s, struct ons_reader *r, const struct ons_message *m);
void ons_put_stimulus(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_stimulus *s);

/* SERVER_HEARTBEAT, the answer to AGENT_HEARTBEAT. */
void ons_put_server_heartbeat(struct buf *out, struct span id, int64_t now_ms);

/* TOKEN_REFRESH. */
struct ons_refresh {
	struct span access;
	struct span refresh; /* absent: none */
	int64_t expires_s;   /* in seconds */
};

/* Read its payload; append such a message. */
const char *ons_read_refresh(
    struct ons_refresh *f, struct ons_reader *r, const struct ons_message *m);
void ons_put_refresh(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_refresh *f);

#endif
