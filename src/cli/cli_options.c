/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/cli_options.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"
#include "cli/exit_status.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A year: more is "no limit", spelled 0. */
#define MAX_TIMEOUT_S (365.0 * 86400)
#define MAX_RETRIES 1000

enum {
	OPT_POOL = 256,
	OPT_RESUME,
	OPT_RETRY,
	OPT_APPROVE,
	OPT_ANSWER,
	OPT_MODE,
	OPT_KEY,
	OPT_CO_DIR,
	OPT_KEYLESS,
	OPT_INVITE,
	OPT_RELAY_ONLY,
	OPT_CLEAR,
};

static const struct option long_options[] = {
    {"direct", required_argument, NULL, 'd'},
    {"relay", required_argument, NULL, 'r'},
    {"pool", required_argument, NULL, OPT_POOL},
    {"session", required_argument, NULL, 's'},
    {"resume", no_argument, NULL, OPT_RESUME},
    {"image", required_argument, NULL, 'i'},
    {"file", required_argument, NULL, 'f'},
    {"lines", no_argument, NULL, 'l'},
    {"json", no_argument, NULL, 'j'},
    {"timeout", required_argument, NULL, 't'},
    {"retry", required_argument, NULL, OPT_RETRY},
    {"approve", required_argument, NULL, OPT_APPROVE},
    {"answer", required_argument, NULL, OPT_ANSWER},
    {"mode", required_argument, NULL, OPT_MODE},
    {"key", required_argument, NULL, OPT_KEY},
    {"co-dir", required_argument, NULL, OPT_CO_DIR},
    {"keyless", no_argument, NULL, OPT_KEYLESS},
    {"invite", required_argument, NULL, OPT_INVITE},
    {"relay-only", no_argument, NULL, OPT_RELAY_ONLY},
    {"clear", no_argument, NULL, OPT_CLEAR},
    {"quiet", no_argument, NULL, 'q'},
    {"verbose", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* It has to fit a screen of 24 lines. */
static const char usage[] =
    "Usage: co-connect [options] ADDRESS [PROMPT]      talk to an agent\n"
    "       co-connect [options] --pool A,B,... [PROMPT]     or to several\n"
    "       co-connect [options] info ADDRESS | find WORDS\n"
    "Without PROMPT: a conversation, or what comes through a pipe.\n"
    "  -d, --direct URL     connect to this host; ADDRESS may be left out\n"
    "  -r, --relay URL      use this relay       --relay-only  and only it\n"
    "  -s, --session FILE   keep the conversation here, and go on with it\n"
    "      --resume         come back to a turn that was left running there\n"
    "  -i, --image FILE     send an image        -f, --file FILE  or a file\n"
    "  -l, --lines          each line of the input is a prompt\n"
    "  -j, --json           print each event as a line of JSON\n"
    "  -t, --timeout S      seconds per prompt (0: no limit; default 60, "
    "terminal 0)\n"
    "      --retry N        try N times more to connect\n"
    "      --approve once|session|reject    let the agent use its tools\n"
    "      --answer TEXT    the answer to its next question (repeatable)\n"
    "      --mode MODE      read-only, auto or full-access\n"
    "      --key FILE       your key             --co-dir DIR  your .co\n"
    "      --keyless        sign nothing         --invite CODE\n"
    "      --clear          talk to agents that cannot encrypt, too\n"
    "  -q, --quiet          show no events       -v, --verbose  show all\n"
    "  -h, --help           this text            -V, --version\n"
    "Status: 0 ok, 1 failed, 2 usage, 3 unreachable, 4 refused, 5 timeout,\n"
    "6 question, 7 connection lost, 8 not the agent, 9 busy, 130 interrupted\n";

/* End the process with status 2: the problem, and what it is about. */
static void __attribute__((noreturn))
usage_error(const char *problem, const char *what)
{
	(void)fprintf(stderr, "co-connect: %s %s\nTry 'co-connect --help'.\n",
	    problem, what);
	exit(STATUS_USAGE);
}

/* Whether a text has the form of an address: "0x" and 64 hex digits. */
static bool is_address(const char *text)
{
	unsigned char key[32];

	return strlen(text) == 2 + 2 * sizeof key &&
	       strncmp(text, "0x", 2) == 0 &&
	       enc_unhex(key, text + 2, sizeof key);
}

static void add(struct cli_list *list, const char *option, const char *item)
{
	if (list->n == CLI_MAX_LIST)
		usage_error("64 times is the most for", option);
	list->items[list->n++] = item;
}

/* ---- values ---- */

static void add_agent(struct cli_options *o, const char *text)
{
	if (!is_address(text) && !o->direct_url)
		usage_error("an address is \"0x\" and 64 hex digits, not",
		    *text ? text : "an empty text");
	add(&o->agents, "--pool", text);
}

static void add_pool(struct cli_options *o, const char *text)
{
	char *save = NULL, *list = mem_strdup(text); /* never freed */

	for (char *one = strtok_r(list, ", ", &save); one;
	     one = strtok_r(NULL, ", ", &save))
		add_agent(o, one);
	if (o->agents.n == 0)
		usage_error("no address in", "--pool");
}

static int64_t read_timeout(const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds < 0 ||
	    seconds > MAX_TIMEOUT_S)
		usage_error("--timeout is a number of seconds, not", text);
	if (seconds == 0)
		return -1;
	return seconds < 0.001 ? 1 : (int64_t)(seconds * 1000);
}

static unsigned read_retries(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n > MAX_RETRIES)
		usage_error("--retry is a number up to 1000, not", text);
	return (unsigned)n;
}

static enum cli_approval read_approval(const char *text)
{
	static const struct {
		const char *word;
		enum cli_approval approval;
	} rows[] = {
	    {"once", CLI_ONCE},
	    {"session", CLI_SESSION},
	    {"reject", CLI_REJECT},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].word, text) == 0)
			return rows[i].approval;
	usage_error("--approve is once, session or reject, not", text);
}

/* ---- options ---- */

/* Those that are texts: where each goes. */
static const char **text_of(struct cli_options *o, int opt)
{
	switch (opt) {
	case 'd':
		return &o->direct_url;
	case 'r':
		return &o->relay_url;
	case 's':
		return &o->session_file;
	case OPT_MODE:
		return &o->mode;
	case OPT_KEY:
		return &o->key_file;
	case OPT_CO_DIR:
		return &o->co_dir;
	case OPT_INVITE:
		return &o->invite_code;
	default:
		return NULL;
	}
}

static bool *flag_of(struct cli_options *o, int opt)
{
	switch (opt) {
	case 'j':
		return &o->is_json;
	case 'l':
		return &o->is_lines;
	case 'q':
		return &o->is_quiet;
	case 'v':
		return &o->is_verbose;
	case OPT_RESUME:
		return &o->is_resume;
	case OPT_KEYLESS:
		return &o->is_keyless;
	case OPT_RELAY_ONLY:
		return &o->is_relay_only;
	case OPT_CLEAR:
		return &o->is_clear;
	default:
		return NULL;
	}
}

static void take_option(struct cli_options *o, int opt, const char **pool)
{
	switch (opt) {
	case OPT_POOL:
		*pool = optarg;
		break;
	case 'i':
		add(&o->images, "--image", optarg);
		break;
	case 'f':
		add(&o->files, "--file", optarg);
		break;
	case OPT_ANSWER:
		add(&o->answers, "--answer", optarg);
		break;
	case 't':
		o->timeout_ms = read_timeout(optarg);
		break;
	case OPT_RETRY:
		o->retries = read_retries(optarg);
		break;
	case OPT_APPROVE:
		o->approval = read_approval(optarg);
		break;
	case 'V':
		(void)puts("co-connect " CO_CONNECT_VERSION);
		exit(STATUS_OK);
	case 'h':
		(void)fputs(usage, stdout);
		exit(STATUS_OK);
	default:
		(void)fputs("Try 'co-connect --help'.\n", stderr);
		exit(STATUS_USAGE);
	}
}

/* ---- arguments ---- */

static const char *join(char *const *words, size_t n)
{
	struct buf text = {0};

	for (size_t i = 0; i < n; i++) {
		buf_str(&text, i ? " " : "");
		buf_str(&text, words[i]);
	}
	return n ? buf_steal(&text, NULL) : NULL;
}

static void take_command(struct cli_options *o, const char *word)
{
	if (strcmp(word, "find") == 0)
		o->command = CLI_FIND;
	else if (strcmp(word, "info") == 0)
		o->command = CLI_INFO;
}

/* With --direct the agent need not be named. */
static bool has_agent(const struct cli_options *o, const char *word)
{
	return is_address(word) || !o->direct_url;
}

static void take_arguments(
    struct cli_options *o, const char *pool, char *const *words, size_t n)
{
	if (n) {
		take_command(o, *words);
		words += o->command != CLI_TALK;
		n -= o->command != CLI_TALK;
	}
	if (pool) {
		add_pool(o, pool);
	} else if (o->command != CLI_FIND && n && has_agent(o, *words)) {
		add_agent(o, *words);
		words++;
		n--;
	}
	o->text = join(words, n);
}

/* ---- what goes together ---- */

static void check(const struct cli_options *o)
{
	if (o->command == CLI_FIND && !o->text)
		usage_error("missing:", "the words to search for");
	if (o->command != CLI_FIND && o->agents.n == 0 && !o->direct_url)
		usage_error("missing:", "the address of an agent, or --direct");
	if (o->command == CLI_INFO && (o->agents.n > 1 || o->text))
		usage_error("one agent at a time for", "info");
	if (o->agents.n > 1 && o->direct_url)
		usage_error("--direct is one host, not", "a --pool");
	if (o->direct_url && o->is_relay_only)
		usage_error("--direct or", "--relay-only: not both");
	if (o->is_keyless && (o->key_file || o->co_dir))
		usage_error("--keyless, or", "--key and --co-dir: not both");
	if (o->key_file && o->co_dir)
		usage_error("--key or", "--co-dir: not both");
	if (o->is_resume && !o->session_file)
		usage_error("--resume needs", "--session FILE");
	if (o->is_resume && (o->text || o->is_lines))
		usage_error("--resume takes", "no prompt");
	if (o->is_lines && o->text)
		usage_error("--lines reads prompts from the standard "
			    "input, not",
		    o->text);
}

void cli_options_read(struct cli_options *o, int argc, char **argv)
{
	const char *pool = NULL;
	int opt;

	*o = (struct cli_options){.command = CLI_TALK};
	argv[0] = mem_strdup("co-connect"); /* for getopt_long()'s messages */
	while ((opt = getopt_long(argc, argv, "d:r:s:i:f:t:ljqvVh",
		    long_options, NULL)) != -1) {
		const char **text = text_of(o, opt);
		bool *flag = flag_of(o, opt);
		if (text)
			*text = optarg;
		else if (flag)
			*flag = true;
		else
			take_option(o, opt, &pool);
	}
	take_arguments(o, pool, argv + optind, (size_t)(argc - optind));
	check(o);
}
