/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What waits for the server, and what is dropped when it stays away. */
#include "wrapper/backlog.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#define MAX_BYTES 4000

static struct buf sent;
static struct backlog *box;

static void note(void *arg, const char *id, const struct backlog_output *output,
    const char *text, size_t len)
{
	(void)arg;
	if (!output)
		buf_printf(&sent, "%s=%.*s ", id, (int)len, text);
	else if (output->dropped_bytes)
		buf_printf(&sent, "%s=gap(%s,%lld,%lld) ", id,
		    output->command_id, (long long)output->sequence,
		    (long long)output->dropped_bytes);
	else
		buf_printf(&sent, "%s=%.*s%s ", id, (int)(len < 9 ? len : 9),
		    text, output->is_errors ? "!" : "");
}

static const char *send_all(void)
{
	buf_reset(&sent);
	backlog_send(box, SIZE_MAX, note, NULL);
	return buf_cstr(&sent);
}

static void add(const char *command, int64_t sequence, const char *text)
{
	backlog_add_output(box, &(struct backlog_output){
				    .command_id = command,
				    .sequence = sequence,
				    .text = text,
				    .len = strlen(text),
				});
}

static void ack(const char *id)
{
	backlog_acknowledge(box, id, strlen(id));
}

static void test_order(void)
{
	box = backlog_new(MAX_BYTES);
	add("a", 1, "one");
	backlog_add(box, "m", "{}", 2, true);
	add("a", 2, "two");
	is_str(
	    send_all(), "a-1=one m={} a-2=two ", "messages are sent in order");
	is_str(send_all(), "", "a connection gets each message once");
	backlog_rewind(box);
	add("a", 3, "three");
	is_str(send_all(), "a-1=one m={} a-2=two a-3=three ",
	    "after a lost connection, what was not acknowledged comes first");
	ack("a-2");
	backlog_rewind(box);
	is_str(send_all(), "a-3=three ",
	    "an acknowledgement covers all that was sent before");
	ack("unknown");
	backlog_rewind(box);
	is_str(send_all(), "a-3=three ",
	    "an acknowledgement of something else changes nothing");
	ack("a-3");
	is_int((int)backlog_bytes(box), 0, "what was acknowledged is not kept");
	backlog_add(box, "once", "x", 1, false);
	(void)send_all();
	backlog_rewind(box);
	is_str(send_all(), "", "a message that is not kept is sent once");
	ok(!backlog_is_waiting(box),
	    "a backlog that was sent has nothing that waits");
	backlog_free(&box);
}

static void test_part(void)
{
	box = backlog_new(MAX_BYTES);
	add("a", 1, "one");
	add("a", 2, "two");
	buf_reset(&sent);
	backlog_send(box, 1, note, NULL);
	is_str(buf_cstr(&sent), "a-1=one ", "a small window lets one through");
	ok(backlog_is_waiting(box), "what a small window holds back waits");
	ok(backlog_has(box, "a-1") && backlog_has(box, "a-2") &&
		!backlog_has(box, "a-3"),
	    "what was sent and what waits can be asked for");
	backlog_free(&box);
}

static void fill(const char *command, int n)
{
	char text[1001];

	for (int i = 1; i <= n; i++) {
		memset(text, 'a' + i, sizeof text - 1);
		text[sizeof text - 1] = '\0';
		add(command, i, text);
	}
}

static void test_drops(void)
{
	box = backlog_new(MAX_BYTES);
	fill("c", 6);
	backlog_add(box, "c-complete", "end", 3, true);
	ok(backlog_bytes(box) <= MAX_BYTES, "the memory is bounded");
	is_str(send_all(),
	    "c-4=gap(c,4,4000) c-5=fffffffff c-6=ggggggggg c-complete=end ",
	    "the oldest output becomes one gap with the last of its numbers");
	is_int((int)backlog_dropped(box), 4000, "dropped bytes are counted");
	backlog_free(&box);

	box = backlog_new(MAX_BYTES);
	fill("c", 2);
	(void)send_all();
	fill("d", 3);
	is_str(send_all(), "d-1=bbbbbbbbb d-2=ccccccccc d-3=ddddddddd ",
	    "what was sent already goes before what was not");
	is_int((int)backlog_dropped(box), 0,
	    "output that was sent already is not counted as dropped");
	backlog_free(&box);

	box = backlog_new(MAX_BYTES);
	fill("c", 2);
	fill("d", 4);
	is_str(send_all(),
	    "c-2=gap(c,2,2000) d-2=gap(d,2,2000) d-3=ddddddddd d-4=eeeeeeeee ",
	    "each command has gaps of its own");
	backlog_free(&box);
}

static void test_full(void)
{
	char text[1000];

	memset(text, 'm', sizeof text);
	box = backlog_new(MAX_BYTES);
	ok(!backlog_is_full(box, false) && !backlog_is_full(box, true),
	    "an empty backlog is not full");
	fill("c", 2);
	ok(backlog_is_full(box, false), "output fills half of a backlog");
	ok(!backlog_is_full(box, true),
	    "output is no reason to stop who sends messages");
	backlog_add(box, "1", text, sizeof text, true);
	backlog_add(box, "2", text, sizeof text, true);
	ok(backlog_is_full(box, true), "messages fill half of a backlog");
	(void)send_all();
	ack("2");
	is_int((int)backlog_bytes(box), 0,
	    "what was acknowledged frees the room of messages and output");
	backlog_free(&box);
}

int main(void)
{
	test_order();
	test_part();
	test_drops();
	test_full();
	buf_fini(&sent);
	return done();
}
