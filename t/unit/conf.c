/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/buf.h"
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
	is_str(c.bind, "127.0.0.1", "the address is the loopback");
	is_int(c.workers, 1, "there is one worker");
	is_int(c.trust, TRUST_OPEN, "trust is open");
	is_int(c.durability, DURABLE_POWER, "results survive a power cut");
	is_str(c.agent, "demo", "the agent is the demo");
	is_str(c.project_dir, "", "what is found out is empty at first");
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
	is_int(c.port, 65535, "the last value stays");
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
	    {"trust", "blind", "open|careful|strict"},
	    {"trust", "", "open|careful|strict"},
	    {"trust", "ope", "open|careful|strict"},
	    {"trust", "open|careful", "open|careful|strict"},
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
		is_int(err.code, ERR_CONFIG, "as a matter of settings");
		ok(!strncmp(err.text, "option --x: ", 12) &&
			strstr(err.text, rows[i].key),
		    "told with place and key");
		ok(strstr(err.text, rows[i].says), "and what is allowed: %s",
		    err.text);
	}
	is_int(c.port, 8000, "what was refused changes nothing");
	is_str(c.name, "", "neither a text");
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
	is_int(r.n_warnings, 0, "without a warning");
	is_str(r.conf.name, "My agent", "with a quoted text");
	is_str(r.conf.summary, "two lines", "a folded one");
	is_int(r.conf.port, 8080, "a number");
	is_int(r.conf.result_ttl, 60, "and a comment");
	end(&r);
	read_text(&r, "name: null\nsummary: ~\nuser:\n");
	is_int(r.rc, 0, "a text may be nothing");
	is_str(r.conf.name, "", "which is no name");
	end(&r);
	read_text(&r, "name: 'null'\n");
	is_str(r.conf.name, "null", "in quotes it is one");
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
		is_int(r.conf.port, 8000, "indeed");
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
	    {"a number in quotes", "port: \"80\"\n", 1, "port"},
	    {"a word out of choice", "\ntrust: maybe\n", 2, "trust"},
	    {"a trust of one's own", "trust:\n  allow: [x]\n", 2, "trust"},
	    {"no number", "port: null\n", 1, "port must be an integer"},
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
		    "with file and line: %s", r.err.text);
		ok(strstr(r.err.text, rows[i].says), "and the reason");
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
	ok(r.rc == -1 && strstr(r.err.text, "mapping"), "so is a word");
	end(&r);
	read_bytes(&r, with_nul, sizeof with_nul - 1);
	is_int(r.rc, -1, "and a NUL");
	end(&r);
	memset(large, '#', n);
	read_bytes(&r, large, n);
	ok(r.rc == -1 && strstr(r.err.text, "larger"), "and too much text");
	end(&r);
	free(large);
	conf_init(&r.conf);
	ok(conf_read_yaml(&r.conf, "/nonexistent/x", hear, &r, &r.err) == -1 &&
		strstr(r.err.text, "/nonexistent/x"),
	    "and an absent file, by its name");
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
	    {"\"\": 1\n", "there is no setting"},
	    {"entrypoint: x.py\n", "entrypoint is not yet supported"},
	    {"relay_url: wss://x\n", "relay_url is not yet supported"},
	    {"relay_url: null\n", ""},
	    {"relay_url: \"\"\n", ""},
	    {"reload: true\n", "reload is not yet supported"},
	    {"reload: false\n", ""},
	    {"examples: [a]\n", "examples is not yet supported"},
	    {"whitelist: w.txt\n", "whitelist is not yet supported"},
	    {"blacklist: b.txt\n", "blacklist is not yet supported"},
	    {"permissions: {bash: {allowed: true}}\n",
		"permissions is not yet supported"},
	    {"co_dir: /x\n", "co_dir is not yet supported"},
	};
	struct reading r;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_text(&r, rows[i].text);
		is_int(r.rc, 0, "it passes: %.*s",
		    (int)strcspn(rows[i].text, "\n"), rows[i].text);
		is_int(r.n_warnings, *rows[i].says != 0, "with its warning");
		ok(strstr(buf_cstr(&r.warnings), rows[i].says),
		    "which says so: %s",
		    *rows[i].says ? rows[i].says : "(none)");
		end(&r);
	}
}

static void test_long_keys(void)
{
	char text[400];
	struct reading r;

	memset(text, 'k', sizeof text);
	memcpy(text + 200, ": 1\n", 5);
	read_text(&r, text);
	is_int(r.rc, 0, "a long unknown key passes");
	is_int(r.n_warnings, 1, "with one warning");
	ok(r.warnings.len < 200, "that does not repeat it all");
	end(&r);
}

static void test_environment(void)
{
	static const struct {
		const char *name;
		int trust;
		bool is_good;
	} rows[] = {
	    {"development", TRUST_OPEN, true},
	    {"test", TRUST_CAREFUL, false},
	    {"staging", TRUST_CAREFUL, false},
	    {"production", TRUST_STRICT, false},
	    {"something", TRUST_OPEN, true},
	};
	struct conf c;
	struct err err;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		conf_init(&c);
		(void)setenv("CONNECTONION_ENV", rows[i].name, 1);
		is_int(conf_read_env(&c, &err), 0, "%s is read", rows[i].name);
		is_int(c.trust, rows[i].trust, "as a level of trust");
		ok((conf_check(&c, &err) == 0) == rows[i].is_good,
		    "which is supported, or not");
		conf_fini(&c);
	}
	(void)setenv("CONNECTONION_ENV", "production", 1);
	conf_init(&c);
	(void)conf_set(&c, "host.yaml line 1", "trust", "open", &err);
	ok(conf_read_env(&c, &err) == 0 && c.trust == TRUST_OPEN,
	    "a level that was given is not changed");
	(void)unsetenv("CONNECTONION_ENV");
	(void)setenv("AGENT_PORT", "9001", 1);
	ok(conf_read_env(&c, &err) == 0 && c.port == 9001,
	    "AGENT_PORT is the port");
	(void)setenv("AGENT_PORT", "x", 1);
	ok(conf_read_env(&c, &err) == -1 && strstr(err.text, "AGENT_PORT"),
	    "a wrong one is refused by its name");
	(void)unsetenv("AGENT_PORT");
	conf_fini(&c);
}

static void test_check(void)
{
	struct conf c;
	struct err err;

	conf_init(&c);
	(void)conf_set(&c, "host.yaml line 7", "trust", "strict", &err);
	is_int(conf_check(&c, &err), -1, "strict trust does not start");
	is_str(err.text,
	    "host.yaml line 7: trust: \"strict\" is not supported yet; only "
	    "\"open\" is: set trust: open in host.yaml or use --trust open",
	    "and says where it stands and what to do");
	(void)conf_set(&c, "option --trust", "trust", "open", &err);
	is_int(conf_check(&c, &err), 0, "open trust does");
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
		    "by its place: %s", err.text);
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
	free(a.project_dir);
	a.project_dir = strdup("/srv/agent");
	is_int(conf_save(&a, fd), 0, "settings are written");
	is_int(conf_load(&b, fd, &err), 0, "and read");
	is_int(b.port, 1234, "with a number");
	is_str(b.name, "a name: # odd", "a text");
	is_int(b.durability, DURABLE_PROCESS, "a choice");
	is_str(b.project_dir, "/srv/agent", "and what was found out");
	is_int(conf_load(&b, fd, &err), 0, "they can be read again");
	ok(ftruncate(fd, 7) == 0 && conf_load(&b, fd, &err) == -1,
	    "settings that end early are refused");
	(void)close(fd); /* only memory */
	is_int(conf_save(&a, fd), -1, "a closed descriptor takes none");
	is_int(conf_load(&b, fd, &err), -1, "and gives none");
	conf_fini(&a);
	conf_fini(&b);
}

static void test_env_file(void)
{
	char path[] = "/tmp/co-env-XXXXXX";
	static const char text[] = "# words\n\nCO_T_A=plain\n"
				   "export CO_T_B = \"quoted # text\"\n"
				   "CO_T_C='single'\r\nCO_T_D=\n"
				   "not a line\n=x\nCO_T_SET=new\n"
				   "CO_T_E=a=b";
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, text, sizeof text - 1) < 0)
		exit(1);
	(void)close(fd); /* it was written */
	(void)setenv("CO_T_SET", "old", 1);
	is_int(conf_load_env_file(path), 5, "new variables are counted");
	is_str(getenv("CO_T_A"), "plain", "a plain value is set");
	is_str(getenv("CO_T_B"), "quoted # text", "a quoted one");
	is_str(getenv("CO_T_C"), "single", "a line end of two bytes is one");
	is_str(getenv("CO_T_D"), "", "a value may be empty");
	is_str(getenv("CO_T_E"), "a=b", "or have an equals sign");
	is_str(getenv("CO_T_SET"), "old", "what is set stays");
	(void)unlink(path);
	is_int(conf_load_env_file(path), -1, "an absent file is told");
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
	test_long_keys();
	test_environment();
	test_check();
	test_texts();
	test_handing_on();
	test_env_file();
	return done();
}
