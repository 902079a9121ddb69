/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Packets of Socket.IO: what published clients send is read as intended
 * (t/golden/socketio/client.txt), what we send has the bytes they expect
 * (server.txt), and malformed packets are refused.
 */
#include "socketio/eio_packet.h"
#include "socketio/eio_request.h"
#include "socketio/sio_packet.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#define SID "XOXMp4S53bS02yazAAAA"

static const struct span root = {"/", 1};

static FILE *open_golden(const char *name)
{
	char path[4096];
	const char *top = getenv("TOP_SRCDIR");
	(void)snprintf(path, sizeof path, "%s/t/golden/socketio/%s",
	    top ? top : ".", name);
	FILE *f = fopen(path, "re");
	if (!f)
		abort();
	return f;
}

static void put_ack(struct buf *out, struct span ack)
{
	if (ack.text)
		buf_append(out, ack.text, ack.len);
	else
		buf_char(out, '-');
}

/* A packet as client.txt describes it. */
static void describe(struct buf *out, const struct sio_packet *p)
{
	static const char *const names[] = {"connect", "disconnect", "event",
	    "ack", "refusal", "binary_event", "binary_ack"};
	size_t len;
	buf_str(out, names[p->type]);
	if (p->n_attachments)
		buf_printf(out, "+%u", p->n_attachments);
	buf_char(out, ' ');
	buf_append(out, p->nsp.text, p->nsp.len);
	buf_char(out, ' ');
	put_ack(out, p->ack);
	buf_char(out, ' ');
	const char *json = p->json ? json_text(p->json, &len) : NULL;
	buf_append(out, json ? json : "-", json ? len : 1);
}

static void check_captured(const char *want, const char *bytes)
{
	struct eio_packet message;
	struct sio_packet p;
	struct json_doc doc = {0};
	struct buf got = {0};
	const char *why = "is no message";
	if (eio_packet_read(&message, bytes, strlen(bytes)) &&
	    message.type == EIO_MESSAGE &&
	    sio_packet_read(
		&p, &doc, message.data.text, message.data.len, &why))
		describe(&got, &p);
	else
		buf_str(&got, why);
	is_str(buf_cstr(&got), want, "%s is read", bytes);
	buf_fini(&got);
	json_fini(&doc);
}

static void test_captured(void)
{
	char line[1024];
	FILE *f = open_golden("client.txt");
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		char *bytes = strchr(line, '\t');
		if (*line == '#' || !bytes)
			continue;
		*bytes++ = '\0';
		check_captured(line, bytes);
	}
	(void)fclose(f); /* only read */
}

/* What the server sends, in the order of server.txt. */
static void put_all(struct buf *out)
{
	static const struct span chat = {"/chat", 5};
	struct eio_open open = {.sid = SID,
	    .ping_interval_ms = 25000,
	    .ping_timeout_ms = 20000,
	    .max_payload_bytes = 4194304};
	eio_put_open(out, &open);
	buf_char(out, '\n');
	open.may_upgrade = true;
	eio_put_open(out, &open);
	buf_char(out, '\n');
	sio_put_connected(out, root, "6nfJ");
	buf_char(out, '\n');
	sio_put_connected(out, chat, "6nfJ");
	buf_char(out, '\n');
	sio_put_refusal(out, root, "No conversation_id in query params", NULL);
	buf_char(out, '\n');
	sio_put_refusal(
	    out, (struct span){"/admin", 6}, "Invalid namespace", NULL);
	buf_char(out, '\n');
	sio_put_refusal(out, root, "invalid_session_api_key", "sign CONNECT");
	buf_char(out, '\n');
	sio_put_ack(out, root, (struct span){"7", 1});
	buf_char(out, '\n');
	sio_put_ack(out, chat, (struct span){"18446744073709551616", 20});
	buf_char(out, '\n');
	sio_begin_event(out, "oh_event");
	buf_str(out, "{\"id\":0}");
	sio_end_event(out);
	buf_char(out, '\n');
	for (int e = EIO_TRANSPORT_UNKNOWN; e < EIO_FINE; e++) {
		eio_put_error(out, (enum eio_error)e);
		buf_char(out, '\n');
	}
}

static void test_server(void)
{
	char line[1024];
	struct buf out = {0};
	FILE *f = open_golden("server.txt");
	put_all(&out);
	char *at = out.data;
	while (fgets(line, sizeof line, f)) {
		size_t len = strlen(line);
		const char *end =
		    memchr(at, '\n', (size_t)(out.data + out.len - at));
		size_t n = end ? (size_t)(end - at) + 1 : 0;
		is_mem(at, n, line, len, "the server sends %.*s", (int)len - 1,
		    line);
		at += n;
	}
	ok(at == out.data + out.len, "the server sends no other packets");
	(void)fclose(f); /* only read */
	buf_fini(&out);
}

static void test_malformed(void)
{
	static const struct {
		const char *packet;
		const char *why;
	} cases[] = {
	    {"", "has no type"},
	    {"7", "has no type"},
	    {"x", "has no type"},
	    {"0\"text\"", "has credentials that are no object"},
	    {"0[]", "has credentials that are no object"},
	    {"0{", "has invalid JSON"},
	    {"1{}", "is a disconnect with a payload"},
	    {"2", "is an event without a name"},
	    {"2{}", "is an event without a name"},
	    {"2[]", "is an event without a name"},
	    {"2[null]", "is an event whose name is no string"},
	    {"2[[]]", "is an event whose name is no string"},
	    {"2[\"connect\"]", "is an event with a reserved name"},
	    {"2[\"connect_error\",1]", "is an event with a reserved name"},
	    {"2[\"disconnect\"]", "is an event with a reserved name"},
	    {"2[\"disconnecting\"]", "is an event with a reserved name"},
	    {"2[\"newListener\"]", "is an event with a reserved name"},
	    {"2[\"removeListener\"]", "is an event with a reserved name"},
	    {"2[\"conn\\u0065ct\"]", "is an event with a reserved name"},
	    {"2[\"x\"", "has invalid JSON"},
	    {"2[\"x\"]]", "has invalid JSON"},
	    {"2[\"\xff\"]", "has invalid JSON"},
	    {"2/admin", "is an event without a name"},
	    {"3[]", "is an ack without an id or arguments"},
	    {"31", "is an ack without an id or arguments"},
	    {"31{}", "is an ack without an id or arguments"},
	    {"4{\"message\":\"x\"}", "is of a type that only servers send"},
	    {"5[\"x\"]", "has no number of attachments"},
	    {"5-[\"x\"]", "has no number of attachments"},
	    {"51[\"x\"]", "has no number of attachments"},
	    {"51", "has no number of attachments"},
	    {"511-[\"x\"]", "has too many attachments"},
	    {"599999999999999999999-[\"x\"]", "has too many attachments"},
	    {"51-", "is an event without a name"},
	    {"2123456789012345678901234567890123[\"x\"]",
		"has an ack id that is too long"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sio_packet p;
		struct json_doc doc = {0};
		const char *why;
		bool is_read = sio_packet_read(
		    &p, &doc, cases[i].packet, strlen(cases[i].packet), &why);
		ok(!is_read, "'%s' is refused", cases[i].packet);
		is_str(why, cases[i].why, "'%s' is refused with its reason",
		    cases[i].packet);
		json_fini(&doc);
	}
}

static void test_namespace_limit(void)
{
	char packet[SIO_MAX_NAMESPACE + 3] = "0/";
	struct sio_packet p;
	struct json_doc doc = {0};
	const char *why;
	memset(packet + 2, 'n', SIO_MAX_NAMESPACE);
	ok(sio_packet_read(&p, &doc, packet, SIO_MAX_NAMESPACE + 1, &why) &&
		p.nsp.len == SIO_MAX_NAMESPACE && !sio_is_main(&p),
	    "a namespace may have %d bytes", SIO_MAX_NAMESPACE);
	ok(!sio_packet_read(&p, &doc, packet, SIO_MAX_NAMESPACE + 2, &why),
	    "a namespace may not be longer than %d bytes", SIO_MAX_NAMESPACE);
	json_fini(&doc);
}

int main(void)
{
	test_captured();
	test_server();
	test_malformed();
	test_namespace_limit();
	return done();
}
