/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "main/start.h"

#include "access/policy.h"
#include "agent/agents.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/err.h"
#include "core/heritage.h"
#include "core/process.h"
#include "dialin/dialin_monitor.h"
#include "dialin/dialin_table.h"
#include "engine/engine_table.h"
#include "identity/ident.h"
#include "launch/activation.h"
#include "launch/daemon.h"
#include "launch/failure.h"
#include "launch/launch.h"
#include "launch/options.h"
#include "launch/pidfile.h"
#include "launch/user.h"
#include "main/banner.h"
#include "main/private.h"
#include "main/project.h"
#include "main/settings.h"
#include "main/show_conf.h"
#include "master/handover.h"
#include "master/listen.h"
#include "master/master.h"
#include "master/notify.h"
#include "onsembl/ons_codes.h"
#include "proc/lockfile.h"
#include "proc/shm.h"
#include "proc/tree.h"
#include "status/window.h"
#include "store/store.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The exit status for invalid settings: EX_CONFIG of sysexits.h. */
#define START_BAD_SETTINGS 78

static char program[PATH_MAX];
static bool is_takeover; /* of another master (USR2) */
static int listen_fd = -1;
static int lock_fd = -1;
static char start_dir[PATH_MAX]; /* "": not known */
static struct conf conf;	 /* of the newest generation */
static char bound_address[300];
static char address[IDENT_ADDRESS_SIZE];

/* The text with which the banner begins. */
static struct buf notices;

static void set_address(struct conf *c)
{
	free(c->address);
	c->address = mem_strdup(address);
	free(c->bound);
	c->bound = mem_strdup(bound_address);
}

static int save_settings(const struct conf *c)
{
	int fd = shm_create("co-hostd-conf", 0);
	if (fd < 0 || conf_save(c, fd) != 0)
		fatal("cannot pass on the settings: %s", strerror(errno));
	return fd;
}

static struct master_plan plan_for(const struct conf *c)
{
	log_threshold((enum log_level)c->log_level);
	log_json(c->log_format == LOG_FORMAT_JSON);
	show_conf_note(c);
	struct master_plan plan = {
	    .conf_fd = save_settings(c),
	    .drain_ms = c->drain_timeout * 1000,
	    .hang_ms = c->hang_timeout * 1000,
	};
	for (int kind = KIND_NONE + 1; kind < KINDS; kind++)
		plan.want[kind] = process_count(kind, c);
	return plan;
}

static int reload(struct master_plan *plan, struct err *err)
{
	struct conf fresh;
	conf_init(&fresh);
	if (settings_read(&fresh, err) != 0 ||
	    settings_ask_agent(&fresh, err) != 0) {
		conf_fini(&fresh);
		return -1;
	}
	set_address(&fresh);
	/* Listener, segment and store depend on these. */
	conf_keep_fixed(&fresh, &conf, launch_warn_kept, NULL);
	conf_fini(&conf);
	conf = fresh;
	*plan = plan_for(&conf);
	return 0;
}

/* ---- the banner ---- */

static size_t count_tools(const struct agent_about *about)
{
	size_t n = 0;
	while (about->tools && about->tools[n])
		n++;
	return n;
}

/* Whether the policy accepts CO_PAYMENT. */
static bool is_for_sale(const struct conf *c)
{
	struct err err;
	struct policy *policy = policy_open(c, &err);
	bool is_it = policy && policy_price(policy) > 0;
	policy_close(&policy);
	return is_it;
}

static void print_banner(const struct conf *c, const char *bound)
{
	struct agent_about about;
	struct err err;
	struct buf text = {0};
	const char *invite = getenv("CO_INVITE_CODE");
	bool is_from_env = strcmp(c->trust_where, "CONNECTONION_ENV") == 0;
	if (agents_describe(c, &about, &err) != 0)
		return;
	const struct banner banner = {
	    .notices = buf_cstr(&notices),
	    .name = *c->name ? c->name : about.name,
	    .model = about.model,
	    .n_tools = count_tools(&about),
	    .state = about.state,
	    .bound = bound,
	    .address = c->address,
	    .has_relay = process_count(KIND_LINK, c) != 0,
	    .doors = c->doors,
	    .host_yaml = c->host_yaml,
	    .co_dir = c->co_dir,
	    .trust = conf_trust_is_level(c) ? c->trust : "custom",
	    .environment = is_from_env ? getenv("CONNECTONION_ENV") : NULL,
	    .has_invite = invite && invite[strspn(invite, " \t\r\n")],
	    .has_payment = is_for_sale(c),
	};
	banner_print(&text, &banner);
	(void)fputs(buf_cstr(&text), stdout);
	(void)fflush(stdout);
	buf_fini(&text);
}

static void on_ready(const char *bound)
{
	failure_over();
	if (!lockfile_sign(lock_fd, 0, "master"))
		log_warn("the lock of the project: %s", strerror(errno));
	if (is_takeover)
		pidfile_write();
	else if (daemon_runs())
		daemon_ready();
	else
		print_banner(&conf, bound);
}

/* ---- the start ---- */

/*
 * Returns how many descriptors the busiest process needs before it has a
 * client: a worker for itself and a few turns, or the master for its children.
 */
static uint64_t least_files(const struct conf *c)
{
	return 256 + 8 * (uint64_t)c->workers;
}

static void claim_identity(const struct conf *c, const struct ident *me)
{
	struct agent_about about;
	struct buf warning = {0};
	struct err err;
	if (agents_describe(c, &about, &err) == 0 &&
	    ident_claim(me, *c->name ? c->name : about.name, c->project_dir,
		&warning, &err) != 0)
		log_warn("%s", err.text);
	if (warning.len) {
		if (daemon_runs() || *c->log_file)
			log_warn("%s", buf_cstr(&warning));
		buf_printf(&notices, "%s\n", buf_cstr(&warning));
	}
	buf_fini(&warning);
}

static void find_identity(struct conf *c)
{
	struct ident me;
	struct err err;
	if (ident_load(&me, c->co_dir, getenv("HOME"), &err) != 0)
		fatal("%s", err.text);
	if (me.is_new)
		log_info("made a new key in %s/keys: our address is %s",
		    me.source, me.address);
	memcpy(address, me.address, sizeof address);
	set_address(c);
	claim_identity(c, &me);
	ident_fini(&me);
}

/* Whether turns are processes of their own; those of the demo agent are not. */
static bool has_processes(const struct conf *c)
{
	return strcmp(c->agent, "demo") != 0;
}

/* Tell the operator which limits this machine can enforce. */
static void tell_limits(const struct conf *c)
{
	static const char *const by[] = {
	    [TREE_HELD_BY_GROUP] = "control groups",
	    [TREE_HELD_BY_TURNSTILE] = "a seccomp filter",
	    [TREE_HELD_BY_RLIMIT] = "RLIMIT_NPROC",
	};
	if (!has_processes(c))
		return;
	enum tree_hold hold = tree_hold();
	if (hold == TREE_NOT_HELD)
		log_warn(
		    "agent_processes cannot be enforced here: an agent that "
		    "keeps forking can bring this machine down. Serve as "
		    "another user "
		    "than root (user), or allow writing to /sys/fs/cgroup, or "
		    "the system call seccomp");
	else
		log_info("agent_processes is enforced by %s", by[hold]);
}

static void tell_trust(const struct conf *c)
{
	if (*c->trust_object)
		log_info(
		    "trust: the %s passed to host() decides who may come in",
		    c->trust_object);
}

static void close_to_others(const struct conf *c, const struct passwd *guest)
{
	size_t n = private_make(c->co_dir, guest);
	if (guest && guest->pw_uid != geteuid() &&
	    !private_admits(c->co_dir, guest))
		fatal("agent_user: %s cannot be given access to %s: its file "
		      "system has no ACLs",
		    guest->pw_name, c->co_dir);
	if (n)
		log_info(
		    "%s: removed other users' access to %zu files and folders",
		    c->co_dir, n);
}

/* Do everything that only root may do, then become the user. */
static void acquire(struct conf *c, const struct options *o, bool has_guest)
{
	const struct passwd *user = user_find(c->user);
	launch_raise_limits(least_files(c));
	project_make(c, user);
	lock_fd = project_lock(c, user);
	if (o->pid_file)
		pidfile_open(o->pid_file, user);
	listen_fd = launch_listen(
	    c->bind, c->port, user, bound_address, sizeof bound_address);
	launch_open_log(c->log_file, user);
	notify_open();
	activation_store(listen_fd);
	user_become(user, has_guest);
	pidfile_write();
}

/*
 * Take over what another master leaves us. Settings that cannot change while
 * the server runs cannot change now either.
 */
static void take_over(struct conf *c, const struct options *o)
{
	struct conf old;
	struct err err;
	conf_init(&old);
	if (conf_load(&old, HERITAGE_FD_CONF, &err) != 0)
		fatal("upgrade: the settings of the running server: %s",
		    err.text);
	conf_keep_fixed(c, &old, launch_warn_kept, NULL);
	(void)snprintf(bound_address, sizeof bound_address, "%s", old.bound);
	conf_fini(&old);
	lock_fd = HERITAGE_FD_LOCK;
	listen_fd = HERITAGE_FD_LISTEN;
	if (handover_pid_fd() >= 0)
		pidfile_adopt(o->pid_file, handover_pid_fd());
	else if (o->pid_file)
		pidfile_open(o->pid_file, NULL);
	launch_open_log(c->log_file, NULL);
}

static void settle_in(struct conf *c, const struct options *o)
{
	const struct passwd *guest =
	    user_of_agents(c->agent_user, c->project_dir);
	if (is_takeover)
		take_over(c, o);
	else
		acquire(c, o, guest != NULL);
	find_identity(c);
	close_to_others(c, guest);
	tell_limits(c);
	tell_trust(c);
	if (chdir(c->project_dir) != 0)
		fatal("%s: %s", c->project_dir, strerror(errno));
}

/* The tables lie one behind the other: the next begins at such an offset. */
static uint64_t aligned(uint64_t bytes)
{
	return (bytes + ENGINE_ALIGNMENT - 1) & ~(ENGINE_ALIGNMENT - 1);
}

static uint64_t registry_bytes(const struct conf *c)
{
	return aligned(HERITAGE_REGISTRY_BYTES((uint64_t)c->max_sessions));
}

static uint64_t engines_bytes(const struct conf *c)
{
	return aligned(engine_table_bytes((uint64_t)c->max_polling));
}

static uint64_t dialins_bytes(const struct conf *c)
{
	return aligned(dialin_table_bytes((uint64_t)c->max_agents_dialed_in));
}

static uint64_t codes_bytes(void)
{
	return aligned(ons_codes_bytes());
}

static void prepare(struct heritage *heritage)
{
	heritage->max_sessions = (uint64_t)conf.max_sessions;
	heritage->max_engines = (uint64_t)conf.max_polling;
	heritage->engines_at = heritage->registry_at + registry_bytes(&conf);
	heritage->max_dialins = (uint64_t)conf.max_agents_dialed_in;
	heritage->dialins_at = heritage->engines_at + engines_bytes(&conf);
	heritage->codes_at = heritage->dialins_at + dialins_bytes(&conf);
	heritage->monitor_at = heritage->codes_at + codes_bytes();
}

static void on_deaf(void)
{
	listen_remove(conf.bind);
}

/* Whether another master has taken our place: then all is its. */
static bool is_replaced;

/* Returns 0 if there is none: the server is as good without it. */
static int make_window(const struct conf *c)
{
	struct err err;
	int fd = is_takeover ? 0 : window_make(c->co_dir, &err);
	if (fd < 0)
		log_warn(
		    "co-hostd status will show no processes: %s", err.text);
	return fd < 0 ? 0 : fd;
}

static int on_upgrade(enum master_upgrade step)
{
	switch (step) {
	case MASTER_UPGRADE_BEGINS:
		return pidfile_put_aside();
	case MASTER_UPGRADE_DONE:
		pidfile_give_up();
		is_replaced = true;
		break;
	case MASTER_UPGRADE_FAILED:
	case MASTER_UPGRADE_LOST:
		is_replaced = false;
		pidfile_put_back();
		break;
	}
	return -1;
}

static int serve(struct conf *c, const struct options *o)
{
	if (*c->test_clock && !clock_follow(c->test_clock))
		fatal("option --test-clock: cannot map %s", c->test_clock);
	if (o->is_daemon && !is_takeover)
		daemon_start();
	settle_in(c, o);
	struct master_setup setup = {
	    .name = "co-hostd",
	    .kinds = process_kinds,
	    .n_kinds = KINDS,
	    .program = program,
	    .plan = plan_for(c),
	    .work = "turns",
	    .files_version = STORE_VERSION,
	    .registry_bytes = registry_bytes(c) + engines_bytes(c) +
			      dialins_bytes(c) + codes_bytes() +
			      dialin_monitor_bytes(),
	    .libexec_dir = c->libexec_dir,
	    .window_fd = make_window(c),
	    .listen_fd = listen_fd,
	    .keeps_listener = activation_is_kept(),
	    .lock_fd = lock_fd,
	    .address = bound_address,
	    .ready_fd = is_takeover ? -1 : o->ready_fd,
	    .argv = o->argv,
	    .start_dir = *start_dir ? start_dir : NULL,
	    .on_upgrade = on_upgrade,
	    .prepare = prepare,
	    .reload = reload,
	    .on_ready = on_ready,
	    .on_deaf = on_deaf,
	    .on_failed = failure_tell,
	};
	int status = master_run(&setup);
	pidfile_remove();
	/* A master that never took over leaves all to the one that runs. */
	if (!is_replaced && !handover_is_due()) {
		window_remove(c->co_dir);
		show_conf_forget(c);
	}
	return status;
}

static int start_check(const struct conf *c)
{
	unsigned n = log_n_warnings();
	printf("co-hostd: the settings are ");
	if (n)
		printf("valid, with %u warning%s", n, n == 1 ? "" : "s");
	else
		printf("good");
	printf("%s%s\n", *c->host_yaml ? ": " : "", c->host_yaml);
	return 0;
}

/*
 * Determine which user we and the agents will be: agents of another user need
 * their folders before they are asked.
 */
static bool meet_users(const struct conf *c)
{
	const struct passwd *user = user_find(c->user);
	failure_know_user(user);
	const struct passwd *guest =
	    user_of_agents(c->agent_user, c->project_dir);
	if (!guest)
		return true;
	project_make(c, user);
	user_act_as(user);
	(void)private_make(c->co_dir, guest); /* settle_in() checks again */
	user_act_as_root(user);
	return true;
}

int start_run(const struct options *o)
{
	struct err err;
	is_takeover = o->is_takeover;
	if (is_takeover && !handover_claim())
		options_error("only a running server gives it", "--takeover");
	if (!is_takeover && !o->is_check)
		activation_claim();
	if (!getcwd(start_dir, sizeof start_dir))
		*start_dir = 0;
	launch_find_program(program, sizeof program);
	user_mend_home();
	conf_init(&conf);
	if (!o->is_check)
		failure_watch(o->log);
	if (settings_init(o, program, &err) != 0 ||
	    settings_read(&conf, &err) != 0 || !meet_users(&conf) ||
	    settings_ask_agent(&conf, &err) != 0) {
		if (o->is_check)
			(void)fprintf(stderr, "co-hostd: %s\n", err.text);
		else
			failure_tell(err.text);
		conf_fini(&conf);
		return START_BAD_SETTINGS;
	}
	settings_print_loaded(&notices);
	int status = o->is_check ? start_check(&conf) : serve(&conf, o);
	conf_fini(&conf);
	return status;
}
