/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/agent_settings.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/url.h"
#include "wrapper/config_file.h"
#include "wrapper/kind.h"
#include "wrapper/workdir.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_CONFIG "config.json"

static const char usage[] =
    "Usage: onsembl-agent start [options]     connect an agent to a server\n"
    "       onsembl-agent stop | restart | status | logs [options]\n"
    "       onsembl-agent login | logout [options]   at a server\n"
    "  -a, --agent AGENT        claude, codex, gemini or mock (a shell)\n"
    "  -s, --server URL         ws://, wss://, http:// or https://\n"
    "  -k, --api-key TOKEN      of the server; better in ONSEMBL_API_KEY\n"
    "      --api-key-file FILE  or its first line\n"
    "  -w, --working-dir DIR    where commands run\n"
    "      --auth-type TYPE     of the agent: api-key or subscription\n"
    "      --agent-command FILE the program of the agent\n"
    "  -n, --name NAME          shown in dashboards\n"
    "      --agent-id ID        instead of a new one\n"
    "  -c, --config FILE        settings (default: ./config.json)\n"
    "  -b, --background         return when the agent has started\n"
    "  -i, --interactive        show the program of the agent here, too\n"
    "      --headless           do not (the default)\n"
    "      --status-bar         with -i: show the state in the last row\n"
    "      --no-websocket       with -i: do not connect to a server\n"
    "      --max-retries N      attempts to connect again (10)\n"
    "      --retry-delay MS     before the first of them (1000)\n"
    "      --heartbeat-interval MS      (30000)\n"
    "      --chunk-size BYTES   of output in a message (32768)\n"
    "      --flush-interval MS  for which output waits (50)\n"
    "      --outage-buffer BYTES        of output kept (8388608)\n"
    "      --log-file FILE  --log-level debug|info|warn|error\n"
    "  -f, --follow             logs: wait for more\n"
    "  -n, --lines N            logs: the last N lines (50)\n"
    "  -h, --help               this text            -V, --version\n";

enum form { TEXT, NUMBER, FLAG };

/* One setting: its names, its place, and the range of a number. */
struct row {
	const char *option;
	const char *env;
	const char *key;
	size_t offset;
	int64_t least, most;
	enum form form;
	char letter;
};

#define AT(member) offsetof(struct agent_settings, member)

static const struct row rows[] = {
    {"agent", "ONSEMBL_AGENT_TYPE", "agentType", AT(agent), 0, 0, TEXT, 'a'},
    {"server", "ONSEMBL_SERVER_URL", "serverUrl", AT(server), 0, 0, TEXT, 's'},
    {"api-key", "ONSEMBL_API_KEY", "authToken", AT(token), 0, 0, TEXT, 'k'},
    {"api-key-file", "ONSEMBL_API_KEY_FILE", "authTokenFile", AT(token_file), 0,
	0, TEXT, 0},
    {"working-dir", "ONSEMBL_WORKING_DIR", NULL, AT(dir), 0, 0, TEXT, 'w'},
    {"auth-type", "ONSEMBL_AUTH_TYPE", "authType", AT(auth_type), 0, 0, TEXT,
	0},
    {"agent-command", "ONSEMBL_AGENT_COMMAND", NULL, AT(program), 0, 0, TEXT,
	0},
    {"config", NULL, NULL, AT(config), 0, 0, TEXT, 'c'},
    {"name", "ONSEMBL_AGENT_NAME", "name", AT(name), 0, 0, TEXT, 0},
    {"agent-id", "ONSEMBL_AGENT_ID", "agentId", AT(agent_id), 0, 0, TEXT, 0},
    {"background", NULL, NULL, AT(is_background), 0, 0, FLAG, 'b'},
    {"interactive", NULL, NULL, AT(is_interactive), 0, 0, FLAG, 'i'},
    {"headless", NULL, NULL, AT(is_headless), 0, 0, FLAG, 0},
    {"status-bar", NULL, NULL, AT(has_bar), 0, 0, FLAG, 0},
    {"no-websocket", NULL, NULL, AT(is_alone), 0, 0, FLAG, 0},
    {"max-retries", "ONSEMBL_RECONNECT_ATTEMPTS", "maxRetries", AT(attempts), 0,
	1000000, NUMBER, 0},
    {"retry-delay", "ONSEMBL_RECONNECT_BASE_DELAY", "retryDelay", AT(delay_ms),
	1, 3600000, NUMBER, 0},
    {"heartbeat-interval", "ONSEMBL_HEARTBEAT_INTERVAL", "heartbeatInterval",
	AT(heartbeat_ms), 100, 60000, NUMBER, 0},
    {"chunk-size", "ONSEMBL_OUTPUT_BUFFER_SIZE", "streamBuffer.maxSize",
	AT(chunk_bytes), 1024, 131072, NUMBER, 0},
    {"flush-interval", "ONSEMBL_OUTPUT_FLUSH_INTERVAL",
	"streamBuffer.flushInterval", AT(flush_ms), 0, 150, NUMBER, 0},
    {"outage-buffer", "ONSEMBL_OUTAGE_BUFFER", "outageBuffer", AT(outage_bytes),
	262144, 1073741824, NUMBER, 0},
    {"log-file", "ONSEMBL_LOG_FILE", "logFile", AT(log_file), 0, 0, TEXT, 0},
    {"log-level", "ONSEMBL_LOG_LEVEL", "logLevel", AT(log_level), 0, 0, TEXT,
	0},
    /* For tests only, and so not in the manual. */
    {"test-clock", NULL, NULL, AT(test_clock), 0, 0, TEXT, 0},
    {"follow", NULL, NULL, AT(is_following), 0, 0, FLAG, 'f'},
    {"lines", NULL, NULL, AT(lines), 0, 1000000, NUMBER, 0},
};

#define N_ROWS (sizeof rows / sizeof *rows)

static void __attribute__((format(printf, 1, 2), noreturn))
usage_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fputs("onsembl-agent: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputs("\nTry 'onsembl-agent --help'.\n", stderr);
	va_end(ap);
	exit(EXIT_USAGE);
}

/* ---- values ---- */

static void put_number(struct agent_settings *s, const struct row *r,
    const char *from, const char *text)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || end == text || *end || n < r->least || n > r->most)
		usage_error("%s is a number from %lld to %lld, not \"%s\"",
		    from, (long long)r->least, (long long)r->most, text);
	*(int64_t *)(void *)((char *)s + r->offset) = n;
}

/* from names the setting in messages. */
static void put(struct agent_settings *s, const struct row *r, const char *from,
    const char *text)
{
	char *at = (char *)s + r->offset;

	switch (r->form) {
	case TEXT:
		*(const char **)(void *)at = text;
		break;
	case NUMBER:
		put_number(s, r, from, text);
		break;
	case FLAG:
		*(bool *)(void *)at = true;
		break;
	}
}

/* ---- the command line ---- */

static enum agent_command command_of(const char *word)
{
	static const char *const words[] = {
	    [COMMAND_START] = "start",
	    [COMMAND_STOP] = "stop",
	    [COMMAND_RESTART] = "restart",
	    [COMMAND_STATUS] = "status",
	    [COMMAND_LOGS] = "logs",
	    [COMMAND_LOGIN] = "login",
	    [COMMAND_LOGOUT] = "logout",
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(word, words[i]) == 0)
			return (enum agent_command)i;
	usage_error("there is no command \"%s\"", word);
}

/* As getopt wants them: a row's index + 256 is its value. */
static void make_options(struct option *out, char *letters)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		*out++ = (struct option){rows[i].option,
		    rows[i].form == FLAG ? no_argument : required_argument,
		    NULL, 256 + (int)i};
		if (!rows[i].letter)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].form != FLAG)
			*letters++ = ':';
	}
	*out++ = (struct option){"help", no_argument, NULL, 'h'};
	*out++ = (struct option){"version", no_argument, NULL, 'V'};
	*out = (struct option){0};
	(void)strcpy(letters, "n:hV");
}

static size_t row_named(const char *option)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (strcmp(rows[i].option, option) == 0)
			return i;
	abort();
}

static size_t row_of(int opt, enum agent_command command)
{
	if (opt >= 256)
		return (size_t)opt - 256;
	if (opt == 'n')
		return row_named(command == COMMAND_LOGS ? "lines" : "name");
	for (size_t i = 0; i < N_ROWS; i++)
		if (rows[i].letter == opt)
			return i;
	usage_error("an option is wrong");
}

/* given: for each row what the command line says, or NULL. */
static void read_arguments(
    struct agent_settings *s, int argc, char **argv, const char **given)
{
	struct option options[N_ROWS + 3];
	char letters[3 * N_ROWS + 8];
	int opt;

	make_options(options, letters);
	argv[0] = mem_strdup("onsembl-agent"); /* for messages of getopt */
	if (argc > 1 && argv[1][0] != '-')
		s->command = command_of(argv[1]);
	while ((opt = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (opt == 'h') {
			(void)fputs(usage, stdout);
			exit(0);
		}
		if (opt == 'V') {
			(void)puts("onsembl-agent " PACKAGE_VERSION);
			exit(0);
		}
		if (opt == '?')
			usage_error("an option is wrong");
		size_t i = row_of(opt, s->command);
		given[i] = optarg ? optarg : "";
		if (rows[i].offset == AT(token)) {
			given[i] = mem_strdup(optarg);
			memset(optarg, 'x', strlen(optarg));
		}
	}
	if (optind == argc)
		usage_error("a command is missing");
	s->command = command_of(argv[optind]);
	if (optind + 1 < argc)
		usage_error(
		    "\"%s\" is one argument too many", argv[optind + 1]);
}

/* ---- the environment and the file ---- */

static const char *env_of(const struct row *r)
{
	const char *text = r->env ? getenv(r->env) : NULL;

	return text && *text ? text : NULL;
}

/* The path of the file: named, or in the current directory, or NULL. */
static const char *find_config(const char *named)
{
	if (named)
		return named;
	return access(DEFAULT_CONFIG, R_OK) == 0 ? DEFAULT_CONFIG : NULL;
}

/*
 * A config.json that nobody has named may belong to something else: it counts
 * only where it says what we know.
 */
static struct config_file *open_config(const char *path, bool is_named)
{
	char why[200];
	struct config_file *f =
	    path ? config_file_open(path, why, sizeof why) : NULL;

	if (path && !f && is_named)
		usage_error("cannot read %s: %s", path, why);
	if (path && !f)
		(void)fprintf(stderr,
		    "onsembl-agent: %s is ignored: %s (-c %s insists on it)\n",
		    path, why, path);
	return f;
}

static void note_found(struct agent_settings *s, const struct row *r)
{
	s->is_server_found |= r->offset == AT(server);
	s->is_token_found |= r->offset == AT(token);
}

static void merge(struct agent_settings *s, const char **given)
{
	const char *named = given[row_named("config")];
	struct config_file *f;

	s->config = find_config(named);
	f = open_config(s->config, named != NULL);
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct row *r = &rows[i];
		const char *env = env_of(r);
		char *in_file = f && r->key ? config_file_get(f, r->key) : NULL;
		bool is_kept = false;

		if (given[i]) {
			put(s, r, r->option, given[i]);
		} else if (env) {
			put(s, r, r->env, env);
		} else if (in_file) {
			put(s, r, r->key, in_file);
			is_kept = r->form == TEXT;
			if (!named)
				note_found(s, r);
		}
		if (!is_kept)
			free(in_file);
	}
	config_file_close(&f);
}

/* ---- what has to hold ---- */

static void check_id(const char *what, const char *id, const char *more)
{
	size_t n = strlen(id);

	for (size_t i = 0; i < n; i++)
		if (!(id[i] >= '0' && id[i] <= '9') &&
		    !(id[i] >= 'a' && id[i] <= 'z') &&
		    !(id[i] >= 'A' && id[i] <= 'Z') && !strchr(more, id[i]))
			n = 0;
	if (n < 1 || n > AGENT_MAX_ID)
		usage_error("%s has 1 to %d letters, digits or any of \"%s\", "
			    "unlike \"%s\"",
		    what, AGENT_MAX_ID, more, id);
}

static void check_server(const struct agent_settings *s)
{
	struct url url;
	const char *why;

	if (url_parse(&url, s->server, &why) != 0)
		usage_error("--server: \"%s\" %s", s->server, why);
	bool has_password = url.user != NULL;
	url_fini(&url);
	if (has_password)
		usage_error("--server must be a URL without a name and a "
			    "password: servers take tokens alone, by 'login' "
			    "or ONSEMBL_API_KEY");
	if (s->is_server_found && s->token && !s->is_token_found)
		usage_error("config.json names the server, and something else "
			    "the token: a folder must not decide who gets it. "
			    "Use --server URL or --config config.json");
}

/* Resolve the working directory. */
static void check_dir(struct agent_settings *s)
{
	const char *given = s->dir ? s->dir : ".";
	char *real = realpath(given, NULL);
	struct stat st;

	if (!real || stat(real, &st) != 0 || !S_ISDIR(st.st_mode))
		usage_error("--working-dir: \"%s\" is no directory: %s", given,
		    real ? strerror(ENOTDIR) : strerror(errno));
	if (strcmp(real, "/") == 0)
		usage_error("--working-dir: \"%s\" is the root of the file "
			    "system; choose a directory below it",
		    given);
	s->dir = real;
}

static bool is_level(const char *text)
{
	return strcmp(text, "debug") == 0 || strcmp(text, "info") == 0 ||
	       strcmp(text, "warn") == 0 || strcmp(text, "error") == 0;
}

static void check_words(const struct agent_settings *s)
{
	if (!kind_find(s->agent))
		usage_error("--agent is claude, codex, gemini or mock, not "
			    "\"%s\"",
		    s->agent);
	if (s->auth_type && strcmp(s->auth_type, "api-key") != 0 &&
	    strcmp(s->auth_type, "subscription") != 0)
		usage_error("--auth-type is api-key or subscription, not "
			    "\"%s\"",
		    s->auth_type);
	if (!is_level(s->log_level))
		usage_error("--log-level is debug, info, warn or error, not "
			    "\"%s\"",
		    s->log_level);
	if (s->agent_id)
		check_id("--agent-id", s->agent_id, "._:-");
}

/* The first line of a file, without spaces at its end. */
static const char *read_token(const char *path)
{
	char line[8192];
	FILE *f = fopen(path, "re");

	if (!f)
		usage_error("--api-key-file: cannot read %s: %s", path,
		    strerror(errno));
	if (!fgets(line, sizeof line, f))
		line[0] = '\0';
	(void)fclose(f);
	line[strcspn(line, " \t\r\n")] = '\0';
	if (!*line)
		usage_error("--api-key-file: %s is empty", path);
	return mem_strdup(line);
}

/* It is sent in a header. */
static void check_token(const char *token)
{
	for (; token && *token; token++)
		if (*token <= ' ' || *token >= 127)
			usage_error("--api-key: a token has no spaces, and no "
				    "characters beyond ASCII");
}

static void check_terminal(const struct agent_settings *s)
{
	if (!s->is_interactive && (s->has_bar || s->is_alone))
		usage_error("%s needs --interactive",
		    s->has_bar ? "--status-bar" : "--no-websocket");
	if (s->is_interactive && (s->is_headless || s->is_background))
		usage_error("--interactive and %s exclude each other",
		    s->is_headless ? "--headless" : "--background");
	if (s->is_interactive &&
	    (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		usage_error("--interactive needs a terminal");
}

static void check(struct agent_settings *s)
{
	if (s->test_clock && !clock_follow(s->test_clock))
		usage_error("--test-clock: cannot map %s", s->test_clock);
	if (s->token_file)
		s->token = read_token(s->token_file);
	check_token(s->token);
	check_dir(s);
	if (s->command == COMMAND_START || s->command == COMMAND_RESTART ||
	    s->command == COMMAND_LOGIN || s->command == COMMAND_LOGOUT) {
		check_words(s);
		check_server(s);
		check_terminal(s);
	}
}

/* ---- the wrapper that runs ---- */

static void recall_text(
    const struct config_file *f, const char *key, const char **out)
{
	char *text = config_file_get(f, key);

	if (text && strcmp(text, WORKDIR_NO_NAME) != 0)
		*out = text;
	else
		free(text);
}

/*
 * A restart without options goes on as the agent that it stops. The status is
 * that wrapper's: nobody else can have written it while its process runs.
 */
static void recall(struct agent_settings *s, const char *dir)
{
	char why[200];
	char *path = workdir_find(dir) ? workdir_status_path(dir) : NULL;
	struct config_file *f =
	    path ? config_file_open(path, why, sizeof why) : NULL;

	free(path);
	if (!f)
		return;
	recall_text(f, "agentType", &s->agent);
	recall_text(f, "agentId", &s->agent_id);
	recall_text(f, "agentName", &s->name);
	recall_text(f, "server", &s->server);
	config_file_close(&f);
}

/* The working directory, before all settings are known. */
static const char *find_dir(const char **given)
{
	size_t i = row_named("working-dir");
	const char *dir = given[i] ? given[i] : env_of(&rows[i]);

	return dir ? dir : ".";
}

void agent_settings_read(struct agent_settings *s, int argc, char **argv)
{
	const char *given[N_ROWS] = {NULL};

	*s = (struct agent_settings){
	    .agent = "mock",
	    .server = "ws://localhost:8080",
	    .attempts = 10,
	    .delay_ms = 1000,
	    .heartbeat_ms = 30000,
	    .chunk_bytes = 32768,
	    .flush_ms = 50,
	    .outage_bytes = 8 * 1024 * 1024,
	    .lines = 50,
	    .log_level = "info",
	};
	read_arguments(s, argc, argv, given);
	if (s->command == COMMAND_RESTART)
		recall(s, find_dir(given));
	merge(s, given);
	check(s);
}
