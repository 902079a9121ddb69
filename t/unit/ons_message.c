/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Messages of Onsembl: each of t/golden/ons/messages.txt is read, and written
 * as the line after it says; UPDATE_GOLDEN=1 writes these lines anew.
 */
#include "ons/ons_message.h"
#include "ons/ons_ansi.h"
#include "ons/ons_order.h"
#include "ons/ons_report.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#include <errno.h>

#define LINE_BYTES 4096
#define NOW_MS 1800000000000

static const struct span us = {"mock-1", 6};

static const char *golden_path(void)
{
	static char path[LINE_BYTES];
	const char *top = getenv("TOP_SRCDIR");
	(void)snprintf(
	    path, sizeof path, "%s/t/golden/ons/messages.txt", top ? top : ".");
	return path;
}

/* ---- read a message and write it again ---- */

static const char *again_report(
    struct buf *out, struct ons_reader *r, const struct ons_message *m)
{
	struct ons_connect connect;
	struct ons_health health;
	struct ons_command_ack ack;
	struct ons_output output;
	struct ons_complete complete;
	struct ons_document document;
	struct ons_failure failure;
	struct ons_event event;
	const char *why = NULL;
	if (m->type == ONS_AGENT_CONNECT) {
		why = ons_read_connect(&connect, r, m);
		ons_put_connect(out, m->id, NOW_MS, &connect);
	} else if (m->type == ONS_AGENT_HEARTBEAT) {
		ons_read_health(&health, m);
		ons_put_heartbeat(out, m->id, NOW_MS, us, &health);
	} else if (m->type == ONS_COMMAND_ACK) {
		why = ons_read_command_ack(&ack, r, m);
		if (!why)
			ons_put_command_ack(out, m->id, NOW_MS, us, &ack);
	} else if (m->type == ONS_TERMINAL_OUTPUT) {
		why = ons_read_output(&output, r, m);
		output.content = why ? us : ons_output_text(&output);
		output.ansi = (struct span){0};
		if (!why)
			ons_put_output(out, m->id, NOW_MS, us, &output);
	} else if (m->type == ONS_COMMAND_COMPLETE) {
		why = ons_read_complete(&complete, r, m);
		if (!why)
			ons_put_complete(out, m->id, NOW_MS, us, &complete);
	} else if (m->type == ONS_AGENT_ERROR) {
		why = ons_read_failure(&failure, r, m);
		ons_put_failure(out, m->id, NOW_MS, us, &failure);
	} else if (m->type == ONS_AGENT_EVENT) {
		why = ons_read_event(&event, r, m);
		if (!why)
			ons_put_event(out, m->id, NOW_MS, us, &event);
	} else {
		why = ons_read_document(&document, r, m);
		if (!why)
			ons_put_document(
			    out, m->type, m->id, NOW_MS, &document);
	}
	return why;
}

static const char *again_order(
    struct buf *out, struct ons_reader *r, const struct ons_message *m)
{
	struct ons_request request;
	struct ons_cancel cancel;
	struct ons_control control;
	struct ons_stop stop;
	struct ons_stimulus stimulus;
	struct ons_refresh refresh;
	const char *why = NULL;
	if (m->type == ONS_COMMAND_REQUEST) {
		why = ons_read_request(&request, r, m);
		ons_put_request(out, m->id, NOW_MS, &request);
	} else if (m->type == ONS_COMMAND_CANCEL) {
		why = ons_read_cancel(&cancel, r, m);
		ons_put_cancel(out, m->id, NOW_MS, &cancel);
	} else if (m->type == ONS_AGENT_CONTROL) {
		why = ons_read_control(&control, r, m);
		ons_put_control(out, m->id, NOW_MS, &control);
	} else if (m->type == ONS_EMERGENCY_STOP) {
		ons_read_stop(&stop, r, m);
		ons_put_stop(out, m->id, NOW_MS, &stop);
	} else if (m->type == ONS_AGENT_STIMULUS) {
		why = ons_read_stimulus(&stimulus, r, m);
		ons_put_stimulus(out, m->id, NOW_MS, &stimulus);
	} else {
		why = ons_read_refresh(&refresh, r, m);
		ons_put_refresh(out, m->id, NOW_MS, &refresh);
	}
	return why;
}

static const char *again(
    struct buf *out, struct ons_reader *r, const struct ons_message *m)
{
	struct ons_ping ping;
	if (m->type == ONS_PING) {
		ons_read_ping(&ping, m);
		ons_put_pong(out, m->id, NOW_MS, &ping);
		return NULL;
	}
	if (m->type == ONS_UNKNOWN)
		return "is of an unknown type";
	if (ons_type_ways(m->type) & ONS_FROM_AGENT)
		return again_report(out, r, m);
	return again_order(out, r, m);
}

static void answer(struct buf *out, const char *line)
{
	static const char *const faults[] = {
	    [ONS_NOT_JSON] = "is not JSON", [ONS_MALFORMED] = "is malformed"};
	struct ons_reader r = {0};
	struct ons_message m;
	enum ons_fault fault = ons_message_read(&m, &r, line, strlen(line));
	const char *why =
	    fault == ONS_FINE ? again(out, &r, &m) : faults[fault];
	if (why) {
		buf_reset(out);
		buf_str(out, why);
	}
	ons_reader_fini(&r);
}

/* ---- the golden file ---- */

static bool next_line(FILE *f, char line[LINE_BYTES], struct buf *copy)
{
	while (fgets(line, LINE_BYTES, f)) {
		if (*line != '#' && *line != '\n') {
			line[strcspn(line, "\n")] = '\0';
			return true;
		}
		buf_str(copy, line);
	}
	return false;
}

static void update(const struct buf *copy)
{
	FILE *f = fopen(golden_path(), "we");
	if (!f || fwrite(copy->data, 1, copy->len, f) != copy->len ||
	    fclose(f) != 0)
		abort();
}

static void test_golden(void)
{
	static char line[LINE_BYTES], want[LINE_BYTES];
	bool updates = getenv("UPDATE_GOLDEN") != NULL;
	struct buf copy = {0};
	FILE *f = fopen(golden_path(), "re");
	if (!f)
		abort();
	while (next_line(f, line, &copy)) {
		struct buf got = {0};
		answer(&got, line);
		*want = '\0';
		if (!updates && !next_line(f, want, &copy))
			abort();
		if (!updates)
			is_str(buf_cstr(&got), want, "%s is read and written",
			    line);
		buf_printf(&copy, "%s\n%s\n", line, buf_cstr(&got));
		buf_fini(&got);
	}
	(void)fclose(f); /* only read */
	if (updates)
		update(&copy);
	buf_fini(&copy);
}

/* ---- what a server answers ---- */

static void test_answers(void)
{
	struct ons_reader r = {0};
	struct buf out = {0};
	struct ons_message m = {.id = {"m1", 2}};
	struct ons_welcome w = {{"agent-1", 7}, us, true}, got;
	ons_put_welcome(&out, (struct span){"s", 1}, NOW_MS, &m, &w);
	is_str(buf_cstr(&out),
	    "{\"type\":\"ACK\",\"id\":\"s\",\"timestamp\":1800000000000,"
	    "\"payload\":{\"messageId\":\"m1\",\"success\":true,"
	    "\"connectionId\":\"agent-1\",\"agentId\":\"mock-1\","
	    "\"authenticated\":true,\"events\":true}}",
	    "the ACK of AGENT_CONNECT names connection and agent");
	is_int(ons_message_read(&m, &r, out.data, out.len), ONS_FINE,
	    "the ACK of AGENT_CONNECT can be read");
	ons_read_welcome(&got, &r, &m);
	ok(ons_is(got.agent, "mock-1") && got.takes_events,
	    "the ACK of AGENT_CONNECT is read as it was written");
	buf_reset(&out);
	ons_put_error(&out, (struct span){"s", 1}, NOW_MS,
	    &(struct ons_error){.code = "ROUTING_FAILED",
		.message = "no",
		.command = {"c", 1},
		.agent = us});
	is_str(buf_cstr(&out),
	    "{\"type\":\"ERROR\",\"id\":\"s\",\"timestamp\":1800000000000,"
	    "\"payload\":{\"code\":\"ROUTING_FAILED\",\"message\":\"no\","
	    "\"details\":{\"commandId\":\"c\",\"agentId\":\"mock-1\"},"
	    "\"context\":{\"commandId\":\"c\"}}}",
	    "an ERROR names the command twice, and the agent only in details");
	buf_reset(&out);
	ons_put_server_heartbeat(&out, (struct span){"s", 1}, NOW_MS);
	ok(strstr(buf_cstr(&out), "\"nextPingExpected\":1800000030000"),
	    "a heartbeat of the server says that the next is due in 30 s");
	buf_reset(&out);
	ons_put_id(&out, "msg", 5, 35);
	is_str(buf_cstr(&out), "msg-5-z00000000",
	    "an id is a prefix, the time and nine characters");
	buf_fini(&out);
	ons_reader_fini(&r);
}

static void test_ansi(void)
{
	static const struct {
		const char *raw;
		const char *plain;
	} cases[] = {
	    {"", ""},
	    {"plain", "plain"},
	    {"\033[31mred\033[0m", "red"},
	    {"a\033[1;38;5;4mb\033[Kc", "abc"},
	    {"\033]0;title\007x", "x"},
	    {"\033]0;title\033\\x", "x"},
	    {"\033(Bx\033=y\0337z", "xyz"},
	    {"x\033", "x"},
	    {"x\033[", "x"},
	    {"x\033[31", "x"},
	    {"x\033]0;cut", "x"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span raw = {cases[i].raw, strlen(cases[i].raw)};
		struct span plain = {cases[i].plain, strlen(cases[i].plain)};
		struct buf out = {0};
		ons_ansi_strip(&out, raw);
		is_str(buf_cstr(&out), cases[i].plain,
		    "escape sequences are taken out of case %zu", i);
		ok(ons_ansi_is(raw, plain) &&
			!ons_ansi_is(raw, (struct span){"other", 5}),
		    "text with escape sequences is compared in case %zu", i);
		buf_fini(&out);
	}
}

/* Whatever its length, a string that was read does not move. */
static void test_many_texts(void)
{
	struct buf text = {0};
	struct ons_reader r = {0};
	struct ons_message m;
	struct ons_output o;
	buf_str(&text, "{\"type\":\"TERMINAL_OUTPUT\",\"payload\":{"
		       "\"commandId\":\"\\u0063\",\"content\":\"");
	for (int i = 0; i < 100000; i++)
		buf_str(&text, "\\n");
	buf_str(&text, "\"}}");
	is_int(ons_message_read(&m, &r, text.data, text.len), ONS_FINE,
	    "a large message is read");
	is_str(ons_read_output(&o, &r, &m), NULL,
	    "the output in a large message is read");
	ok(ons_is(o.command, "c") && o.content.len == 100000,
	    "a short text is intact after a long one was un-escaped");
	buf_fini(&text);
	ons_reader_fini(&r);
}

int main(void)
{
	test_golden();
	test_answers();
	test_ansi();
	test_many_texts();
	return done();
}
