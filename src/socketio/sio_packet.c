/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "socketio/sio_packet.h"

#include "base/buf.h"

static const struct span main_nsp = {"/", 1};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t count_digits(struct span s)
{
	size_t n = 0;
	while (n < s.len && is_digit(s.text[n]))
		n++;
	return n;
}

static struct span take(struct span *rest, size_t n)
{
	struct span taken = {rest->text, n};
	rest->text += n;
	rest->len -= n;
	return taken;
}

static bool has_attachments(enum sio_type type)
{
	return type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK;
}

/* ---- the parts of a packet: each returns what is wrong, or NULL ---- */

static const char *read_type(struct sio_packet *p, struct span *rest)
{
	if (!rest->len || *rest->text < '0' || *rest->text > '6')
		return "has no type";
	p->type = (enum sio_type)(*take(rest, 1).text - '0');
	return NULL;
}

static const char *read_attachments(struct sio_packet *p, struct span *rest)
{
	p->n_attachments = 0;
	if (!has_attachments(p->type))
		return NULL;
	struct span count = take(rest, count_digits(*rest));
	if (!count.len || !rest->len || *rest->text != '-')
		return "has no number of attachments";
	(void)take(rest, 1); /* the dash */
	for (size_t i = 0; i < count.len; i++) {
		p->n_attachments =
		    p->n_attachments * 10 + (unsigned)(count.text[i] - '0');
		if (p->n_attachments > SIO_MAX_ATTACHMENTS)
			return "has too many attachments";
	}
	return NULL;
}

static const char *read_namespace(struct sio_packet *p, struct span *rest)
{
	p->nsp = main_nsp;
	if (!rest->len || *rest->text != '/')
		return NULL;
	const char *comma = memchr(rest->text, ',', rest->len);
	size_t len = comma ? (size_t)(comma - rest->text) : rest->len;
	if (len > SIO_MAX_NAMESPACE)
		return "has a namespace that is too long";
	p->nsp = take(rest, len);
	if (comma)
		(void)take(rest, 1);
	return NULL;
}

static const char *read_ack(struct sio_packet *p, struct span *rest)
{
	size_t n = count_digits(*rest);
	p->ack = (struct span){0};
	if (n > SIO_MAX_ACK)
		return "has an ack id that is too long";
	if (n)
		p->ack = take(rest, n);
	return NULL;
}

static const char *read_json(
    struct sio_packet *p, struct json_doc *doc, struct span rest)
{
	struct json_error error;
	p->json = NULL;
	if (!rest.len)
		return NULL;
	p->json = json_parse(doc, rest.text, rest.len, 0, &error);
	return p->json ? NULL : "has invalid JSON";
}

/* ---- what each type may have ---- */

bool sio_name_is_reserved(const struct json *name)
{
	static const char *const reserved[] = {
	    "connect",
	    "connect_error",
	    "disconnect",
	    "disconnecting",
	    "newListener",
	    "removeListener",
	};
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
		if (json_is(name, JSON_STRING) &&
		    json_str_is(name, reserved[i]))
			return true;
	return false;
}

static const char *check_event(const struct json *json)
{
	const struct json *name = json_first(json);
	if (!json_is(json, JSON_ARRAY) || !name)
		return "is an event without a name";
	if (!json_is(name, JSON_STRING) && !json_is(name, JSON_NUMBER))
		return "is an event whose name is no string";
	if (sio_name_is_reserved(name))
		return "is an event with a reserved name";
	return NULL;
}

static const char *check_json(const struct sio_packet *p)
{
	switch (p->type) {
	case SIO_CONNECT:
		return !p->json || json_is(p->json, JSON_OBJECT)
			   ? NULL
			   : "has credentials that are no object";
	case SIO_DISCONNECT:
		return p->json ? "is a disconnect with a payload" : NULL;
	case SIO_EVENT:
	case SIO_BINARY_EVENT:
		return check_event(p->json);
	case SIO_ACK:
	case SIO_BINARY_ACK:
		return json_is(p->json, JSON_ARRAY) && p->ack.len
			   ? NULL
			   : "is an ack without an id or arguments";
	case SIO_REFUSAL:
		return "is of a type that only servers send";
	}
	return "has no type";
}

static const char *read_parts(
    struct sio_packet *p, struct json_doc *doc, const char *text, size_t len)
{
	struct span rest = {text, len};
	const char *why = read_type(p, &rest);
	if (!why)
		why = read_attachments(p, &rest);
	if (!why)
		why = read_namespace(p, &rest);
	if (!why)
		why = read_ack(p, &rest);
	if (!why)
		why = read_json(p, doc, rest);
	return why ? why : check_json(p);
}

bool sio_packet_read(struct sio_packet *p, struct json_doc *doc,
    const char *text, size_t len, const char **why)
{
	*why = read_parts(p, doc, text, len);
	return !*why;
}

static bool is_main(struct span nsp)
{
	return nsp.len == 1 && *nsp.text == '/';
}

bool sio_is_main(const struct sio_packet *p)
{
	return is_main(p->nsp);
}

/* ---- packets of a server ---- */

static void put_head(struct buf *out, enum sio_type type, struct span nsp)
{
	buf_char(out, '4');
	buf_int(out, (int64_t)type);
	if (is_main(nsp))
		return;
	buf_append(out, nsp.text, nsp.len);
	buf_char(out, ',');
}

void sio_put_connected(struct buf *out, struct span nsp, const char *sid)
{
	put_head(out, SIO_CONNECT, nsp);
	buf_str(out, "{\"sid\":");
	buf_json_str(out, sid);
	buf_char(out, '}');
}

/* Without "data", some clients lose the text. */
void sio_put_refusal(
    struct buf *out, struct span nsp, const char *text, const char *detail)
{
	put_head(out, SIO_REFUSAL, nsp);
	buf_str(out, "{\"message\":");
	buf_json_str(out, text);
	buf_str(out, ",\"data\":{");
	if (detail) {
		buf_str(out, "\"detail\":");
		buf_json_str(out, detail);
	}
	buf_str(out, "}}");
}

void sio_put_ack(struct buf *out, struct span nsp, struct span ack)
{
	put_head(out, SIO_ACK, nsp);
	buf_append(out, ack.text, ack.len);
	buf_str(out, "[]");
}

void sio_begin_event(struct buf *out, const char *name)
{
	put_head(out, SIO_EVENT, main_nsp);
	buf_char(out, '[');
	buf_json_str(out, name);
	buf_char(out, ',');
}

void sio_end_event(struct buf *out)
{
	buf_char(out, ']');
}
