/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONS_ONS_REPORT_H
#define ONS_ONS_REPORT_H

/*
 * What an agent sends to a server on /ws/agent: the payloads of AGENT_CONNECT,
 * AGENT_HEARTBEAT, COMMAND_ACK, TERMINAL_OUTPUT, COMMAND_COMPLETE, TRACE_EVENT,
 * INVESTIGATION_REPORT, AGENT_ERROR and AGENT_EVENT. Both known forms of each
 * can be read; the form that is written satisfies every known server.
 *
 * A read returns NULL, or what is wrong with the payload, as the end of a
 * sentence ("needs commandId, ..."). Of several faults it names the first.
 * Texts are borrowed from the reader (ons/ons_message.h). Absent texts and JSON
 * have a NULL pointer.
 */
#include "ons/ons_message.h"

/* AGENT_CONNECT, the first message of an agent. */
struct ons_connect {
	struct span agent; /* required; valid by ons_is_agent_id() */
	struct span name;  /* for people */
	struct span type;  /* "claude", "CUSTOM", ...: any case */
	struct span version;
	struct span host;	  /* the machine */
	struct span capabilities; /* JSON, an array or object */
	struct span token;	  /* in place of the one of the upgrade */
	/*
	 * A JSON array of the ids of the commands that this agent still runs,
	 * or whose end it has not reported yet: our wrapper says it when it
	 * comes back. Absent: unknown, as from all others.
	 */
	struct span active;
};

/* Read its payload; append such a message. */
const char *ons_read_connect(
    struct ons_connect *c, struct ons_reader *r, const struct ons_message *m);
void ons_put_connect(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_connect *c);

/* AGENT_HEARTBEAT. */
struct ons_health {
	bool is_there;	    /* whether it has healthMetrics */
	double cpu;	    /* percent */
	double memory_mb;   /* megabytes */
	int64_t uptime_s;   /* seconds */
	int64_t n_commands; /* that it has processed */
	double response_ms; /* on average */
};

/* Read its payload; append such a message. */
void ons_read_health(struct ons_health *h, const struct ons_message *m);
void ons_put_heartbeat(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_health *h);

/* Append the members of healthMetrics to an object that was begun. */
void ons_put_health(struct buf *out, const struct ons_health *h);

/* How a command is, as its agent says. */
enum ons_state {
	ONS_RECEIVED,
	ONS_QUEUED,
	ONS_EXECUTING,
	ONS_COMPLETED,
	ONS_FAILED,
	ONS_CANCELLED,
};

/* Returns its word: "RECEIVED", ... */
const char *ons_state_name(enum ons_state state);

/* COMMAND_ACK. */
struct ons_command_ack {
	struct span command;
	enum ons_state state; /* ONS_RECEIVED, ONS_QUEUED or ONS_EXECUTING */
	int64_t position;     /* in its queue, from 1; 0: unknown */
};

/* Read its payload; append such a message. */
const char *ons_read_command_ack(struct ons_command_ack *a,
    struct ons_reader *r, const struct ons_message *m);
void ons_put_command_ack(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_command_ack *a);

/* TERMINAL_OUTPUT: a piece of what a command wrote. */
struct ons_output {
	/* That of the agent: the agent wrote it, and no command. */
	struct span command;
	struct span content; /* required, perhaps empty */
	struct span ansi;    /* see ons_output_text() */
	bool is_stderr;
	bool is_blank;
	int64_t sequence; /* from 1, over both streams; 0: none */
};

/* Read its payload; append such a message. */
const char *ons_read_output(
    struct ons_output *o, struct ons_reader *r, const struct ons_message *m);
void ons_put_output(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_output *o);

/*
 * Returns what the command really wrote. Some agents take the escape sequences
 * out of the content and send the whole piece as ansiCodes; others send only
 * the sequences there, so that their places are lost.
 */
struct span ons_output_text(const struct ons_output *o);

/* COMMAND_COMPLETE. */
struct ons_complete {
	struct span command;
	enum ons_state state; /* ONS_COMPLETED, ONS_FAILED or ONS_CANCELLED */
	bool has_exit_code;
	int64_t exit_code;   /* may be negative: a signal, or an errno */
	int64_t duration_ms; /* -1: unknown */
	int64_t tokens;	     /* used; -1: unknown */
	struct span error;
	/*
	 * Ours: the answer of the agent, if that is not simply all that the
	 * command wrote.
	 */
	struct span result;
};

/* COMPLETED with an error is read as ONS_FAILED. */
const char *ons_read_complete(
    struct ons_complete *c, struct ons_reader *r, const struct ons_message *m);
void ons_put_complete(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_complete *c);

/* TRACE_EVENT and INVESTIGATION_REPORT, which are passed on as they are. */
struct ons_document {
	struct span command;
	struct span name;    /* traceId or reportId */
	struct span payload; /* the exact JSON of all of it */
};

/* Read its payload; append such a message. */
const char *ons_read_document(
    struct ons_document *d, struct ons_reader *r, const struct ons_message *m);
/* type is one of the two; d->payload is written. */
void ons_put_document(struct buf *out, enum ons_type type, struct span id,
    int64_t now_ms, const struct ons_document *d);

/* AGENT_ERROR. */
struct ons_failure {
	struct span kind;    /* CONNECTION, EXECUTION, RESOURCE, UNKNOWN */
	struct span message; /* required */
	bool is_recoverable; /* true if it was not said */
};

/* Read its payload; append such a message. */
const char *ons_read_failure(
    struct ons_failure *f, struct ons_reader *r, const struct ons_message *m);
void ons_put_failure(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_failure *f);

/*
 * AGENT_EVENT: what a command did, in more than text, such as a call of a tool
 * or a question to the user. event is a line of an agent of co-agent(7), a JSON
 * object with a type. Its sequence is one of those of TERMINAL_OUTPUT. Only for
 * servers whose ACK of AGENT_CONNECT has "events":true; they answer by
 * AGENT_STIMULUS (ons/ons_order.h).
 */
struct ons_event {
	struct span command;
	int64_t sequence;
	struct span event;
};

/* Read its payload; append such a message. */
const char *ons_read_event(
    struct ons_event *e, struct ons_reader *r, const struct ons_message *m);
void ons_put_event(struct buf *out, struct span id, int64_t now_ms,
    struct span agent, const struct ons_event *e);

#endif
