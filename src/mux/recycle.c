/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mux/recycle.h"

#include "base/clock.h"
#include "mux/hands.h"
#include "mux/sender.h"
#include "mux/turns.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* How long the last words may take. */
#define LAST_WORDS_MS 1000

/* How often the memory is checked, below half of the limit and above. */
#define CHECK_MS 100
#define CHECK_OFTEN_MS 10

static struct recycle_limits limits;
static int64_t allowed;	 /* memory, as it was set */
static bool is_near;	 /* the limit */
static bool is_asked;	 /* for a successor */
static bool has_strays;	 /* code goes on after its turn */
static uint64_t checked; /* turns that had ended at the last check */

static uint64_t jittered(uint64_t value)
{
	uint32_t r = 0;

	(void)!getrandom(&r, sizeof r, GRND_NONBLOCK);
	return value - value / 10 * (r % 1000) / 1000;
}

void recycle_open(const struct recycle_limits *l)
{
	limits = *l;
	limits.memory_hard = RECYCLE_SHARE(l->memory_hard);
	allowed = l->memory_hard;
	limits.turns = jittered(l->turns);
	limits.memory_soft = (int64_t)jittered((uint64_t)l->memory_soft);
}

static void say(uint64_t turn, const char *json, unsigned how)
{
	(void)sender_write(turn, json, strlen(json), how);
}

static void ask(const char *what, int64_t value, const char *unit)
{
	char json[200];

	is_asked = true;
	(void)snprintf(json, sizeof json,
	    "{\"type\":\"RETIRE\",\"reason\":\"%s %" PRId64 " %s\"}", what,
	    value, unit);
	say(0, json, 0);
}

void recycle_crowded(void)
{
	static const char json[] = "{\"type\":\"RETIRE\",\"reason\":"
				   "\"no further thread can be started\"}";

	if (is_asked)
		return;
	is_asked = true;
	say(0, json, 0);
}

void recycle_count(void)
{
	if (limits.turns && !is_asked && sender_ended() >= limits.turns)
		ask("agent_recycle_turns:", (int64_t)sender_ended(), "turns");
}

static int64_t resident(void)
{
	char text[128];
	long pages = 0;

	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = 0;
	return sscanf(text, "%*d %ld", &pages) == 1
		   ? (int64_t)pages * sysconf(_SC_PAGESIZE)
		   : 0;
}

/* ---- too much ---- */

struct suspect {
	uint64_t turn, faults;
};

static void compare(struct turn *t, void *arg)
{
	struct suspect *worst = arg;
	uint64_t faults = t->faults + hands_faults_of(t->number);

	if (worst->turn && faults <= worst->faults)
		return;
	worst->turn = t->number;
	worst->faults = faults;
}

static void give_up(int64_t bytes) __attribute__((noreturn));

static void give_up(int64_t bytes)
{
	struct suspect worst = {0};
	char json[200];

	turns_each(compare, &worst);
	(void)snprintf(json, sizeof json,
	    "{\"type\":\"LOST\",\"reason\":\"memory\",\"message\":\"%" PRId64
	    " MB resident, agent_memory is %" PRId64 "\"}",
	    bytes >> 20, allowed >> 20);
	if (worst.turn)
		say(worst.turn, json, SENDER_ALONE);
	(void)sender_finish(LAST_WORDS_MS);
	_exit(1);
}

/* ---- code that goes on ---- */

static bool has_ended(uint64_t turn)
{
	return !turns_find(turn);
}

static void check_strays(void)
{
	struct hands_strays found =
	    hands_find_strays(has_ended, clock_steady_us(), limits.grace_us);

	has_strays = found.n > 0;
	if (!is_asked && found.percent >= RECYCLE_STRAY_PERCENT)
		ask("code that goes on after the end of its turn uses",
		    found.percent, "% of a processor");
}

bool recycle_is_needed(void)
{
	return turns_running() + turns_waiting() > 0 || has_strays ||
	       sender_ended() != checked;
}

int64_t recycle_pause_ms(void)
{
	return is_near ? CHECK_OFTEN_MS : CHECK_MS;
}

void recycle_check(void)
{
	int64_t bytes = resident();
	bool is_after_turn = sender_ended() != checked;

	checked = sender_ended();
	is_near = limits.memory_hard && bytes > limits.memory_hard / 2;
	if (limits.memory_hard && bytes > limits.memory_hard)
		give_up(bytes);
	if (limits.memory_soft && is_after_turn && !is_asked &&
	    bytes > limits.memory_soft)
		ask("agent_recycle_memory:", bytes >> 20, "MB");
	if (limits.grace_us)
		check_strays();
}
