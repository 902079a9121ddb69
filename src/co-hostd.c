/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/agents.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/agent.h"
#include "core/conf.h"
#include "core/err.h"
#include "master/listen.h"
#include "master/master.h"
#include "master/notify.h"
#include "net/http.h"
#include "trust/ident.h"
#include "worker/keeper.h"
#include "worker/worker.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif
#ifndef CO_LIBEXECDIR
#define CO_LIBEXECDIR "/usr/libexec/co-hostd"
#endif

/* Settings given by options or the command line, applied last and at each
 * reload. */
#define MAX_OVERRIDES 64

/* A daemon's start is given up after this long. */
#define START_TIMEOUT_S 90

struct override {
	char *where;
	char *key;
	char *value;
};

struct options {
	struct override overrides[MAX_OVERRIDES];
	size_t n_overrides;
	const char *dir;
	const char *config;
	const char *log;
	const char *pid_file;
	const char *test_clock;
	const char *child;
	unsigned slot;
	unsigned generation;
	int ready_fd;
	bool is_daemon;
	bool is_check;
};

static struct options options = {.dir = ".", .ready_fd = -1};
static char program[PATH_MAX];
static int pid_fd = -1;
static int listen_fd = -1;
static char bound_address[300];

/* Held for life: two servers must not share one project. */
static int lock_fd = -1;

enum {
	OPT_TRUST = 256,
	OPT_PID_FILE,
	OPT_USER,
	OPT_READY_FD,
	OPT_TEST_CLOCK,
	OPT_CHILD,
	OPT_SLOT,
	OPT_GENERATION,
};

static const struct option long_options[] = {
    {"workers", required_argument, NULL, 'w'},
    {"port", required_argument, NULL, 'p'},
    {"bind", required_argument, NULL, 'b'},
    {"dir", required_argument, NULL, 'd'},
    {"config", required_argument, NULL, 'c'},
    {"agent", required_argument, NULL, 'a'},
    {"set", required_argument, NULL, 'o'},
    {"daemon", no_argument, NULL, 'D'},
    {"log", required_argument, NULL, 'l'},
    {"test", no_argument, NULL, 't'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {"trust", required_argument, NULL, OPT_TRUST},
    {"pid-file", required_argument, NULL, OPT_PID_FILE},
    {"user", required_argument, NULL, OPT_USER},
    {"ready-fd", required_argument, NULL, OPT_READY_FD},
    {"test-clock", required_argument, NULL, OPT_TEST_CLOCK},
    {"child", required_argument, NULL, OPT_CHILD},
    {"slot", required_argument, NULL, OPT_SLOT},
    {"generation", required_argument, NULL, OPT_GENERATION},
    {NULL, 0, NULL, 0},
};

static const char usage_text[] =
    "Usage: co-hostd [options]\n"
    "Host an AI agent over HTTP and WebSocket.\n"
    "\n"
    "  -w, --workers N|auto   worker processes (default 1)\n"
    "  -p, --port PORT        TCP port (default 8000; 0: any free one)\n"
    "  -b, --bind ADDR        IPv4, IPv6 or unix:PATH (default 127.0.0.1)\n"
    "  -d, --dir DIR          project directory, which holds .co (default .)\n"
    "  -c, --config FILE      settings (default DIR/.co/host.yaml)\n"
    "  -a, --agent AGENT      demo, or exec:COMMAND (default demo)\n"
    "      --trust LEVEL      open (the only level so far)\n"
    "  -o, --set KEY=VALUE    any setting of host.yaml(5)\n"
    "  -D, --daemon           run in the background\n"
    "      --pid-file FILE    write the process id there\n"
    "  -l, --log FILE         log there (default: standard error)\n"
    "      --user USER        run as this user when started as root\n"
    "  -t, --test             check the settings and exit\n"
    "      --ready-fd N       write the address to descriptor N when serving\n"
    "      --test-clock FILE  move all clocks by the milliseconds in FILE\n"
    "  -V, --version          print the version\n"
    "  -h, --help             print this\n"
    "\n"
    "Signals: TERM, INT stop after turns have ended; QUIT at once; HUP starts\n"
    "new workers with new settings; USR1 opens the logs again.\n";

static void usage_error(const char *problem, const char *what)
{
	(void)fprintf(stderr, "co-hostd: %s: %s\nTry 'co-hostd --help'.\n",
	    problem, what);
	exit(2);
}

/* ---- options ---- */

static void add_override(const char *where, const char *key, const char *value)
{
	struct override *o = &options.overrides[options.n_overrides++];
	if (options.n_overrides > MAX_OVERRIDES)
		usage_error("too many options at", where);
	o->where = mem_strdup(where);
	o->key = mem_strdup(key);
	o->value = mem_strdup(value);
}

static void add_pair(const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		usage_error("--set needs KEY=VALUE, not", text);
	char *key = mem_strndup(text, (size_t)(equals - text));
	add_override("option --set", key, equals + 1);
	free(key);
}

static unsigned number_option(const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);
	if (!*text || *end || v > INT_MAX)
		usage_error("a number is needed, not", text);
	return (unsigned)v;
}

static void take_setting(int opt, const char *value)
{
	static const struct {
		int opt;
		const char *where;
		const char *key;
	} rows[] = {
	    {'w', "option --workers", "workers"},
	    {'p', "option --port", "port"},
	    {'b', "option --bind", "bind"},
	    {'a', "option --agent", "agent"},
	    {OPT_TRUST, "option --trust", "trust"},
	    {OPT_USER, "option --user", "user"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].opt == opt)
			add_override(rows[i].where, rows[i].key, value);
}

static void take_option(int opt)
{
	switch (opt) {
	case 'd':
		options.dir = optarg;
		break;
	case 'c':
		options.config = optarg;
		break;
	case 'o':
		add_pair(optarg);
		break;
	case 'D':
		options.is_daemon = true;
		break;
	case 'l':
		options.log = optarg;
		break;
	case 't':
		options.is_check = true;
		break;
	case 'V':
		puts("co-hostd " PACKAGE_VERSION);
		exit(0);
	case 'h':
		(void)fputs(usage_text, stdout);
		exit(0);
	case OPT_PID_FILE:
		options.pid_file = optarg;
		break;
	case OPT_READY_FD:
		options.ready_fd = (int)number_option(optarg);
		break;
	case OPT_TEST_CLOCK:
		options.test_clock = optarg;
		break;
	case OPT_CHILD:
		options.child = optarg;
		break;
	case OPT_SLOT:
		options.slot = number_option(optarg);
		break;
	case OPT_GENERATION:
		options.generation = number_option(optarg);
		break;
	case '?':
		(void)fputs("Try 'co-hostd --help'.\n", stderr);
		exit(2);
	default:
		take_setting(opt, optarg);
		break;
	}
}

static const char *absolute(const char *path)
{
	char real[PATH_MAX];
	if (!path || *path == '/')
		return path;
	if (!getcwd(real, sizeof real))
		fatal("cannot tell the current directory: %s", strerror(errno));
	struct buf b = {0};
	buf_printf(&b, "%s/%s", real, path);
	return buf_steal(&b, NULL);
}

/* We leave the folder that paths on the command line are relative to. */
static void settle_paths(void)
{
	options.dir = absolute(options.dir);
	options.config = absolute(options.config);
	options.log = absolute(options.log);
	options.pid_file = absolute(options.pid_file);
	options.test_clock = absolute(options.test_clock);
}

static void read_options(int argc, char **argv)
{
	int opt;
	while ((opt = getopt_long(argc, argv, "w:p:b:d:c:a:o:Dl:tVh",
		    long_options, NULL)) != -1)
		take_option(opt);
	if (optind < argc)
		usage_error("there is no argument", argv[optind]);
	settle_paths();
}

/* ---- places ---- */

static char *join(const char *dir, const char *rest)
{
	struct buf b = {0};
	buf_printf(&b, "%s%s", dir, rest);
	return buf_steal(&b, NULL);
}

static void own(char **to, char *value)
{
	free(*to);
	*to = value;
}

static int find_places(struct conf *c, struct err *err)
{
	char real[PATH_MAX];
	if (!realpath(options.dir, real))
		return err_set(err, ERR_CONFIG, "--dir %s: %s", options.dir,
		    strerror(errno));
	own(&c->project_dir, mem_strdup(real));
	own(&c->co_dir, join(real, "/.co"));
	if (options.log)
		own(&c->log_file, mem_strdup(options.log));
	if (options.test_clock)
		own(&c->test_clock, mem_strdup(options.test_clock));
	own(&c->host_yaml, options.config ? mem_strdup(options.config)
					  : join(c->co_dir, "/host.yaml"));
	return 0;
}

/* co-turn lies beside us in a build tree, else where it was installed. */
static void find_libexec(struct conf *c)
{
	char *dir = mem_strdup(program);
	char *slash = strrchr(dir, '/');
	if (slash)
		*slash = 0;
	char *beside = join(dir, "/co-turn");
	bool is_built = access(beside, X_OK) == 0;
	own(&c->libexec_dir, mem_strdup(is_built ? dir : CO_LIBEXECDIR));
	free(beside);
	free(dir);
}

/* ---- the user ---- */

static const struct passwd *find_user(const struct conf *c)
{
	if (!*c->user || getuid() != 0)
		return NULL;
	const struct passwd *user = getpwnam(c->user);
	if (!user)
		fatal("option --user: there is no user %s", c->user);
	return user;
}

static void cannot_become(const struct passwd *user)
{
	fatal("cannot become user %s: %s", user->pw_name, strerror(errno));
}

/* With the rights of a user (NULL: our own) until act_as_root(). */
static void act_as(const struct passwd *user)
{
	if (user &&
	    (initgroups(user->pw_name, user->pw_gid) != 0 ||
		setegid(user->pw_gid) != 0 || seteuid(user->pw_uid) != 0))
		cannot_become(user);
}

static void act_as_root(const struct passwd *user)
{
	if (user && (seteuid(0) != 0 || setegid(getgid()) != 0))
		fatal("cannot be root again: %s", strerror(errno));
}

static void become(const struct passwd *user)
{
	if (!user)
		return;
	if (initgroups(user->pw_name, user->pw_gid) != 0 ||
	    setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		cannot_become(user);
	(void)setenv("HOME", user->pw_dir, 1);
	(void)setenv("USER", user->pw_name, 1);
}

/* ---- the environment ---- */

/* First lines of the banner, kept until there is one. */
static struct buf loaded;

static void load_env_file(const char *dir, const char *name, const char *what)
{
	char *path = join(dir, name);
	if (conf_load_env_file(path) >= 0)
		buf_printf(&loaded, "INFO: Loaded %s: %s\n", what, path);
	free(path);
}

/*
 * Once, and as the user who will serve: what he may not read, root does not
 * read for him.
 */
static void load_env_files(const struct conf *c)
{
	static bool is_loaded;
	if (is_loaded)
		return;
	is_loaded = true;
	const struct passwd *user = find_user(c);
	const char *home = user ? user->pw_dir : getenv("HOME");
	act_as(user);
	load_env_file(c->project_dir, "/.env", "environment");
	if (home)
		load_env_file(home, "/.co/keys.env", "global keys");
	act_as_root(user);
}

/* ---- settings ---- */

static void on_warning(const char *text, void *arg)
{
	(void)arg;
	log_warn("%s", text);
}

/* The user is needed before the rest: it says whose environment to read. */
static int set_user(struct conf *c, struct err *err)
{
	for (size_t i = 0; i < options.n_overrides; i++) {
		const struct override *o = &options.overrides[i];
		if (strcmp(o->key, "user") == 0 &&
		    conf_set(c, o->where, o->key, o->value, err) != 0)
			return -1;
	}
	return 0;
}

/* defaults < host.yaml < environment < command line. */
static int read_settings(struct conf *c, struct err *err)
{
	if (find_places(c, err) != 0)
		return -1;
	find_libexec(c);
	bool has_yaml = access(c->host_yaml, F_OK) == 0;
	if (!has_yaml && options.config)
		return err_set(
		    err, ERR_CONFIG, "%s: %s", c->host_yaml, strerror(errno));
	if (has_yaml &&
	    conf_read_yaml(c, c->host_yaml, on_warning, NULL, err) != 0)
		return -1;
	if (!has_yaml)
		own(&c->host_yaml, mem_strdup(""));
	for (size_t i = 0; i < options.n_overrides; i++)
		if (strcmp(options.overrides[i].key, "trust") == 0)
			own(&c->trust_where, mem_strdup("--trust"));
	if (set_user(c, err) != 0)
		return -1;
	load_env_files(c);
	if (conf_read_env(c, err) != 0)
		return -1;
	for (size_t i = 0; i < options.n_overrides; i++) {
		const struct override *o = &options.overrides[i];
		if (conf_set(c, o->where, o->key, o->value, err) != 0)
			return -1;
	}
	const char *why;
	if (!http_proxies_are_valid(c->trusted_proxies, &why))
		return err_set(err, ERR_CONFIG,
		    "%s: trusted_proxies: %s: \"%.100s\"", c->proxies_where,
		    why, c->trusted_proxies);
	return conf_check(c, err);
}

static char address[IDENT_ADDRESS_SIZE];

static int reload(struct conf *c, struct err *err)
{
	struct agent_about about;
	if (read_settings(c, err) != 0 || agents_describe(c, &about, err) != 0)
		return -1;
	own(&c->address, mem_strdup(address));
	return 0;
}

/* ---- the project's folder ---- */

static void make_dir(const char *path, const struct passwd *user)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		fatal("cannot make %s: %s", path, strerror(errno));
	/* Not where a link leads: it may lead out of the project. */
	if (user && lchown(path, user->pw_uid, user->pw_gid) != 0)
		fatal("cannot give %s to its user: %s", path, strerror(errno));
}

static void make_folder(const struct conf *c, const struct passwd *user)
{
	static const char *const parts[] = {
	    "", "/logs", "/uploads", "/keys", "/store"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char *path = join(c->co_dir, parts[i]);
		make_dir(path, user);
		free(path);
	}
}

static void raise_limits(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		log_warn("the limit on open files stays as it is: %s",
		    strerror(errno));
}

static void lock_project(const struct conf *c, const struct passwd *user)
{
	char *path = join(c->co_dir, "/store/lock");
	act_as(user);
	lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock_fd < 0)
		fatal("%s: %s", path, strerror(errno));
	act_as_root(user);
	if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0)
		fatal("another co-hostd serves %s already", c->project_dir);
	free(path);
}

/* ---- the pid file ---- */

static void open_pid_file(const struct passwd *user)
{
	if (!options.pid_file)
		return;
	pid_fd = open(options.pid_file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (pid_fd < 0)
		fatal("pid file %s: %s", options.pid_file, strerror(errno));
	if (user && fchown(pid_fd, user->pw_uid, user->pw_gid) != 0)
		log_warn("pid file %s stays root's", options.pid_file);
	if (flock(pid_fd, LOCK_EX | LOCK_NB) != 0)
		fatal(
		    "pid file %s: another co-hostd holds it", options.pid_file);
}

static void write_pid_file(void)
{
	if (pid_fd < 0)
		return;
	if (ftruncate(pid_fd, 0) != 0 ||
	    dprintf(pid_fd, "%d\n", (int)getpid()) < 0)
		fatal("pid file %s: %s", options.pid_file, strerror(errno));
}

/* The folder may be root's while we no longer are: an empty file says as much.
 */
static void remove_pid_file(void)
{
	if (pid_fd >= 0 && unlink(options.pid_file) != 0 &&
	    ftruncate(pid_fd, 0) != 0)
		log_warn("pid file %s: %s", options.pid_file, strerror(errno));
}

/* ---- the banner ---- */

static size_t count_tools(const struct agent_about *about)
{
	size_t n = 0;
	while (about->tools && about->tools[n])
		n++;
	return n;
}

static void print_banner(const struct conf *c, const char *bound)
{
	struct agent_about about;
	struct err err;
	const char *colon = strrchr(bound, ':');
	if (agents_describe(c, &about, &err) != 0)
		return;
	printf("%s\n[agent] ─────────────────────────────────────\n",
	    buf_cstr(&loaded));
	buf_fini(&loaded);
	printf("        %s\n", *c->name ? c->name : about.name);
	printf("        %s • %zu tools\n", about.model, count_tools(&about));
	printf("\n[host]  ─────────────────────────────────────\n");
	if (strncmp(bound, "unix:", 5) == 0)
		printf("        %s\n", bound);
	else
		printf("        http://localhost%s\n", colon ? colon : "");
	printf("        POST /input · WS /ws · GET /docs\n\n");
	printf("        %s\n\n", c->address);
	if (*c->host_yaml)
		printf("        config: %s\n", c->host_yaml);
	printf("        logs: %s/logs\n\n", c->co_dir);
	printf("Waiting for tasks...\n");
	(void)fflush(stdout);
}

static int daemon_ready = -1;

static void detach_output(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	close(null);
}

static void on_ready(const struct conf *c, const char *bound)
{
	if (daemon_ready < 0) {
		print_banner(c, bound);
		return;
	}
	if (write(daemon_ready, "1", 1) != 1)
		log_warn("the process that started us is gone");
	close(daemon_ready);
	detach_output();
}

/* ---- the background ---- */

static pid_t daemon_pid;

/* What does not serve in time shall not do so later, behind our back. */
static void on_alarm(int signo)
{
	static const char text[] = "co-hostd: does not start in time\n";
	(void)signo;
	(void)kill(daemon_pid, SIGKILL);
	_exit(write(STDERR_FILENO, text, sizeof text - 1) < 0 ? 2 : 1);
}

/* The parent stays until the daemon serves, and tells whether it does. */
static void daemonise(void)
{
	int ends[2];
	char byte;
	if (pipe2(ends, O_CLOEXEC) != 0)
		fatal("pipe: %s", strerror(errno));
	daemon_pid = fork();
	if (daemon_pid < 0)
		fatal("fork: %s", strerror(errno));
	if (daemon_pid == 0) {
		close(ends[0]);
		daemon_ready = ends[1];
		(void)setsid();
		return;
	}
	close(ends[1]);
	(void)signal(SIGALRM, on_alarm);
	(void)alarm(START_TIMEOUT_S);
	_exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
}

/* ---- main ---- */

static int run_child(void)
{
	if (strcmp(options.child, "worker") == 0)
		return worker_main(options.slot, options.generation);
	if (strcmp(options.child, "keeper") == 0)
		return keeper_main(options.slot, options.generation);
	usage_error("there is no kind of process", options.child);
	return 2;
}

static void find_program(const char *argv0)
{
	ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
	if (n < 0)
		fatal(
		    "cannot tell which file %s is: %s", argv0, strerror(errno));
	program[n] = 0;
}

/* While we may still take a low port, or a place in /run. */
static void open_listener(const struct conf *c, const struct passwd *user)
{
	struct err err;
	listen_fd = listen_open(c, bound_address, sizeof bound_address, &err);
	if (listen_fd < 0)
		fatal("%s", err.text);
	if (user && strncmp(c->bind, "unix:", 5) == 0 &&
	    chown(c->bind + 5, user->pw_uid, user->pw_gid) != 0)
		log_warn("%s stays root's", c->bind);
}

/* Everything that only root may do, then the user takes over. */
static void settle_in(struct conf *c)
{
	struct err err;
	const struct passwd *user = find_user(c);
	raise_limits();
	make_folder(c, user);
	lock_project(c, user);
	open_pid_file(user);
	open_listener(
	    c, user); /* before the log: who starts us should see why */
	if (*c->log_file && log_open(c->log_file) != 0)
		fatal("log %s: %s", c->log_file, strerror(errno));
	if (user && *c->log_file &&
	    chown(c->log_file, user->pw_uid, user->pw_gid) != 0)
		log_warn("log %s stays root's", c->log_file);
	notify_open();
	become(user);
	if (ident_load(c->co_dir, getenv("HOME"), address, &err) != 0)
		fatal("%s", err.text);
	own(&c->address, mem_strdup(address));
	if (chdir(c->project_dir) != 0)
		fatal("%s: %s", c->project_dir, strerror(errno));
}

/* These are for the master, and wait for it: none shall end a start, or a
 * process that the sender did not mean. */
static void hold_signals(void)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL); /* cannot fail */
	(void)signal(SIGUSR2, SIG_IGN);
}

int main(int argc, char **argv)
{
	hold_signals();
	struct conf conf;
	struct err err;
	struct agent_about about;
	read_options(argc, argv);
	if (options.child)
		return run_child();
	find_program(argv[0]);
	conf_init(&conf);
	if (read_settings(&conf, &err) != 0 ||
	    agents_describe(&conf, &about, &err) != 0) {
		(void)fprintf(stderr, "co-hostd: %s\n", err.text);
		return 1;
	}
	if (options.is_check) {
		printf("co-hostd: the settings are good%s%s\n",
		    *conf.host_yaml ? ": " : "", conf.host_yaml);
		conf_fini(&conf);
		return 0;
	}
	if (*conf.test_clock && !clock_follow(conf.test_clock))
		fatal("option --test-clock: cannot map %s", conf.test_clock);
	if (options.is_daemon)
		daemonise();
	settle_in(&conf);
	write_pid_file();
	struct master_setup setup = {
	    .conf = &conf,
	    .program = program,
	    .listen_fd = listen_fd,
	    .address = bound_address,
	    .ready_fd = options.ready_fd,
	    .reload = reload,
	    .on_ready = on_ready,
	};
	int status = master_run(&setup);
	remove_pid_file();
	conf_fini(&conf);
	return status;
}
