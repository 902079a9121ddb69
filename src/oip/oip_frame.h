/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OIP_OIP_FRAME_H
#define OIP_OIP_FRAME_H

/*
 * The frames of the ConnectOnion door that are not events of a journal:
 * CONNECTED, ERROR and the small answers. Pure functions: each call appends one
 * whole JSON object to a buf.
 */
#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>

struct access_doors;
struct agent_about;
struct conf;
struct session_exec_result;
struct session_receipt;
struct session_record;

/* The contents of CONNECTED. */
struct oip_hello {
	const char *session_id;
	const char *status;	  /* a word of the protocol */
	const char *conversation; /* the server's copy, if newer; NULL: none */
	size_t conversation_len;
	const char *continuation; /* for a holder; NULL: none */
	const struct buf *modes;  /* session_modes; NULL: left out */
	const struct buf *rows;	  /* further members, with commas, or NULL */
};

/* CONNECTED (doc/oip.txt 3). */
void oip_frame_connected(struct buf *out, const struct oip_hello *hello);

/* AGENT_PROFILE: the content of /info. A known caller gets all skills. */
void oip_frame_profile(struct buf *out, const char *session_id,
    const char *name, const char *address, const struct agent_about *about,
    bool is_known);

/* ONBOARD_REQUIRED: how a stranger can be admitted (doc/oip.txt 2). */
void oip_frame_onboard(struct buf *out, const char *identity,
    const char *address, const struct access_doors *doors);

/* ONBOARD_SUCCESS. */
void oip_frame_onboarded(struct buf *out, const char *identity,
    const char *level, const char *message);

/* DASHBOARD_SNAPSHOT of a page. */
void oip_frame_dashboard(
    struct buf *out, const char *session_id, const char *html, size_t len);

/* ERROR with only a text. */
void oip_frame_error(struct buf *out, const char *message);

/* ERROR for a refusal, with its code; session_id may be NULL. */
void oip_frame_refusal(
    struct buf *out, const struct err *err, const char *session_id);

/* ERROR -32010: the client speaks another protocol. */
void oip_frame_unsupported(struct buf *out);

/*
 * ERROR for a text that is not a frame. The error's message does not include
 * the words "Invalid JSON: ".
 */
void oip_frame_invalid(struct buf *out, const struct json_error *error,
    const char *received, size_t len);

/*
 * ERROR "unknown message type", with the type as Python's repr() shows it; type
 * may be NULL.
 */
void oip_frame_unknown(struct buf *out, const struct json *type);

/*
 * RUNTIME_INPUT_ACK; is_answer: the input was the answer to a question.
 * input_id NULL: left out.
 */
void oip_frame_ack(struct buf *out, const char *session_id, const char *id,
    const char *input_id, bool is_answer);

/*
 * OUTPUT or ERROR of a turn that has ended, for an input that was sent again.
 */
void oip_frame_again(struct buf *out, const struct session_receipt *receipt,
    const struct session_record *record, const char *input_id);

/*
 * mode_changed, with the client's own word for the mode; turns_left 0 becomes
 * null.
 */
void oip_frame_mode(struct buf *out, const char *session_id, const char *word,
    int64_t turns_left);

/*
 * reset: n_missed events (0: an unknown number) between the last event seen and
 * the next frame will not come.
 */
void oip_frame_gap(struct buf *out, const char *session_id, uint64_t n_missed);

/* DELETED: the session is no more (doc/oip.txt 15). */
void oip_frame_deleted(struct buf *out, const char *session_id);

/* SESSION_STATUS; id NULL becomes null. */
void oip_frame_status(
    struct buf *out, const char *id, size_t len, const char *status);

/* EXEC_RESULT of a call that was run; id and tool are JSON text. */
void oip_frame_exec_result(struct buf *out, const char *id, const char *tool,
    const struct session_exec_result *result);

/* EXEC_RESULT with an error; the tool is included if it is a string. */
void oip_frame_exec_error(
    struct buf *out, const struct json *frame, const char *error);

/* The refusal of a PROVIDER_ frame; ack is the type of the answer. */
void oip_frame_provider(struct buf *out, const char *ack,
    const struct json *frame, const char *reason);

/*
 * Append v as Python's repr() shows it, cut to about 200 bytes; NULL is None.
 */
void oip_frame_repr(struct buf *out, const struct json *v);

#endif
