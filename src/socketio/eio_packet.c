/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "socketio/eio_packet.h"

#include "base/buf.h"
#include "base/enc.h"

#include <inttypes.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span without_tail(const char *text, size_t len)
{
	while (len && is_space(text[len - 1]))
		len--;
	return (struct span){text, len};
}

bool eio_packet_read(struct eio_packet *p, const char *text, size_t len)
{
	struct span s = without_tail(text, len);
	if (!s.len || *s.text < '0' || *s.text > '6')
		return false;
	p->type = (enum eio_type)(*s.text - '0');
	p->data = (struct span){s.text + 1, s.len - 1};
	return true;
}

/* ---- bodies ---- */

static void put_without_space(struct buf *out, struct span s)
{
	char *to = buf_reserve(out, s.len);
	for (size_t i = 0; i < s.len; i++)
		if (!is_space(s.text[i]))
			*to++ = s.text[i];
	out->len = (size_t)(to - out->data);
}

/* The text is decoded in place: bytes are fewer than their characters. */
static bool read_binary(
    struct eio_packet *p, struct span base64, struct buf *bytes)
{
	size_t len;
	buf_reset(bytes);
	put_without_space(bytes, base64);
	p->type = EIO_BINARY;
	p->data = (struct span){"", 0};
	if (!bytes->len)
		return true;
	if (!enc_unbase64(bytes->data, &len, bytes->data, bytes->len))
		return false;
	bytes->len = len;
	p->data = (struct span){bytes->data, len};
	return true;
}

/* The text up to the next separator, which is consumed. */
static struct span take_part(struct eio_payload *payload)
{
	struct span part = {payload->at, payload->left};
	const char *end = memchr(payload->at, EIO_SEPARATOR, payload->left);
	payload->is_over = !end;
	if (end) {
		part.len = (size_t)(end - payload->at);
		payload->at += part.len + 1;
		payload->left -= part.len + 1;
	}
	return part;
}

enum eio_next eio_payload_next(
    struct eio_payload *payload, struct eio_packet *p, struct buf *bytes)
{
	if (payload->is_over)
		return EIO_NEXT_END;
	if (payload->n_packets == EIO_MAX_PACKETS)
		return EIO_NEXT_CROWD;
	if (!payload->left)
		return EIO_NEXT_BAD;
	struct span part = take_part(payload);
	bool is_binary = part.len && *part.text == 'b';
	bool is_good =
	    is_binary ? read_binary(p,
			    (struct span){part.text + 1, part.len - 1}, bytes)
		      : eio_packet_read(p, part.text, part.len);
	payload->n_packets++;
	return is_good ? EIO_NEXT : EIO_NEXT_BAD;
}

/* ---- the handshake ---- */

void eio_put_open(struct buf *out, const struct eio_open *open)
{
	buf_str(out, "0{\"sid\":");
	buf_json_str(out, open->sid);
	buf_str(out, ",\"upgrades\":[");
	buf_str(out, open->may_upgrade ? "\"websocket\"" : "");
	buf_printf(out,
	    "],\"pingInterval\":%" PRId64 ",\"pingTimeout\":%" PRId64
	    ",\"maxPayload\":%zu}",
	    open->ping_interval_ms, open->ping_timeout_ms,
	    open->max_payload_bytes);
}

/* base64url (RFC 4648 section 5); each character has 6 bits. */
static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void eio_sid_new(char out[EIO_SID + 1])
{
	unsigned char random[EIO_SID];
	enc_random(random, sizeof random);
	for (size_t i = 0; i < EIO_SID; i++)
		out[i] = digits[random[i] & 63];
	out[EIO_SID] = '\0';
}

bool eio_sid_is_valid(const char *text, size_t len)
{
	if (len != EIO_SID)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!text[i] || !strchr(digits, text[i]))
			return false;
	return true;
}
