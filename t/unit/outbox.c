/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/outbox.h"
#include "t/unit/tap.h"

#include <fcntl.h>
#include <sys/socket.h>

static int pair[2];

static void check_frames(void)
{
	struct outbox o = {0};
	char got[200];

	outbox_add(&o, 0, "{}", 2);
	outbox_add(&o, UINT64_MAX, "{\"a\":1}", 7);
	is_int(outbox_send(&o, pair[0]), OUTBOX_SENT,
	    "frames that fit are sent at once");
	ssize_t n = read(pair[1], got, sizeof got);
	is_mem(got, n > 0 ? (size_t)n : 0,
	    "0 {}\n18446744073709551615 {\"a\":1}\n", 34,
	    "frames begin with the number of their turn, and are lines");
	is_int((intmax_t)outbox_frame_bytes(0, 2), 5,
	    "the length of a frame counts number and newline");
	is_int((intmax_t)outbox_frame_bytes(12345, 7), 14,
	    "the length of a frame depends on the number");
	is_int((intmax_t)o.len, 0, "an outbox is empty when all is sent");
	free(o.data);
}

/* Reads all that is there into sum. */
static size_t drain(uint64_t *sum)
{
	static unsigned char part[65536];
	size_t all = 0;
	ssize_t n;

	while ((n = recv(pair[1], part, sizeof part, MSG_DONTWAIT)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			*sum = *sum * 31 + part[i];
		all += (size_t)n;
	}
	return all;
}

static void check_full(void)
{
	static char json[100000];
	struct outbox o = {0};
	uint64_t sum = 0, want = 0;
	size_t all = 0, bytes = 0;
	enum outbox_end end;

	for (size_t i = 0; i < sizeof json; i++)
		json[i] = (char)('a' + i % 23);
	for (int turn = 1; turn <= 30; turn++) {
		char number[OUTBOX_NUMBER_MAX];
		size_t len = sizeof json - (size_t)turn;
		int n = snprintf(number, sizeof number, "%d ", turn);
		for (int i = 0; i < n; i++)
			want = want * 31 + (unsigned char)number[i];
		for (size_t i = 0; i < len; i++)
			want = want * 31 + (unsigned char)json[i];
		want = want * 31 + '\n';
		bytes += outbox_frame_bytes((uint64_t)turn, len);
		outbox_add(&o, (uint64_t)turn, json, len);
	}
	is_int(outbox_send(&o, pair[0]), OUTBOX_FULL,
	    "a socket that is full stops the sending");
	do {
		all += drain(&sum);
		end = outbox_send(&o, pair[0]);
	} while (end == OUTBOX_FULL);
	all += drain(&sum);
	is_int((intmax_t)all, (intmax_t)bytes,
	    "all bytes go through a socket that was full");
	ok(sum == want, "frames go through a socket that was full unchanged");
	ok(!o.data, "a large buffer is given back when it is empty");
	(void)close(pair[1]);
	outbox_add(&o, 1, "{}", 2);
	is_int(outbox_send(&o, pair[0]), OUTBOX_GONE,
	    "the end of the other side is noticed");
	free(o.data);
}

int main(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		abort();
	check_frames();
	check_full();
	return done();
}
