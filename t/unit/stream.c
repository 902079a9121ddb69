/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/stream.h"

#include "base/buf.h"
#include "net/loop.h"
#include "t/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *loop;

/* One end under test; what happened to it. */
static struct end {
	struct stream *stream;
	struct buf got;
	int ends;
	int drains;
	bool closes_on_data;
	bool closes_on_end;
} end;

static void on_data(void *arg, const char *data, size_t len)
{
	struct end *e = arg;
	buf_append(&e->got, data, len);
	if (e->closes_on_data)
		stream_close(&e->stream);
}

static void on_end(void *arg)
{
	struct end *e = arg;
	e->ends++;
	if (e->closes_on_end)
		stream_close(&e->stream);
}

static void on_drain(void *arg)
{
	struct end *e = arg;
	e->drains++;
}

static const struct stream_handlers handlers = {
    .on_data = on_data,
    .on_end = on_end,
    .on_drain = on_drain,
};

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void run_ms(int64_t ms)
{
	struct loop_timer t;
	loop_timer_init(&t, stop, NULL);
	loop_timer_set(loop, &t, ms);
	loop_run(loop);
}

static void reset(void)
{
	stream_close(&end.stream);
	buf_fini(&end.got);
	end = (struct end){0};
}

static bool has_got(const char *want)
{
	return strcmp(buf_cstr(&end.got), want) == 0;
}

static void write_str(int fd, const char *s)
{
	if (write(fd, s, strlen(s)) != (ssize_t)strlen(s))
		abort();
}

/* A child's two pipes; in[1] and out[0] are the child's ends. */
static void open_pipes(int in[2], int out[2])
{
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		abort();
	end.stream = stream_open(loop, in[0], out[1], &handlers, &end);
}

static void test_pipes(void)
{
	int in[2], out[2];
	char text[64] = "";
	open_pipes(in, out);
	write_str(in[1], "hello");
	run_ms(5);
	ok(has_got("hello"), "bytes from the pipe arrive");
	ok(stream_write(end.stream, "a", 1, 100) &&
		stream_write(end.stream, "bc", 2, 100),
	    "writes are queued");
	run_ms(5);
	ok(read(out[0], text, sizeof(text)) == 3 && !strcmp(text, "abc") &&
		end.drains == 1,
	    "queued writes leave as one with one on_drain");
	stream_pause(end.stream, true);
	stream_pause(end.stream, true);
	write_str(in[1], "!");
	run_ms(5);
	bool is_held = has_got("hello");
	stream_pause(end.stream, false);
	run_ms(5);
	ok(is_held && has_got("hello!"), "a pause holds bytes back");
	stream_write(end.stream, "end", 3, 100);
	stream_finish(end.stream);
	run_ms(5);
	ok(read(out[0], text, sizeof(text)) == 3 &&
		read(out[0], text, sizeof(text)) == 0,
	    "finish sends what is queued, then the end");
	write_str(in[1], "last");
	close(in[1]);
	run_ms(5);
	ok(has_got("hello!last") && end.ends == 1,
	    "bytes before the end are read, then the end is told once");
	ok(stream_write(end.stream, "x", 1, 100) && end.ends == 1,
	    "a write after the end is dropped");
	close(out[0]);
	reset();
}

static void test_limits(void)
{
	int in[2], out[2];
	static char bytes[100000];
	open_pipes(in, out);
	ok(!stream_write(end.stream, bytes, sizeof(bytes), 1000),
	    "a write over the limit is refused");
	size_t queued = 0;
	while (stream_write(end.stream, bytes, 1000, sizeof(bytes)))
		queued += 1000;
	ok(queued == sizeof(bytes), "writes are queued up to the limit");
	run_ms(5);
	ok(stream_write(end.stream, bytes, 1000, sizeof(bytes)),
	    "bytes taken by the pipe make room");
	queued += 1000;
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	size_t got = 0;
	for (int i = 0; i < 100 && got < queued; i++) {
		static char sink[65536];
		ssize_t n = read(out[0], sink, sizeof(sink));
		got += n > 0 ? (size_t)n : 0;
		run_ms(1);
	}
	ok(got == queued && end.drains == 1,
	    "a slow reader gets all of it, and on_drain follows");
	close(in[1]);
	close(out[0]);
	reset();
}

static void test_broken(void)
{
	int in[2], out[2];
	open_pipes(in, out);
	close(out[0]);
	stream_write(end.stream, "x", 1, 100);
	write_str(in[1], "last words");
	run_ms(5);
	ok(has_got("last words") && end.ends == 0,
	    "a child that does not read may still write");
	close(in[1]);
	end.closes_on_end = true;
	run_ms(5);
	ok(end.ends == 1 && !end.stream,
	    "a stream may be closed by its on_end");
	reset();
	if (pipe2(out, O_CLOEXEC) < 0)
		abort();
	end.stream = stream_open(loop, -1, out[1], &handlers, &end);
	close(out[0]);
	stream_write(end.stream, "x", 1, 100);
	run_ms(5);
	ok(end.ends == 1, "without a reading side, a failed write is the end");
	reset();
}

static void test_sockets(void)
{
	int fds[2];
	char text[16] = "";
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	end.stream = stream_open(loop, fds[0], fds[0], &handlers, &end);
	stream_write(end.stream, "out", 3, 100);
	write_str(fds[1], "in");
	run_ms(5);
	ok(has_got("in") && read(fds[1], text, sizeof(text)) == 3,
	    "one socket serves both ways");
	stream_finish(end.stream);
	run_ms(5);
	write_str(fds[1], "!");
	run_ms(5);
	ok(read(fds[1], text, sizeof(text)) == 0 && has_got("in!"),
	    "finish ends one way only");
	end.closes_on_data = true;
	write_str(fds[1], "?");
	run_ms(5);
	ok(has_got("in!?") && !end.stream && end.ends == 0,
	    "on_data may close, and nothing follows");
	close(fds[1]);
	reset();
}

/* What has come is delivered without the loop, unless the stream is paused. */
static void test_take(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		abort();
	reset();
	end.stream = stream_open(loop, fds[0], -1, &handlers, &end);
	stream_take(end.stream);
	ok(has_got("") && end.ends == 0,
	    "stream_take() of an empty pipe delivers nothing");
	if (write(fds[1], "words", 5) != 5)
		abort();
	stream_pause(end.stream, true);
	stream_take(end.stream);
	ok(has_got(""), "stream_take() of a paused stream delivers nothing");
	stream_pause(end.stream, false);
	stream_take(end.stream);
	ok(has_got("words"), "stream_take() delivers what has come at once");
	(void)close(fds[1]);
	stream_take(end.stream);
	ok(end.ends == 0,
	    "stream_take() leaves the end of the pipe to the loop");
	run_ms(50);
	ok(end.ends == 1, "the loop tells the end after stream_take()");
	reset();
}

int main(void)
{
	loop = loop_new();
	test_pipes();
	test_limits();
	test_broken();
	test_sockets();
	test_take();
	return done();
}
