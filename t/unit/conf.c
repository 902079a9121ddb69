/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/json.h"
#include "core/conf.h"
#include "core/err.h"

/* A settings file in memory, and what reading it said. */
struct reading {
	struct conf conf;
	struct err err;
	struct buf warnings;
	int n_warnings;
	int rc;
	char path[64];
};

static void hear(const char *text, void *arg)
{
	struct reading *r = arg;

	buf_str(&r->warnings, text);
	buf_char(&r->warnings, '\n');
	r->n_warnings++;
}

static void read_bytes(struct reading *r, const char *text, size_t n)
{
	int fd = memfd_create("host.yaml", MFD_CLOEXEC);

	memset(r, 0, sizeof *r);
	(void)snprintf(r->path, sizeof r->path, "/proc/self/fd/%d", fd);
	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		exit(1);
	conf_init(&r->conf);
	r->rc = conf_read_yaml(&r->conf, r->path, hear, r, &r->err);
	(void)close(fd); /* only memory */
}

static void read_text(struct reading *r, const char *text)
{
	read_bytes(r, text, strlen(text));
}

static void end(struct reading *r)
{
	conf_fini(&r->conf);
	buf_fini(&r->warnings);
}

static void test_defaults(void)
{
	struct conf c;
	struct err err;

	conf_init(&c);
	is_int(c.port, 8000, "the port is 8000");
	is_str(c.bind, "0.0.0.0", "the address is any");
	is_int(c.workers, 1, "there is one worker");
	is_str(c.trust, "careful", "trust is careful");
	ok(conf_trust_is_level(&c), "the default of trust is a level");
	ok(!c.reload && c.session_results, "results are copied");
	is_str(c.permissions, "", "no permission is given");
	is_str(c.relay_url, "wss://oo.openonion.ai", "the relay is the usual");
	is_int(c.durability, DURABLE_POWER, "results survive a power cut");
	is_str(c.agent, "demo", "the agent is the demo");
	is_str(c.project_dir, "", "the project directory is empty by default");
	is_str(c.trust_where, "", "a default stands nowhere");
	is_int(conf_check(&c, &err), 0, "defaults are good");
	conf_fini(&c);
	conf_fini(&c);
	ok(!c.bind, "settings may be freed twice");
}

static void test_good_values(void)
{
	static const struct {
		const char *key;
		const char *value;
	} rows[] = {
	    {"port", "0"},
	    {"port", "65535"},
	    {"workers", "60"},
	    {"workers", "auto"},
	    {"name", ""},
	    {"name", "Zo\xc3\xab"},
	    {"durability", "process"},
	    {"trust", "careful"},
	    {"trust", "whoever is polite"},
	    {"trust", "---\nallow: [admin]\n---\n"},
	    {"trust_agent", "exec:judge"},
	    {"admin_bearer", "token-only"},
	    {"permissions", "{}"},
	    {"permissions", "{\"Bash(ls *)\": {\"allowed\": true}}"},
	    {"permissions", "Bash(ls *): {allowed: true}"},
	    {"examples", "[\"Hi \xc2\x85\x7f\"]"},
	    {"restart", "safe"},
	    {"agent", "exec:python3 agent.py"},
	    {"result_ttl", "315360000"},
	};
	struct conf c;
	struct err err;

	conf_init(&c);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_int(conf_set(&c, "here", rows[i].key, rows[i].value, &err),
		    0, "%s may be \"%s\"", rows[i].key, rows[i].value);
	ok(c.workers >= 1 && c.workers <= 60, "auto is a number of workers");
	is_int(c.port, 65535, "the last of several values stays");
	is_int(c.restart, RESTART_SAFE, "a choice is its index");
	is_str(c.agent, "exec:python3 agent.py", "a text is copied");
	conf_fini(&c);
}

static void test_bad_values(void)
{
	static const struct {
		const char *key;
		const char *value;
		const char *says;
	} rows[] = {
	    {"port", "", "integer from 0 to 65535"},
	    {"port", "-1", "integer from 0 to 65535"},
	    {"port", "65536", "integer from 0 to 65535"},
	    {"port", "80a", "\"80a\""},
	    {"port", "8e3", "\"8e3\""},
	    {"port", "99999999999999999999", "65535"},
	    {"workers", "0", "from 1 to 60"},
	    {"workers", "automatic", "from 1 to 60"},
	    {"trust", "", "\"open\", \"careful\", \"strict\""},
	    {"trust", " \n", "\"open\", \"careful\", \"strict\""},
	    {"trust_agent", "judge", "exec:COMMAND"},
	    {"admin_bearer", "none", "any|token-only"},
	    {"reload", "maybe", "true or false, not \"maybe\""},
	    {"relay_url", "oo.openonion.ai", "wss://"},
	    {"relay_url", "wss://", "wss://"},
	    {"relay_url", "wss:///ws", "wss://"},
	    {"examples", "{}", "must be a list, not {}"},
	    {"examples", "{", "examples: value line"},
	    {"permissions", "[]", "must be a mapping"},
	    {"permissions", "{a: {}}", "a: allowed must be true or false"},
	    {"permissions", "{a: {allowed: true, wen: {}}}", "a: may only"},
	    {"durability", "POWER", "power|process"},
	    {"bind", "", "1 to 200 characters"},
	    {"name", "a\nb", "control characters"},
	    {"name", "a\x7f", "control characters"},
	    {"prot", "1", "did you mean port"},
	    {"", "1", "no setting"},
	};
	struct conf c;

	conf_init(&c);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {.code = ERR_OK, .text = ""};

		is_int(conf_set(
			   &c, "option --x", rows[i].key, rows[i].value, &err),
		    -1, "%s may not be \"%.*s\"", rows[i].key,
		    (int)strcspn(rows[i].value, "\n"), rows[i].value);
		is_int(err.code, ERR_CONFIG,
		    "a refused value is an error of configuration");
		ok(!strncmp(err.text, "option --x: ", 12) &&
			strstr(err.text, rows[i].key),
		    "the refusal of a value names its place and key");
		ok(strstr(err.text, rows[i].says),
		    "the refusal of a value says what is allowed: %s",
		    err.text);
	}
	is_int(c.port, 8000, "a refused number changes nothing");
	is_str(c.name, "", "a refused text changes nothing");
	conf_fini(&c);
}

static void test_yaml(void)
{
	struct reading r;

	read_text(&r, "# settings\n"
		      "name: 'My agent'\n"
		      "port: 8080\n"
		      "workers: auto\n"
		      "summary: >\n"
		      "  two\n"
		      "  lines\n"
		      "agent: \"exec:sh agent.sh\"\n");
	is_int(r.rc, -1, "a text with a line end is refused");
	end(&r);
	read_text(&r, "name: 'My agent'\nport: 8080\nworkers: auto\n"
		      "summary: >-\n  two\n  lines\n"
		      "agent: \"exec:sh agent.sh\"\nresult_ttl: 60 # short\n");
	is_int(r.rc, 0, "a good file is read");
	is_int(r.n_warnings, 0, "a good file gives no warning");
	is_str(r.conf.name, "My agent", "a quoted text is read");
	is_str(r.conf.summary, "two lines", "a folded text is read");
	is_int(r.conf.port, 8080, "a number is read");
	is_int(r.conf.result_ttl, 60, "a number before a comment is read");
	end(&r);
	read_text(&r, "name: null\nsummary: ~\nuser:\n");
	is_int(r.rc, 0, "null is accepted for texts");
	is_str(r.conf.name, "", "a name that is null is empty");
	end(&r);
	read_text(&r, "name: 'null'\n");
	is_str(r.conf.name, "null", "a quoted null is a text");
	end(&r);
}

static void test_empty_yaml(void)
{
	static const char *const texts[] = {
	    "", "\n", "# only words\n", "---\n", "---\n...\n", "{}\n", "~\n"};
	struct reading r;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		read_text(&r, texts[i]);
		is_int(r.rc, 0, "an empty file is all defaults (%zu)", i);
		is_int(r.conf.port, 8000,
		    "an empty file has the default port (%zu)", i);
		end(&r);
	}
}

static void test_bad_yaml(void)
{
	static const struct {
		const char *name;
		const char *text;
		int line;
		const char *says;
	} rows[] = {
	    {"a wrong type", "name: x\n\nport: many\n", 3, "port"},
	    {"a list", "name: x\nport: [1]\n", 2, "port must be an integer"},
	    {"a mapping", "name: {a: b}\n", 1, "name must be a string"},
	    {"a number in quotes", "port: \"80\"\n", 1,
		"not a string: \"80\" (remove the quotes)"},
	    {"a switch in quotes", "reload: \"true\"\n", 1,
		"not a string: \"true\" (remove the quotes)"},
	    {"a word out of choice", "\nrestart: maybe\n", 2, "restart"},
	    {"a size with its unit", "max_body: 2m\n", 1,
		"not a string: \"2m\""},
	    {"a list as port", "port: [1, 2]\n", 1, "not a list: [1,2]"},
	    {"a switch as name", "name: true\n", 1, "not the value true"},
	    {"a list as trust", "trust: [x]\n", 1,
		"trust must be \"open\", \"careful\", \"strict\", or custom"},
	    {"a number as trust", "trust: 1\n", 1, "or custom config"},
	    {"nothing as trust", "trust:\n", 1, "or custom config"},
	    {"a number as name", "name: 8000\n", 1, "must be a string"},
	    {"a word as number", "port: abc\n", 1, "port must be an integer"},
	    {"no workers", "workers: 0\n", 1, "workers"},
	    {"a fraction", "workers: 2.5\n", 1, "workers"},
	    {"a word as switch", "reload: 'yes'\n", 1, "true or false"},
	    {"a list of permissions", "permissions: [a]\n", 1, "a mapping"},
	    {"a rule that is none", "a: 1\npermissions: {x: 1}\n", 2,
		"x: must"},
	    {"an example alone", "examples: Hello\n", 1, "must be a list"},
	    {"a doubled key", "port: 1\nport: 2\n", 2, "is given twice"},
	    {"an alias", "name: &a x\nsummary: *a\n", 2, "aliases"},
	    {"a second document", "port: 1\n---\nport: 2\n", 2, "second"},
	    {"no number", "port: null\n", 1, "an integer from 0 to 65535"},
	    {"a key that is a list", "[a, b]: 1\n", 1, "key"},
	    {"a text with a NUL", "name: \"a\\0b\"\n", 1, "NUL"},
	    {"a cut mapping", "name: x\nport: {\n", 3, ""},
	    {"a bad indent", "name: x\n  port: 1\n", 2, ""},
	    {"a bad anchor", "name: *none\n", 1, ""},
	    {"a tab", "name: x\n\tport: 1\n", 2, ""},
	};
	struct reading r;
	char place[96];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_text(&r, rows[i].text);
		is_int(r.rc, -1, "%s is refused", rows[i].name);
		(void)snprintf(
		    place, sizeof place, "%s line %d: ", r.path, rows[i].line);
		ok(!strncmp(r.err.text, place, strlen(place)),
		    "a refusal names file and line: %s", r.err.text);
		ok(strstr(r.err.text, rows[i].says),
		    "the refusal of %s says the reason", rows[i].name);
		end(&r);
	}
}

static void test_no_mapping(void)
{
	struct reading r;
	static const char with_nul[] = "name: a\0b\n";
	size_t n = 1024 * 1024 + 1;
	char *large = malloc(n);

	read_text(&r, "- a\n- b\n");
	ok(r.rc == -1 && strstr(r.err.text, "mapping"), "a list is refused");
	end(&r);
	read_text(&r, "words\n");
	ok(r.rc == -1 && strstr(r.err.text, "mapping"),
	    "a file that is one word is refused");
	end(&r);
	read_bytes(&r, with_nul, sizeof with_nul - 1);
	is_int(r.rc, -1, "a file with a NUL is refused");
	end(&r);
	memset(large, '#', n);
	read_bytes(&r, large, n);
	ok(r.rc == -1 && strstr(r.err.text, "larger"),
	    "a file that is too large is refused");
	end(&r);
	free(large);
	conf_init(&r.conf);
	ok(conf_read_yaml(&r.conf, "/nonexistent/x", hear, &r, &r.err) == -1 &&
		strstr(r.err.text, "/nonexistent/x"),
	    "an absent file is refused by its name");
	conf_fini(&r.conf);
}

static void test_warnings(void)
{
	static const struct {
		const char *text;
		const char *says; /* "": no warning */
	} rows[] = {
	    {"wrokers: 3\n", "line 1: there is no setting wrokers; "
			     "did you mean workers?"},
	    {"\n\nmax_file_siz: 3\n",
		"line 3: there is no setting max_file_siz; "
		"did you mean max_file_size?"},
	    {"prot: [1, {a: b}]\n", "did you mean port?"},
	    {"max_connection_count: 3\n", "did you mean max_connections?"},
	    {"\"\": 1\n", "there is no setting"},
	    {"rem: true\n", "rem is not supported"},
	    {"listen: {feishu: {}}\n", "listen is not supported"},
	    {"entrypoint: x.py\n", ""},
	    {"relay_url: wss://x\n", ""},
	    {"relay_url: null\n", ""},
	    {"relay_url: \"\"\n", ""},
	    {"reload: true\n", ""},
	    {"examples: [a]\n", ""},
	    {"whitelist: w.txt\n", ""},
	    {"permissions: {bash: {allowed: true}}\n", ""},
	    {"co_dir: /x\n", "co_dir has no effect here"},
	    {"co_dir: null\n", ""},
	};
	struct reading r;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_text(&r, rows[i].text);
		is_int(r.rc, 0, "a setting with a warning is accepted: %.*s",
		    (int)strcspn(rows[i].text, "\n"), rows[i].text);
		is_int(r.n_warnings, *rows[i].says != 0,
		    "%.*s gives the right number of warnings",
		    (int)strcspn(rows[i].text, "\\n"), rows[i].text);
		ok(strstr(buf_cstr(&r.warnings), rows[i].says),
		    "the warning about a setting is: %s",
		    *rows[i].says ? rows[i].says : "(none)");
		end(&r);
	}
}

static void test_far_keys(void)
{
	static const char *const keys[] = {"colour", "xy", "database_host"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		char text[64];
		struct reading r;
		(void)snprintf(text, sizeof text, "%s: 1\n", keys[i]);
		read_text(&r, text);
		is_int(r.n_warnings, 1, "%s gives a warning", keys[i]);
		ok(!strstr(buf_cstr(&r.warnings), "did you mean"),
		    "no setting is suggested for %s: %s", keys[i],
		    buf_cstr(&r.warnings));
		end(&r);
	}
}

static void test_directory(void)
{
	struct reading r;

	conf_init(&r.conf);
	ok(conf_read_yaml(&r.conf, "/", hear, &r, &r.err) == -1 &&
		strstr(r.err.text, "/: cannot be read: Is a directory"),
	    "a folder in the place of host.yaml is refused as one");
	conf_fini(&r.conf);
}

static void test_long_keys(void)
{
	char text[400];
	struct reading r;

	memset(text, 'k', sizeof text);
	memcpy(text + 200, ": 1\n", 5);
	read_text(&r, text);
	is_int(r.rc, 0, "a long unknown key passes");
	is_int(r.n_warnings, 1, "a long unknown key gives one warning");
	ok(r.warnings.len < 200, "the warning about a long key is cut");
	end(&r);
}

static void test_trust(void)
{
	static const struct {
		const char *name;
		const char *text;
		const char *is;
		bool is_level;
	} rows[] = {
	    {"a level", "trust: strict\n", "strict", true},
	    {"a level in capitals", "trust: OPEN\n", "open", true},
	    {"a mapping", "trust:\n  allow: [admin]\n  default: ask\n",
		"{\"allow\":[\"admin\"],\"default\":\"ask\"}", false},
	    {"a policy",
		"trust: |\n  ---\n  default: deny\n  ---\n  Be kind.\n",
		"---\ndefault: deny\n---\nBe kind.\n", false},
	    {"a path", "trust: policies/mine.md\n", "policies/mine.md", false},
	    {"prose", "trust: only people I know\n", "only people I know",
		false},
	};
	struct reading r;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_text(&r, rows[i].text);
		is_int(r.rc, 0, "trust may be %s", rows[i].name);
		is_str(r.conf.trust, rows[i].is, "trust that is %s is kept",
		    rows[i].name);
		is_int(conf_trust_is_level(&r.conf), rows[i].is_level,
		    "trust that is %s is told from a level", rows[i].name);
		end(&r);
	}
}

static void test_paths(void)
{
	struct conf c;
	struct err err = {.text = ""};

	conf_init(&c);
	free(c.project_dir);
	c.project_dir = strdup("/srv/agent");
	(void)conf_set(&c, "here", "whitelist", "lists/w.txt", &err);
	is_str(c.whitelist, "/srv/agent/lists/w.txt",
	    "a relative path is below the project");
	(void)conf_set(&c, "here", "whitelist", "/etc/w.txt", &err);
	is_str(c.whitelist, "/etc/w.txt", "an absolute path is kept");
	(void)conf_set(&c, "here", "whitelist", "", &err);
	is_str(c.whitelist, "", "an empty path is kept");
	(void)conf_set(&c, "here", "co_dir", "state", &err);
	is_str(c.co_dir, "/srv/agent/state",
	    "a relative co_dir is below the project");
	(void)conf_set(&c, "host.yaml line 4", "blacklist", "none.txt", &err);
	is_int(conf_check(&c, &err), -1,
	    "a blacklist that does not exist is refused");
	is_str(err.text,
	    "host.yaml line 4: blacklist: /srv/agent/none.txt: "
	    "No such file or directory",
	    "the refusal of a missing blacklist names its place and path");
	(void)conf_set(&c, "here", "blacklist", "/dev/null", &err);
	is_int(conf_check(&c, &err), 0, "a blacklist that exists is accepted");
	conf_fini(&c);
}

static void test_list_of_addresses(void)
{
	struct reading r;

	read_text(&r, "blacklist: ['0xab', 0xcd]\n");
	is_int(r.rc, 0, "a blacklist may be a list");
	is_str(r.conf.blacklist, "[\"0xab\",205]",
	    "a blacklist that is a list is kept as JSON");
	is_int(conf_check(&r.conf, &r.err), 0,
	    "a blacklist that is a list needs no file");
	end(&r);
}

static void test_relay(void)
{
	static const struct {
		const char *value;
		const char *is;
	} rows[] = {
	    {"wss://oo.openonion.ai/ws/announce", "wss://oo.openonion.ai"},
	    {"wss://relay.example/ws", "wss://relay.example"},
	    {"ws://localhost:8000/", "ws://localhost:8000"},
	    {"https://relay.example/base/", "wss://relay.example/base"},
	    {"", ""},
	};
	static const struct {
		const char *text;
		const char *is;
	} files[] = {
	    {"name: x\n", "ws://localhost:9"},
	    {"relay_url: null\n", ""},
	    {"relay_url: \"\"\n", ""},
	    {"relay_url: wss://oo.openonion.ai/ws/announce\n",
		"ws://localhost:9"},
	    {"relay_url: wss://relay.example/ws/announce\n",
		"wss://relay.example"},
	};
	struct reading r = {.rc = 0};
	struct conf c;
	struct err err = {.text = ""};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		conf_init(&c);
		is_int(conf_set(&c, "here", "relay_url", rows[i].value, &err),
		    0, "relay_url may be \"%s\"", rows[i].value);
		is_str(c.relay_url, rows[i].is, "relay_url is kept as \"%s\"",
		    rows[i].is);
		conf_fini(&c);
	}
	conf_init(&c);
	(void)setenv("CONNECTONION_BACKEND_URL", "http://localhost:9/", 1);
	(void)conf_set(&c, "here", "port", "1", &err);
	is_int(conf_read_env(&c, &err), 0, "CONNECTONION_BACKEND_URL is read");
	is_str(c.relay_url, "ws://localhost:9",
	    "CONNECTONION_BACKEND_URL names the relay");
	(void)conf_set(&c, "here", "relay_url", "", &err);
	is_int(conf_read_env(&c, &err), 0,
	    "CONNECTONION_BACKEND_URL is read beside an option");
	is_str(c.relay_url, "", "an option overrides CONNECTONION_BACKEND_URL");
	conf_fini(&c);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		read_text(&r, files[i].text);
		is_int(conf_read_env(&r.conf, &err), 0,
		    "the backend comes after host.yaml");
		is_str(r.conf.relay_url, files[i].is,
		    "relay_url in host.yaml or the backend: \"%s\"",
		    files[i].is);
		end(&r);
	}
	conf_init(&c);
	(void)setenv("CONNECTONION_BACKEND_URL", "nonsense", 1);
	ok(conf_read_env(&c, &err) == -1 &&
		strstr(err.text, "CONNECTONION_BACKEND_URL"),
	    "a backend that is no URL is refused by its name");
	(void)unsetenv("CONNECTONION_BACKEND_URL");
	conf_fini(&c);
}

static void test_entrypoint(void)
{
	static const struct {
		const char *text;
		const char *agent;
	} rows[] = {
	    {"entrypoint: agent.py\n", "python:agent.py"},
	    {"entrypoint: agent.py:make\n", "python:agent.py:make"},
	    {"entrypoint: node agent.js\n", "exec:node agent.js"},
	    {"entrypoint: ./run.py --fast\n", "exec:./run.py --fast"},
	    {"entrypoint: agent.py\nagent: demo\n", "demo"},
	    {"agent: exec:x\nentrypoint: agent.py\n", "exec:x"},
	    {"entrypoint: null\n", "demo"},
	};
	struct reading r;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_text(&r, rows[i].text);
		is_str(r.conf.agent, rows[i].agent, "the agent is %s",
		    rows[i].agent);
		end(&r);
	}
}

static int take_args(
    struct conf *c, const char *text, struct reading *r, struct err *err)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *args = json_parse(&doc, text, strlen(text), 0, &why);
	int rc = conf_read_args(c, args, hear, r, err);

	json_fini(&doc);
	return rc;
}

static void test_arguments(void)
{
	struct reading r;
	struct err err = {.text = ""};

	read_text(&r, "port: 8001\nname: file\n");
	(void)conf_set(&r.conf, "option --workers", "workers", "3", &err);
	is_int(take_args(&r.conf,
		   "{\"port\":9,\"workers\":9,\"result_ttl\":60,\"trust\":"
		   "\"strict\",\"summary\":null,\"relay_url\":null,"
		   "\"reload\":true,\"examples\":[\"a\"],\"http\":1}",
		   &r, &err),
	    0, "arguments of host() are taken");
	is_int(r.conf.port, 9, "host() overrides host.yaml");
	is_int(r.conf.workers, 3, "an option overrides host()");
	is_int(r.conf.result_ttl, 60, "host() overrides a default");
	is_str(r.conf.trust, "strict", "host() sets a text");
	is_str(r.conf.trust_where, "host()",
	    "a text that host() sets names host() as its place");
	is_str(r.conf.relay_url, "", "relay_url=None of host() means no relay");
	ok(r.conf.reload, "host() sets a switch");
	is_str(r.conf.examples, "[\"a\"]", "host() sets a list");
	is_int(r.n_warnings, 2, "host() gives two warnings");
	is_str(buf_cstr(&r.warnings),
	    "host(): it sets port, so that host.yaml does not\n"
	    "host(): http is not supported\n",
	    "host() is warned of what it replaces and what is not supported");
	is_int(take_args(&r.conf, "{\"result_ttl\":\"x\"}", &r, &err), -1,
	    "a wrong type in host() is refused");
	is_str(err.text,
	    "host(): result_ttl must be an integer from 1 to 315360000 "
	    "seconds, not a string: \"x\"",
	    "the refusal of a wrong type in host() names the setting");
	is_int(take_args(&r.conf, "[]", &r, &err), -1,
	    "arguments of host() that are a list are refused");
	is_int(take_args(&r.conf, "null", &r, &err), 0,
	    "null arguments of host() are accepted");
	end(&r);
}

static void test_rank(void)
{
	struct conf c;
	struct reading r = {.rc = 0};
	struct err err = {.text = ""};

	conf_init(&c);
	(void)setenv("AGENT_PORT", "9001", 1);
	(void)conf_set(&c, "option --port", "port", "1", &err);
	is_int(conf_read_env(&c, &err), 0,
	    "the environment is read after an option");
	is_int(c.port, 1, "an option overrides the environment");
	conf_fini(&c);
	read_text(&r, "port: 8001\n");
	is_int(conf_read_env(&r.conf, &err), 0,
	    "the environment is read after host.yaml");
	is_int(r.conf.port, 9001, "the environment overrides host.yaml");
	is_int(take_args(&r.conf, "{\"port\":9}", &r, &err), 0,
	    "arguments of host() are taken last");
	is_int(
	    r.conf.port, 9, "host() overrides host.yaml and the environment");
	end(&r);
	(void)unsetenv("AGENT_PORT");
}

static void test_environment(void)
{
	static const struct {
		const char *name;
		const char *trust;
	} rows[] = {
	    {"development", "open"},
	    {"test", "careful"},
	    {"staging", "careful"},
	    {"production", "strict"},
	    {"something", "careful"},
	};
	struct conf c;
	struct reading r = {.rc = 0};
	struct err err;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		conf_init(&c);
		(void)setenv("CONNECTONION_ENV", rows[i].name, 1);
		is_int(conf_read_env(&c, &err), 0,
		    "CONNECTONION_ENV=%s is read", rows[i].name);
		is_str(c.trust, rows[i].trust,
		    "CONNECTONION_ENV=%s gives trust %s", rows[i].name,
		    rows[i].trust);
		is_str(c.trust_where, i == 4 ? "" : "CONNECTONION_ENV",
		    "CONNECTONION_ENV=%s is named as the place of trust if "
		    "known",
		    rows[i].name);
		conf_fini(&c);
	}
	(void)setenv("CONNECTONION_ENV", "development", 1);
	read_text(&r, "trust: careful\n");
	ok(conf_read_env(&r.conf, &err) == 0 &&
		!strcmp(r.conf.trust, "careful"),
	    "CONNECTONION_ENV does not override host.yaml");
	end(&r);
	conf_init(&c);
	(void)conf_set(&c, "option --trust", "trust", "strict", &err);
	ok(conf_read_env(&c, &err) == 0 && !strcmp(c.trust, "strict"),
	    "CONNECTONION_ENV does not override an option");
	conf_fini(&c);
	conf_init(&c);
	ok(conf_read_env(&c, &err) == 0 &&
		take_args(&c, "{\"trust\":\"careful\"}", &r, &err) == 0 &&
		!strcmp(c.trust, "careful"),
	    "CONNECTONION_ENV does not override host()");
	(void)unsetenv("CONNECTONION_ENV");
	(void)setenv("AGENT_PORT", "9001", 1);
	ok(conf_read_env(&c, &err) == 0 && c.port == 9001,
	    "AGENT_PORT is the port");
	(void)setenv("AGENT_PORT", "x", 1);
	ok(conf_read_env(&c, &err) == -1 && strstr(err.text, "AGENT_PORT"),
	    "a wrong AGENT_PORT is refused by its name");
	(void)unsetenv("AGENT_PORT");
	conf_fini(&c);
}

static void test_check(void)
{
	struct conf c;
	struct err err;

	conf_init(&c);
	(void)conf_set(&c, "host.yaml line 7", "trust", "carefull", &err);
	is_int(conf_check(&c, &err), -1, "a word that is no level is refused");
	is_str(err.text,
	    "host.yaml line 7: trust must be \"open\", \"careful\", "
	    "\"strict\", or custom config (the path of a policy file, or a "
	    "policy), not \"carefull\" (as a policy file: No such file or "
	    "directory)",
	    "the refusal of a wrong trust names its place and what is allowed");
	(void)conf_set(&c, "option --trust", "trust", "/dev/null", &err);
	is_int(conf_check(&c, &err), 0, "trust may be a policy file");
	(void)conf_set(&c, "option --trust", "trust", "friends only", &err);
	is_int(conf_check(&c, &err), 0, "trust may be prose");
	(void)conf_set(&c, "option --trust", "trust", "{\"allow\":[]}", &err);
	is_int(conf_check(&c, &err), 0, "trust may be a mapping");
	conf_fini(&c);
}

static void test_texts(void)
{
	static const struct {
		const char *key;
		const char *value;
		bool is_good;
	} rows[] = {
	    {"agent", "demo", true},
	    {"agent", "exec:true", true},
	    {"agent", "exec: true", true},
	    {"agent", "exec:", false},
	    {"agent", "exec: \t", false},
	    {"agent", "python:agent.py", true},
	    {"agent", "python:", false},
	    {"agent", "Demo", false},
	    {"agent", "python3 agent.py", false},
	    {"bind", "127.0.0.1", true},
	    {"bind", "0.0.0.0", true},
	    {"bind", "::", true},
	    {"bind", "[::1]", true},
	    {"bind", "unix:/run/co.sock", true},
	    {"bind", "unix:", false},
	    {"bind", "localhost", false},
	    {"bind", "127.0.0.1:8000", false},
	    {"bind", "[127.0.0.1]", false},
	    {"bind", "[::1", false},
	    {"bind", "[]", false},
	};
	struct conf c;

	conf_init(&c);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {.text = ""};
		int rc =
		    conf_set(&c, "line 7", rows[i].key, rows[i].value, &err);
		ok((rc == 0) == rows[i].is_good, "%s \"%s\" is %s", rows[i].key,
		    rows[i].value, rows[i].is_good ? "good" : "refused");
		ok(rc == 0 || (strstr(err.text, "line 7: ") &&
				  strstr(err.text, rows[i].key)),
		    "the refusal of a text names its place: %s", err.text);
	}
	conf_fini(&c);
}

static void test_handing_on(void)
{
	struct conf a, b;
	struct err err = {.text = ""};
	int fd = memfd_create("conf", MFD_CLOEXEC);

	conf_init(&a);
	conf_init(&b);
	(void)conf_set(&a, "here", "port", "1234", &err);
	(void)conf_set(&a, "here", "name", "a name: # odd", &err);
	(void)conf_set(&a, "here", "durability", "process", &err);
	(void)conf_set(&a, "line 9", "trust", "---\ndefault: ask\n---\n", &err);
	(void)conf_set(&a, "here", "entrypoint", "x.py", &err);
	(void)conf_set(&a, "here", "agent", "demo", &err);
	(void)conf_set(&a, "here", "examples", "[\"\xc2\x85 \x7f\"]", &err);
	free(a.project_dir);
	a.project_dir = strdup("/srv/agent");
	is_int(conf_save(&a, fd), 0, "settings are written");
	is_int(conf_load(&b, fd, &err), 0, "saved settings are loaded");
	is_int(b.port, 1234, "a number is saved and loaded");
	is_str(b.name, "a name: # odd", "a text is saved and loaded");
	is_int(b.durability, DURABLE_PROCESS, "a choice is saved and loaded");
	is_str(b.trust, "---\ndefault: ask\n---\n",
	    "a text of several lines is saved and loaded");
	is_str(b.trust_where, "line 9",
	    "the place of a setting is saved and loaded");
	is_str(b.examples, "[\"\xc2\x85 \x7f\"]",
	    "a list that is no YAML is saved and loaded");
	is_str(b.agent, "demo",
	    "an agent that the entrypoint did not set is saved and loaded");
	is_str(b.project_dir, "/srv/agent",
	    "the project directory is saved and loaded");
	is_int(
	    conf_load(&b, fd, &err), 0, "saved settings can be loaded again");
	static const char other[] = "colour\0blue\0009x\0port\00099\0009x";
	ok(ftruncate(fd, 0) == 0 &&
		pwrite(fd, other, sizeof other, 0) == sizeof other,
	    "another program saves its settings");
	is_int(conf_load(&b, fd, &err), 0,
	    "a setting that only another program has is ignored");
	is_int(b.port, 99, "what both programs have is loaded");
	ok(ftruncate(fd, 7) == 0 && conf_load(&b, fd, &err) == -1,
	    "settings that end early are refused");
	(void)close(fd); /* only memory */
	is_int(conf_save(&a, fd), -1,
	    "settings are not saved to a closed descriptor");
	is_int(conf_load(&b, fd, &err), -1,
	    "settings are not loaded from a closed descriptor");
	conf_fini(&a);
	conf_fini(&b);
}

static void load_env(const char *text, size_t n, int count)
{
	char path[] = "/tmp/co-env-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, text, n) != (ssize_t)n)
		exit(1);
	(void)close(fd); /* it was written */
	is_int(conf_load_env_file(path), count, "new variables are counted");
	(void)unlink(path);
}

static void test_env_file(void)
{
	static const char text[] =
	    "# words\n\nCO_T_A=plain\n"
	    "export CO_T_B = \"quoted # text\"\n"
	    "CO_T_C='single'\r\nCO_T_D=\n"
	    "not a line\n=x\nCO_T_SET=new\n"
	    "CO_T_E=a=b\n"
	    "CO_T_F=value # words\nCO_T_G=a#b\nCO_T_H= # words\n"
	    "CO_T_I=\"two\\nlines \\\"x\\\" \\q\" # words\n"
	    "CO_T_J='a\\'b\\n'\nCO_T_K=\"one\r\ntwo\"\n"
	    "CO_T_L=first\nCO_T_L=last\n"
	    "CO_T_M=${CO_T_L}-${CO_T_SET}-${CO_T_NONE:-none}-${CO_T_NONE}$X\n"
	    "CO_T_BAD=\"open\nCO_T_N='x' y\n'CO_T_O'=  padded  \n"
	    "CO_T_P";
	static const struct {
		const char *name;
		const char *value;
		const char *what;
	} rows[] = {
	    {"CO_T_A", "plain", "a plain value of .env is set"},
	    {"CO_T_B", "quoted # text",
		"a quoted value is set without its quotes"},
	    {"CO_T_C", "single", "a value of .env may end with CR and LF"},
	    {"CO_T_D", "", "a value of .env may be empty"},
	    {"CO_T_E", "a=b", "a value may have an equals sign"},
	    {"CO_T_F", "value", "a comment is no part of a value"},
	    {"CO_T_G", "a#b",
		"a hash without a space before it is part of a value"},
	    {"CO_T_H", "", "a comment alone leaves the value empty"},
	    {"CO_T_I", "two\nlines \"x\" \\q",
		"double quotes in .env know escapes"},
	    {"CO_T_J", "a'b\\n", "single quotes know two escapes"},
	    {"CO_T_K", "one\r\ntwo", "quotes in .env may hold several lines"},
	    {"CO_T_L", "last", "the last value of a name counts"},
	    {"CO_T_M", "last-old-none-$X", "variables in a value are expanded"},
	    {"CO_T_BAD", NULL, "a value with an open quote is skipped"},
	    {"CO_T_N", NULL, "a value with words after its quote is skipped"},
	    {"CO_T_O", "padded", "a name in .env may be quoted"},
	    {"CO_T_P", NULL, "a name alone in .env is no variable"},
	    {"CO_T_SET", "old", "a variable that is set stays as set"},
	};

	(void)setenv("CO_T_SET", "old", 1);
	load_env(text, sizeof text - 1, 14);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_str(getenv(rows[i].name), rows[i].value, "%s", rows[i].what);
	load_env("\xef\xbb\xbf"
		 "CO_T_Q=1",
	    11, 1);
	is_str(getenv("CO_T_Q"), "1", "a byte order mark is no part of a name");
	is_int(conf_load_env_file("/nonexistent/x"), -1,
	    "an absent .env file is an error");
	is_int(conf_load_env_file("/"), -1,
	    "a folder in place of .env is an error");
}

static void note_kept(const char *key, void *arg)
{
	buf_printf(arg, "%s ", key);
}

static void test_reload(void)
{
	static const char *const keys[][2] = {
	    {"bind", "127.0.0.9"},     /* a text */
	    {"port", "8123"},	       /* a number */
	    {"durability", "process"}, /* a choice */
	    {"max_prompt", "4711"},    /* may change */
	    {"session_results", "false"},
	    {"summary", "short"},
	};
	struct conf was, now;
	struct err err;
	struct buf kept = {0};
	int bad = 0;

	conf_init(&was);
	conf_init(&now);
	conf_keep_fixed(&now, &was, note_kept, &kept);
	is_str(buf_cstr(&kept), "", "equal settings need not be kept");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		bad |= conf_set(&now, "test", keys[i][0], keys[i][1], &err);
	is_int(bad, 0, "each new value is allowed");
	conf_keep_fixed(&now, &was, note_kept, &kept);
	is_str(buf_cstr(&kept), "port bind durability ",
	    "a reload tells of each fixed setting that was changed");
	is_str(now.bind, was.bind, "a fixed text stays");
	ok(now.bind != was.bind, "each struct conf owns its copy of that text");
	is_int(now.port, 8000, "a fixed number stays");
	is_int(now.durability, DURABLE_POWER, "a fixed choice stays");
	is_int(now.max_prompt, 4711, "other numbers change on a reload");
	ok(!now.session_results, "other switches change on a reload");
	is_str(now.summary, "short", "other texts change on a reload");
	buf_fini(&kept);
	conf_fini(&now);
	conf_fini(&was);
}

int main(void)
{
	test_defaults();
	test_good_values();
	test_bad_values();
	test_yaml();
	test_empty_yaml();
	test_bad_yaml();
	test_no_mapping();
	test_warnings();
	test_far_keys();
	test_directory();
	test_long_keys();
	test_trust();
	test_paths();
	test_list_of_addresses();
	test_relay();
	test_entrypoint();
	test_arguments();
	test_rank();
	test_environment();
	test_check();
	test_texts();
	test_handing_on();
	test_reload();
	test_env_file();
	return done();
}
