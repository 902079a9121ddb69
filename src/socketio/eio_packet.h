/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef SOCKETIO_EIO_PACKET_H
#define SOCKETIO_EIO_PACKET_H

/*
 * Packets of Engine.IO, protocol 4, the layer below Socket.IO. On a WebSocket
 * one message is one packet: a text begins with the digit of its type, and a
 * binary message is a packet of its own. In the body of a poll or a POST
 * (long-polling), packets are separated by the byte 0x1e, and a binary packet
 * is a 'b' followed by base64.
 *
 * Readers accept what published clients send: white space behind a packet
 * (websocat in line mode) and line ends inside base64 (Java). Pure functions;
 * what they return points into the text that was read.
 */
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* The types of packets. A text packet begins with the type as a digit. */
enum eio_type {
	EIO_OPEN,    /* server to client, once: eio_put_open() */
	EIO_CLOSE,   /* a client leaves; a server must not send it */
	EIO_PING,    /* server to client; "2probe" comes from a client */
	EIO_PONG,    /* client to server, at any time; "3probe" the other way */
	EIO_MESSAGE, /* its data is a packet of Socket.IO */
	EIO_UPGRADE, /* client to server: the new WebSocket is the transport */
	EIO_NOOP,    /* server to client: ends a poll that has nothing to say */
	EIO_BINARY,  /* the bytes of an attachment */
};

/* Between two packets of a body. */
#define EIO_SEPARATOR '\x1e'

/* The maximum number of packets in one body. */
#define EIO_MAX_PACKETS 10000

struct eio_packet {
	enum eio_type type;
	struct span data; /* what follows the type; may be empty */
};

/*
 * Read the packet in a text message of a WebSocket. Returns false if it has no
 * type.
 */
bool eio_packet_read(struct eio_packet *p, const char *text, size_t len);

/* A body that is read packet by packet; begin with {.at = body, .left = len}. */
struct eio_payload {
	const char *at;
	size_t left;
	unsigned n_packets; /* read so far */
	bool is_over;
};

enum eio_next {
	EIO_NEXT,	/* *p is a packet */
	EIO_NEXT_END,	/* there are no more */
	EIO_NEXT_BAD,	/* no packet; the rest of the body cannot be read */
	EIO_NEXT_CROWD, /* more than EIO_MAX_PACKETS */
};

/*
 * Read the next packet. The bytes of a binary packet are put into *bytes, which
 * is overwritten by the next one. An empty body and an empty packet are bad.
 */
enum eio_next eio_payload_next(
    struct eio_payload *payload, struct eio_packet *p, struct buf *bytes);

/* What a server tells a client in the first packet. */
struct eio_open {
	const char *sid;
	bool may_upgrade; /* to a WebSocket */
	int64_t ping_interval_ms;
	int64_t ping_timeout_ms;
	size_t max_payload_bytes;
};

/* Append an open packet, with its type. */
void eio_put_open(struct buf *out, const struct eio_open *open);

/* The number of characters in a sid, which has 120 random bits. */
#define EIO_SID 20

/* Write a new sid (A-Z a-z 0-9 - _) and a NUL to out. */
void eio_sid_new(char out[EIO_SID + 1]);

/* Whether the text has the form of a sid. */
bool eio_sid_is_valid(const char *text, size_t len);

#endif
