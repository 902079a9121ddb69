/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_metrics.h"

#include "base/buf.h"
#include "base/clock.h"
#include "core/heritage.h"
#include "core/stat.h"
#include "door/door.h"
#include "net/http.h"
#include "session/session.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* The usage of all processes of the server together. */
struct usage {
	uint64_t cpu_ticks;
	uint64_t pages_virtual;
	uint64_t pages_resident;
	uint64_t open_fds;
	unsigned workers;
};

/*
 * Read a small file of /proc whole, NUL-terminated. Returns false if the
 * process is gone.
 */
static int read_proc(int pid, const char *name, char *text, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/*
 * Fields 14 and 15 of stat(5); the name before them may contain spaces and
 * brackets.
 */
static void add_cpu(int pid, struct usage *sum)
{
	char text[1024];
	uint64_t user, kernel;
	if (!read_proc(pid, "stat", text, sizeof text))
		return;
	const char *after = strrchr(text, ')');
	if (after && sscanf(after + 1,
			 " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
			 " %" SCNu64,
			 &user, &kernel) == 2)
		sum->cpu_ticks += user + kernel;
}

static void add_memory(int pid, struct usage *sum)
{
	char text[256];
	uint64_t all, resident;
	if (read_proc(pid, "statm", text, sizeof text) &&
	    sscanf(text, "%" SCNu64 " %" SCNu64, &all, &resident) == 2) {
		sum->pages_virtual += all;
		sum->pages_resident += resident;
	}
}

static void add_fds(int pid, struct usage *sum)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	if (!dir)
		return;
	for (struct dirent *e; (e = readdir(dir)) != NULL;)
		sum->open_fds += e->d_name[0] != '.';
	closedir(dir);
}

static void add_process(int pid, struct usage *sum)
{
	if (pid <= 0)
		return;
	add_cpu(pid, sum);
	add_memory(pid, sum);
	add_fds(pid, sum);
}

static void add_all(const struct heritage *heritage, struct usage *sum)
{
	add_process(heritage->master_pid, sum);
	for (int i = 0; i < HERITAGE_SLOTS; i++) {
		const struct heritage_slot *slot = &heritage->slots[i];
		if (slot->state == SLOT_FREE)
			continue;
		add_process(slot->pid, sum);
		sum->workers += slot->kind == KIND_WORKER;
	}
}

static void api_metrics_put_head(
    struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name,
	    type, name);
}

static void put_int(struct buf *out, const char *name, const char *type,
    const char *help, uint64_t value)
{
	api_metrics_put_head(out, name, type, help);
	buf_printf(out, "%" PRIu64 "\n", value);
}

static void put_seconds(struct buf *out, const char *name, const char *type,
    const char *help, double value)
{
	api_metrics_put_head(out, name, type, help);
	buf_printf(out, "%.3f\n", value);
}

static void put_usage(struct buf *out, const struct usage *sum)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct rlimit limit = {0};
	(void)getrlimit(RLIMIT_NOFILE, &limit); /* cannot fail for this name */
	put_seconds(out, "process_cpu_seconds_total", "counter",
	    "CPU time of all processes of the server now alive",
	    (double)sum->cpu_ticks / (double)sysconf(_SC_CLK_TCK));
	put_int(out, "process_resident_memory_bytes", "gauge",
	    "resident memory, shared pages counted in each process",
	    sum->pages_resident * page);
	put_int(out, "process_virtual_memory_bytes", "gauge",
	    "address space of all processes", sum->pages_virtual * page);
	put_int(out, "process_open_fds", "gauge",
	    "open descriptors of all processes", sum->open_fds);
	put_int(out, "process_max_fds", "gauge",
	    "most descriptors of one worker", limit.rlim_cur);
}

static void put_server(
    struct buf *out, const struct door_setup *setup, const struct usage *sum)
{
	const struct heritage *heritage = setup->heritage;
	put_seconds(out, "process_start_time_seconds", "gauge",
	    "when the master began, in Unix time",
	    (double)heritage->started_ms / 1000);
	put_int(out, "cohostd_sessions", "gauge",
	    "sessions known to the registry", session_count(setup->sessions));
	put_int(out, "cohostd_workers", "gauge", "worker processes alive",
	    sum->workers);
	put_int(out, "cohostd_restarts_total", "counter",
	    "processes replaced after a death", heritage->restarts);
	put_int(out, "cohostd_hung_total", "counter",
	    "processes killed because they did not move for hang_timeout",
	    heritage->hung);
	put_seconds(out, "cohostd_master_silent_seconds", "gauge",
	    "since the master last looked after the others",
	    (double)(clock_steady_us() - heritage->watched_us) / 1e6);
	buf_str(out, "# HELP cohostd_build_info version of the server\n"
		     "# TYPE cohostd_build_info gauge\n"
		     "cohostd_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
}

void api_metrics_get(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	struct usage sum = {0};
	struct buf out = {0};
	add_all(setup->heritage, &sum);
	stat_text(&out, setup->heritage->stats, HERITAGE_SLOTS);
	put_server(&out, setup, &sum);
	put_usage(&out, &sum);
	http_reply(req, 200, "text/plain; version=0.0.4; charset=utf-8",
	    out.data, out.len);
	buf_fini(&out);
}
