/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relayd/relayd_start.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/heritage.h"
#include "core/param.h"
#include "launch/activation.h"
#include "launch/daemon.h"
#include "launch/failure.h"
#include "launch/launch.h"
#include "launch/options.h"
#include "launch/pidfile.h"
#include "launch/place.h"
#include "launch/single.h"
#include "launch/user.h"
#include "master/listen.h"
#include "master/master.h"
#include "master/notify.h"
#include "net/http.h"
#include "proc/shm.h"
#include "relay/directory.h"
#include "relay/relay_conf.h"
#include "relay/relay_worker.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The exit status for invalid settings: EX_CONFIG of sysexits.h. */
#define START_BAD_SETTINGS 78

/* What processes that leave get, beyond the moment that they take. */
#define DRAIN_MS 2000

static const struct options *options;
static struct relay_conf conf; /* of the newest generation */
static char program[PATH_MAX];
static char bound_address[300];

/* ---- settings ---- */

static int read_file(struct relay_conf *c, struct err *err)
{
	struct buf path = {0};
	int rc = 0;
	if (options->config)
		buf_str(&path, options->config);
	else
		buf_printf(&path, "%s/relay.yaml", options->dir);
	if (options->config || access(buf_cstr(&path), F_OK) == 0) {
		rc = relay_conf_read(c, buf_cstr(&path), err);
		param_own(&c->file, buf_cstr(&path));
	}
	buf_fini(&path);
	return rc;
}

static int check(const struct relay_conf *c, struct err *err)
{
	const char *why;
	if (!http_proxies_are_valid(c->trusted_proxies, &why))
		return err_set(err, ERR_CONFIG,
		    "trusted_proxies: %s: \"%.100s\"", why, c->trusted_proxies);
	return 0;
}

static int read_settings(struct relay_conf *c, struct err *err)
{
	param_own(&c->dir, options->dir);
	param_own(&c->log_file, options->log ? options->log : "");
	param_own(
	    &c->test_clock, options->test_clock ? options->test_clock : "");
	if (read_file(c, err) != 0)
		return -1;
	for (size_t i = 0; i < options->n_overrides; i++) {
		const struct override *s = &options->overrides[i];
		if (relay_conf_set(c, s->where, s->key, s->value, err) != 0)
			return -1;
	}
	return check(c, err);
}

static struct master_plan plan_for(const struct relay_conf *c)
{
	int fd = shm_create("co-relayd-conf", 0);
	if (fd < 0 || param_save(&relay_conf_table, c, fd) != 0)
		fatal("cannot pass on the settings: %s", strerror(errno));
	return (struct master_plan){
	    .conf_fd = fd,
	    .want[RELAY_WORKER] = (unsigned)c->workers,
	    .drain_ms = DRAIN_MS,
	    .hang_ms = c->hang_timeout * 1000,
	};
}

static int reload(struct master_plan *plan, struct err *err)
{
	struct relay_conf fresh;
	param_init(&relay_conf_table, &fresh);
	if (read_settings(&fresh, err) != 0) {
		param_fini(&relay_conf_table, &fresh);
		return -1;
	}
	param_keep_fixed(
	    &relay_conf_table, &fresh, &conf, launch_warn_kept, NULL);
	param_fini(&relay_conf_table, &conf);
	conf = fresh;
	*plan = plan_for(&conf);
	return 0;
}

/* ---- the start ---- */

static void prepare(struct heritage *heritage)
{
	heritage->max_sessions = (uint64_t)conf.max_agents;
}

static void print_banner(const char *bound)
{
	bool is_unix = strncmp(bound, "unix:", 5) == 0;
	printf("Relay:     %s%s\n", is_unix ? "" : "ws://", bound);
	printf("Directory: %s/%s\n", conf.dir, DIRECTORY_FILE);
	if (!is_unix)
		printf("Agents and clients take relay_url=ws://HOST%s, or "
		       "wss://NAME of a proxy with TLS.\n",
		    strrchr(bound, ':'));
	(void)fflush(stdout);
}

static void on_ready(const char *bound)
{
	failure_over();
	if (daemon_runs())
		daemon_ready();
	else
		print_banner(bound);
}

static void on_deaf(void)
{
	listen_remove(conf.bind);
}

static void make_folder(const struct passwd *user)
{
	struct err err;
	if (place_make_folder(conf.dir, user, &err) != 0)
		fatal("%s", err.text);
}

static int lock_folder(const struct passwd *user)
{
	struct buf path = {0};
	buf_printf(&path, "%s/lock", conf.dir);
	int fd = single_lock(
	    buf_cstr(&path), conf.dir, "use another folder (-d)", user);
	buf_fini(&path);
	return fd;
}

static void prepare_directory(void)
{
	struct buf path = {0};
	struct err err;
	buf_printf(&path, "%s/%s", conf.dir, DIRECTORY_FILE);
	if (directory_prepare(buf_cstr(&path), &err) != 0)
		fatal("%s", err.text);
	buf_fini(&path);
}

static int serve(void)
{
	const struct passwd *user = user_find(conf.user);
	failure_know_user(user);
	if (*conf.test_clock && !clock_follow(conf.test_clock))
		fatal("option --test-clock: cannot map %s", conf.test_clock);
	if (options->is_daemon)
		daemon_start();
	launch_raise_limits(256 + 8 * (uint64_t)conf.workers);
	make_folder(user);
	int lock_fd = lock_folder(user);
	if (options->pid_file)
		pidfile_open(options->pid_file, user);
	int listen_fd = launch_listen(
	    conf.bind, conf.port, user, bound_address, sizeof bound_address);
	launch_open_log(conf.log_file, user);
	notify_open();
	activation_store(listen_fd);
	user_become(user, false);
	prepare_directory();
	pidfile_write();
	struct master_setup setup = {
	    .name = "co-relayd",
	    .kinds = relay_kinds,
	    .n_kinds = RELAY_KINDS,
	    .program = program,
	    .plan = plan_for(&conf),
	    .work = "connections",
	    .registry_bytes = relay_worker_bytes(&conf),
	    .listen_fd = listen_fd,
	    .keeps_listener = activation_is_kept(),
	    .lock_fd = lock_fd,
	    .address = bound_address,
	    .ready_fd = options->ready_fd,
	    .prepare = prepare,
	    .reload = reload,
	    .on_ready = on_ready,
	    .on_deaf = on_deaf,
	    .on_failed = failure_tell,
	};
	int status = master_run(&setup);
	pidfile_remove();
	return status;
}

int relayd_start(const struct options *o)
{
	struct err err;
	int status = 0;
	options = o;
	log_name("co-relayd");
	if (!o->is_check)
		activation_claim();
	launch_find_program(program, sizeof program);
	param_init(&relay_conf_table, &conf);
	if (!o->is_check)
		failure_watch(o->log);
	if (read_settings(&conf, &err) != 0) {
		failure_tell(err.text);
		status = START_BAD_SETTINGS;
	} else if (o->is_check) {
		printf("co-relayd: the settings are good%s%s\n",
		    *conf.file ? ": " : "", conf.file);
	} else {
		status = serve();
	}
	param_fini(&relay_conf_table, &conf);
	return status;
}
