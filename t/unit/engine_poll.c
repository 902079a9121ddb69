/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Clients that poll, with a fake server: what they are told while another
 * process is stuck with the lock of the table. And how many sides are looked at
 * in one tick.
 */
#include "engine/engine_poll.h"

#include "base/buf.h"
#include "base/mem.h"
#include "core/conf.h"
#include "core/heritage.h"
#include "door/door.h"
#include "engine/engine_side.h"
#include "net/http.h"
#include "proc/shm.h"
#include "t/unit/fake_http.h"
#include "t/unit/tap.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPACITY 8

static struct heritage *heritage;
static size_t heritage_size;
static struct http *http;
static struct conf conf;
static struct door_setup setup = {.conf = &conf};

/* ---- another process ---- */

static pid_t stuck_pid;
static struct buf hostage; /* the sid of the session that it takes */

/* Another process takes a session and does not go on. */
static void get_stuck(void)
{
	int ready[2];
	char byte = 0;
	if (pipe(ready) != 0)
		abort();
	stuck_pid = fork();
	if (stuck_pid == 0) {
		enum engine_found found;
		if (engine_take(engine_side_world()->table, hostage.data,
			hostage.len, &found))
			(void)!write(ready[1], &byte, 1);
		for (;;)
			(void)pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		abort();
	(void)close(ready[0]); /* only for waiting */
	(void)close(ready[1]);
}

/* It is killed, as a process that hangs is by the master. */
static void end_stuck(void)
{
	(void)kill(stuck_pid, SIGKILL);
	(void)waitpid(stuck_pid, NULL, 0);
}

/* ---- the user of the engine ---- */

static int n_done;
static int n_undone;
static bool has_event;

static void begin_state(void *state, const struct http_req *req)
{
	(void)state;
	(void)req;
}

static void take_packet(struct engine_side *side, const char *text, size_t len)
{
	if (len == 5 && memcmp(text, "stick", 5) == 0) {
		get_stuck();
		return;
	}
	if (!engine_take_state(side)) {
		n_undone++;
		return;
	}
	engine_give_state(side);
	n_done++;
}

static bool is_connected(const void *state)
{
	(void)state;
	return true;
}

static bool fill(struct engine_side *side, struct buf *out, size_t most)
{
	(void)side;
	(void)most;
	if (has_event)
		buf_str(out, "42[\"oh_event\"]");
	return false;
}

static void gone(struct engine_side *side)
{
	(void)side;
}

static const struct engine_user user = {
    .begin = begin_state,
    .packet = take_packet,
    .is_connected = is_connected,
    .fill = fill,
    .gone = gone,
};

/* ---- requests ---- */

static struct buf client; /* the sid */

static struct span sid_of(const struct buf *sid)
{
	return (struct span){sid->data, sid->len};
}

static void on_begin(struct http_req *req, void *arg)
{
	(void)arg;
	engine_poll_begin(req);
}

static void on_get(struct http_req *req, void *arg)
{
	(void)arg;
	engine_poll_get(req, sid_of(&client));
}

static void on_post(struct http_req *req, void *arg)
{
	(void)arg;
	engine_poll_post(req, sid_of(&client));
}

static void handshake(struct buf *sid)
{
	static const char before[] = "0{\"sid\":\"";
	struct http_req *req = fake_http_send(http, "GET", "/begin", "", "");
	const char *body = buf_cstr(&fake_http_reply(req)->body);
	if (strncmp(body, before, sizeof before - 1) != 0)
		abort();
	buf_append(sid, body + sizeof before - 1, EIO_SID);
	fake_http_free(&req);
}

static void begin(void)
{
	size_t at = (sizeof(struct heritage) + 63) / 64 * 64;
	struct engine_world *world = engine_side_world();
	int fd = shm_create("poll-test", at + engine_table_bytes(CAPACITY));
	heritage = fd < 0 ? NULL : shm_map(fd, &heritage_size);
	if (!heritage)
		abort();
	(void)close(fd); /* the map stays */
	heritage->engines_at = at;
	heritage->max_engines = CAPACITY;
	engine_table_make(heritage);
	atomic_store(&heritage->slots[0].generation, 1);
	conf_init(&conf);
	*world = (struct engine_world){.setup = &setup,
	    .user = &user,
	    .table = engine_table_new(heritage, 0, 1)};
	list_init(&world->lookers);
	http = fake_http_new();
	http_route(http, "GET", "/begin", on_begin, NULL);
	http_route(http, "GET", "/poll", on_get, NULL);
	http_route(http, "POST", "/poll", on_post, NULL);
	handshake(&client);
	handshake(&hostage);
	n_done = n_undone = 0;
	has_event = false;
}

static void end(void)
{
	buf_fini(&client);
	buf_fini(&hostage);
	fake_http_end(&http);
	engine_table_free(&engine_side_world()->table);
	(void)munmap(heritage, heritage_size);
	conf_fini(&conf);
}

static void post(const char *body, int status, const char *what)
{
	struct http_req *req = fake_http_send(http, "POST", "/poll", "", body);
	is_int(fake_http_reply(req)->status, status, "%s", what);
	fake_http_free(&req);
}

/* ---- tests ---- */

static void test_stuck_post(void)
{
	begin();
	post("4a", 200, "a POST is done");
	post("4stick\x1e"
	     "4b\x1e"
	     "4c",
	    503, "a POST whose packets cannot be done is to be sent again");
	is_int(n_done, 1, "no packet of it is done");
	is_int(n_undone, 1, "no packet is tried after one that was not done");
	post("4d", 503, "the next POST is to be sent again");
	is_int(n_undone, 1, "nothing of the next POST is tried");
	end_stuck();
	post("4e", 200, "a POST is done when the lock is free again");
	is_int(n_done, 2, "the packet of that POST is done");
	end();
}

static void test_stuck_get(void)
{
	begin();
	struct http_req *req = fake_http_send(http, "GET", "/poll", "", "");
	struct fake_reply *reply = fake_http_reply(req);
	get_stuck();
	has_event = true;
	(void)engine_side_look();
	is_int(reply->status, 0, "a poll waits while the lock is not free");
	end_stuck();
	(void)engine_side_look();
	is_int(reply->status, 200, "a poll is answered when the lock is free");
	is_str(buf_cstr(&reply->body), "42[\"oh_event\"]",
	    "a poll that waited for the lock gets what came");
	fake_http_free(&req);
	post("1", 200, "a client leaves");
	req = fake_http_send(http, "GET", "/poll", "", "");
	is_int(fake_http_reply(req)->status, 400,
	    "a session that is over is told apart: the client begins another");
	fake_http_free(&req);
	end();
}

static int n_looks;

static void count_look(struct engine_side *side)
{
	(void)side;
	n_looks++;
}

/* A side whose session ends when it looks. */
static void end_look(struct engine_side *side)
{
	n_looks++;
	engine_side_fini(side);
}

static void test_looking(void)
{
	static const struct engine_side_ops stays = {.look = count_look};
	static const struct engine_side_ops ends = {.look = end_look};
	enum { MANY = 2 * ENGINE_LOOK_MOST + 10 };
	struct engine_side *sides = mem_zero(MANY * sizeof *sides);
	begin();
	for (int i = 0; i < MANY; i++) {
		engine_side_init(
		    &sides[i], i % 2 ? &stays : &ends, client.data, 1);
		engine_side_list(&sides[i]);
	}
	ok(engine_side_look() && n_looks == ENGINE_LOOK_MOST,
	    "a tick looks at a limited number of sides");
	ok(engine_side_look() && n_looks == 2 * ENGINE_LOOK_MOST,
	    "the next tick looks at the next ones");
	ok(!engine_side_look() && n_looks == MANY,
	    "a round is over when each was looked at once");
	n_looks = 0;
	while (engine_side_look())
		;
	is_int(n_looks, MANY / 2, "sides that ended are looked at no more");
	for (int i = 1; i < MANY; i += 2)
		engine_side_fini(&sides[i]);
	n_looks = 0;
	ok(!engine_side_look() && !n_looks,
	    "a round without sides is over at once");
	free(sides);
	end();
}

int main(void)
{
	test_stuck_post();
	test_stuck_get();
	test_looking();
	return done();
}
