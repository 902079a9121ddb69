/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SOCKETIO_SIO_PACKET_H
#define SOCKETIO_SIO_PACKET_H

/*
 * Packets of Socket.IO, protocol 5, which are the data of Engine.IO messages:
 *
 *	type [attachments "-"] [namespace ","] [ack id] [JSON]
 *
 * Attachments follow as binary packets of Engine.IO; the count says how many.
 * Until they have all come, a client must not send another packet. Pure
 * functions; what they return points into the text that was read.
 */
#include "base/json.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* The types of packets; a packet begins with the type as a digit. */
enum sio_type {
	SIO_CONNECT,	  /* to a namespace; the JSON is absent or an object */
	SIO_DISCONNECT,	  /* from a namespace; no JSON */
	SIO_EVENT,	  /* the JSON is an array: name, argument, ... */
	SIO_ACK,	  /* the JSON is an array of arguments */
	SIO_REFUSAL,	  /* CONNECT_ERROR; only from a server */
	SIO_BINARY_EVENT, /* as SIO_EVENT, with attachments */
	SIO_BINARY_ACK,	  /* as SIO_ACK, with attachments */
};

/* The maximum number of attachments, digits of an ack id, and namespace. */
#define SIO_MAX_ATTACHMENTS 10
#define SIO_MAX_ACK 32
#define SIO_MAX_NAMESPACE 256

struct sio_packet {
	enum sio_type type;
	unsigned n_attachments; /* that will follow */
	struct span nsp;	/* the namespace; "/" if none is named */
	/*
	 * The digits of the ack id as they came, to be echoed: they are not a
	 * number, need not grow and may repeat. Absent: no answer is wanted.
	 */
	struct span ack;
	const struct json *json; /* NULL: absent */
};

/*
 * Read a packet of a client. The JSON is parsed into *doc, which the caller
 * owns; the text must outlive it. Returns true; or false with *why saying what
 * is wrong with it, as the end of a sentence ("has no type"): it is malformed,
 * or names an event that only a client's own library may raise (such as
 * "connect" or "disconnect").
 */
bool sio_packet_read(struct sio_packet *p, struct json_doc *doc,
    const char *text, size_t len, const char **why);

/* Whether the packet is for the main namespace. */
bool sio_is_main(const struct sio_packet *p);

/* Whether the name of an event is reserved by client libraries. */
bool sio_name_is_reserved(const struct json *name);

/*
 * Append packets of a server, each as a message of Engine.IO ("4" first). nsp
 * is a namespace; that of "/" is omitted.
 */

/* The client is connected, by this sid (not that of Engine.IO). */
void sio_put_connected(struct buf *out, struct span nsp, const char *sid);

/*
 * The client is not connected: {"message":TEXT,"data":{}}, with "detail" in its
 * data unless that is NULL.
 */
void sio_put_refusal(
    struct buf *out, struct span nsp, const char *text, const char *detail);

/* The answer to an event with this ack id, without arguments. */
void sio_put_ack(struct buf *out, struct span nsp, struct span ack);

/*
 * An event in the main namespace with one argument. Append the JSON of the
 * argument between the two calls. The name must not be reserved.
 */
void sio_begin_event(struct buf *out, const char *name);
void sio_end_event(struct buf *out);

#endif
