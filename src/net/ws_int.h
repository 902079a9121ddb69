/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_WS_INT_H
#define NET_WS_INT_H

/*
 * Private to net/: one WebSocket and its parts. ws.c manages its life: what
 * happens when, and when it ends. ws_in.c parses input, ws_out.c queues and
 * writes output, and ws_handshake.c makes one from a request.
 *
 * Nothing here frees a socket: an event sets flags, and ws.c draws the
 * consequences when the event is over. So a callback may do anything to its
 * socket.
 */
#include "base/buf.h"
#include "base/unfinished.h"
#include "net/http_int.h"
#include "net/ws.h"
#include "websocket/ws_close.h"
#include "websocket/ws_tally.h"

#include <wslay/wslay.h>

/* Output that is not copied, and what was queued before it. */
struct ws_piece {
	struct list link;
	struct buf bytes;
	size_t taken; /* bytes at its head already written, or not to be */
};

struct ws_parser;

/* Where the parser is in a frame, so that it gets no byte of the next one. */
struct ws_step {
	uint8_t head[14]; /* of a frame, as far as it came */
	size_t n_head;
	uint64_t left; /* bytes of its payload that are still to come */
	bool is_over;  /* the frame is complete */
};

struct ws {
	struct wire wire; /* first, so that a wire of ours is a ws */
	struct list link; /* in sockets.all */
	struct loop *loop;
	struct ws_limits limits;
	char *peer;
	char *place;
	char *path;	    /* of its request, for http_access.h; may be NULL */
	int64_t began_us;   /* 0: not open yet */
	uint64_t bytes_in;  /* that came */
	uint64_t bytes_out; /* that the kernel took */
	h2o_socket_t *sock; /* NULL until the handshake's reply is written */
	struct ws_parser *parser; /* NULL between two messages */
	struct buf early;	  /* what came with the handshake */
	const char *in;		  /* what the parser has yet to read */
	size_t in_len;
	struct buf rest; /* input that waits for the end of a pause */
	struct ws_step step;
	struct buf message;    /* the text message being received */
	struct ws_tally tally; /* of that message */
	size_t most_bytes;     /* of that message */
	struct ws_close closing;
	struct unfinished part; /* what came of it */
	struct list pieces;	/* output before out: struct ws_piece */
	size_t piece_bytes;	/* of all of them */
	struct buf out;
	size_t taken; /* bytes at the head of out already written */
	struct loop_later flush;
	int64_t heard_ms;    /* last input or ping, by the last sweep */
	int64_t input_ms;    /* last input, likewise */
	int64_t progress_ms; /* when output began to wait, or was last taken */
	int64_t began_ms;    /* when an incomplete message began; 0: none */
	int64_t closing_ms;  /* when the end began; 0: open */
	bool is_opening;     /* the library still owns the connection */
	bool is_reading;
	bool is_waiting; /* for the kernel to take more */
	bool was_high;	 /* on_drain is due when little waits */
	bool has_sent_close;
	bool has_done_reading; /* the peer closed, or broke the protocol */
	bool is_clean;	       /* the peer's close frame came */
	bool is_shut;	       /* our direction is shut down */
	bool is_dead;	       /* free it as soon as no callback runs */
	bool is_told;	       /* on_gone was called */
};

/* Returns how many bytes are queued and not yet taken by the kernel. */
static inline size_t ws_waiting_bytes(const struct ws *w)
{
	return w->piece_bytes + w->out.len - w->taken;
}

/* Prepare w for input. */
void ws_in_init(struct ws *w);

/* Free what has come of a message. */
void ws_in_fini(struct ws *w);

/* Parse n bytes of input; calls the handlers for complete messages. */
void ws_in_feed(struct ws *w, const char *p, size_t n);

/* The same with what a pause has left in w->rest. */
void ws_in_resume(struct ws *w);

/* Have the end of this tick write what is queued, and settle. */
void ws_out_ask(struct ws *w);

/* Break the connection as soon as no callback runs. */
void ws_out_cut(struct ws *w);

/* Queue bytes that are part of a frame. */
void ws_out_raw(struct ws *w, const void *p, size_t n);

/* Queue one whole frame. */
void ws_out_frame(struct ws *w, uint8_t opcode, const char *data, size_t len);

/*
 * Queue one whole frame with a payload of two parts: head, and text from the
 * byte 'from' on, which is taken.
 */
void ws_out_pass(struct ws *w, uint8_t opcode, const char *head,
    size_t head_len, struct buf *text, size_t from);

/* Discard what is queued. */
void ws_out_fini(struct ws *w);

/* Queue a close frame; the reason is truncated to fit. */
void ws_out_close(struct ws *w, int code, const char *reason);

/* A close frame was queued: nothing more may follow. */
void ws_out_closed(struct ws *w);

/*
 * Give the kernel as much as it takes. The rest waits for on_writable; a broken
 * connection makes w dead.
 */
void ws_out_write(struct ws *w, h2o_socket_cb on_writable);

/* Answer the handshake; on_upgraded(w, ...) gets the connection. Ends req. */
void ws_handshake_reply(
    struct http_req *req, h2o_http1_upgrade_cb on_upgraded, struct ws *w);

#endif
