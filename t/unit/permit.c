/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"
#include "core/permit.h"
#include "core/permit_path.h"
#include "core/permit_shell.h"
#include "base/wild.h"

#define ALLOWED "{\"allowed\":true}"

static struct permit *open_rules(const char *text)
{
	struct err err = {.text = ""};
	struct permit *p = permit_open(text, &err);

	if (!p) {
		printf("# %s\n", err.text);
		exit(1);
	}
	return p;
}

static bool asks(
    const struct permit *p, const char *tool, const char *args, struct buf *why)
{
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *v =
	    *args ? json_parse(&doc, args, strlen(args), 0, &error) : NULL;
	bool is_allowed = permit_allows(p, tool, v, why);

	json_fini(&doc);
	return is_allowed;
}

static bool runs(const struct permit *p, const char *command)
{
	struct buf args = {0}, why = {0};

	buf_str(&args, "{\"command\":");
	buf_json_str(&args, command);
	buf_char(&args, '}');
	bool is_allowed = asks(p, "bash", buf_cstr(&args), &why);
	buf_fini(&args);
	buf_fini(&why);
	return is_allowed;
}

static void test_shipped(void)
{
	static const struct {
		const char *command;
		bool is_allowed;
	} rows[] = {
	    {"ls", true},
	    {"ls -la /tmp", true},
	    {"pwd && ls -F", true},
	    {"uname -a; id | whoami", true},
	    {"git status", true},
	    {"echo 'a && b' \"c; d\" e\\;f", true},
	    {"lsof", false},
	    {"gitleaks", false},
	    {"git push", false},
	    {"cat /etc/passwd", false},
	    {"env", false},
	    {"printenv", false},
	    {"head -1 x", false},
	    {"grep x y", false},
	    {"pytest", false},
	    {"npm test", false},
	    {"perl -e 1", false},
	    {"python3 -c 1", false},
	    {"node -e 1", false},
	    {"sort -o x y", false},
	    {"date -f .env", false},
	    {"wc --files0-from=.env", false},
	    {"git config --list", false},
	    {"git branch -D main", false},
	    {"tree -o x", false},
	    {"ps auxe", false},
	    {"co email send", false},
	    {"", false},
	    {" ", false},
	};
	struct permit *p = open_rules("");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_int(runs(p, rows[i].command), rows[i].is_allowed,
		    "\"%s\" is %s as shipped", rows[i].command,
		    rows[i].is_allowed ? "allowed" : "not allowed");
	permit_close(&p);
	permit_close(&p);
	ok(!p, "a whitelist may be closed twice");
}

static void test_shell(void)
{
	static const struct {
		const char *what;
		const char *command;
		bool is_allowed;
	} rows[] = {
	    {"one command", "ls -l", true},
	    {"a chain", "ls && git diff --stat || ls; ls | ls", true},
	    {"a semicolon at the end", "ls;", true},
	    {"tabs", "\tls\t-l", true},
	    {"a word in pieces", "l's' -l", true},
	    {"a quoted quote", "ls \"a \\\" b\"", true},
	    {"a dollar in quotes", "ls '$HOME'", true},
	    {"a number sign inside", "ls a#b", true},
	    {"an equals sign later", "ls --color=auto", true},
	    {"a second command", "ls && rm -rf /", false},
	    {"a first command", "rm -rf / && ls", false},
	    {"one after a semicolon", "ls; rm x", false},
	    {"one after a pipe", "ls | sh", false},
	    {"one after or", "ls || rm x", false},
	    {"one without spaces", "ls;rm x", false},
	    {"one after a line end", "ls\nrm x", false},
	    {"one after a carriage return", "ls\rrm x", false},
	    {"a background job", "ls & rm x", false},
	    {"a background job alone", "ls &", false},
	    {"a pipe of both outputs", "ls |& ls", false},
	    {"a substitution", "ls $(rm x)", false},
	    {"a substitution in quotes", "ls \"$(rm x)\"", false},
	    {"backquotes", "ls `rm x`", false},
	    {"backquotes in quotes", "ls \"`rm x`\"", false},
	    {"a variable", "ls $SECRET", false},
	    {"a variable in quotes", "ls \"$SECRET\"", false},
	    {"a dollar quote", "ls $'x'", false},
	    {"an output file", "ls > x", false},
	    {"an output file without spaces", "ls>x", false},
	    {"an appended file", "ls >> x", false},
	    {"an error file", "ls 2>x", false},
	    {"an input file", "ls < x", false},
	    {"a here-document", "ls << E", false},
	    {"a process in", "ls <(rm x)", false},
	    {"a process out", "ls >(rm x)", false},
	    {"a group", "{ ls; }", false},
	    {"a subshell", "(ls)", false},
	    {"braces", "ls {a,b}", false},
	    {"a function", "ls() { rm x; }", false},
	    {"a comment", "ls # words", false},
	    {"an assignment", "PATH=/tmp ls", false},
	    {"an assignment to a list", "a[0]=1 ls", false},
	    {"an open quote", "ls 'x", false},
	    {"an open double quote", "ls \"x", false},
	    {"a backslash at the end", "ls \\", false},
	    {"nothing after and", "ls &&", false},
	    {"nothing after a pipe", "ls |", false},
	    {"nothing before and", "&& ls", false},
	    {"two semicolons", "ls ;; ls", false},
	    {"only a semicolon", ";", false},
	    {"a bell", "ls \a", false},
	    {"another program of the name", "/tmp/ls", false},
	    {"a longer name", "lsx", false},
	    {"a name that is quoted whole", "'ls -l'", false},
	    {"a pattern as name", "l?", false},
	};
	struct permit *p = open_rules(
	    "{\"Bash(ls *)\":" ALLOWED ",\"Bash(git diff *)\":" ALLOWED "}");

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_int(runs(p, rows[i].command), rows[i].is_allowed, "%s is %s",
		    rows[i].what, rows[i].is_allowed ? "read" : "not");
	permit_close(&p);
}

static void test_patterns(void)
{
	static const struct {
		const char *pattern;
		const char *command;
		bool is_allowed;
	} rows[] = {
	    {"Bash(git *)", "git", true},
	    {"Bash(git *)", "git push", true},
	    {"Bash(git *)", "gitleaks detect", false},
	    {"Bash(git *)", "git; gitleaks", false},
	    {"Bash(git diff *)", "git diff", true},
	    {"Bash(git diff *)", "git  diff   --stat", true},
	    {"Bash(git diff *)", "git difftool", false},
	    {"Bash(git diff *)", "git -c a=b diff", false},
	    {"Bash(git diff *)", "git log", false},
	    {"Bash(git diff *)", "git", false},
	    {"Bash(git diff *)", "'git diff' x", false},
	    {"Bash(npm test)", "npm test", true},
	    {"Bash(npm test)", "npm test x", false},
	    {"Bash(npm test)", "npm", false},
	    {"Bash(npm test)", "timeout 300 npm test", false},
	    {"Bash(grep 'a b' *)", "grep \"a b\" c", true},
	    {"Bash(grep 'a b' *)", "grep a b c", false},
	    {"Bash(*)", "anything at all", true},
	    {"Bash(*)", "anything > x", false},
	    {"Bash(*)", "anything $(x)", false},
	    {"bash", "anything at all", true},
	    {"bash", "anything `x`", false},
	    {"Bash(find . | wc -l)", "find . | wc -l", true},
	    {"Bash(find . | wc -l)", "find .", false},
	    {"Bash(echo $HOME > x)", "echo $HOME > x", true},
	    {"Bash(echo $HOME > x)", "echo $HOME > y", false},
	    {"Bash(a  b)", "a b", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf text = {0};

		buf_char(&text, '{');
		buf_json_str(&text, rows[i].pattern);
		buf_str(&text, ":" ALLOWED "}");
		struct permit *p = open_rules(buf_cstr(&text));
		is_int(runs(p, rows[i].command), rows[i].is_allowed,
		    "%s is %s for %s", rows[i].command,
		    rows[i].is_allowed ? "enough" : "not enough",
		    rows[i].pattern);
		permit_close(&p);
		buf_fini(&text);
	}
}

static void test_denials(void)
{
	struct permit *p =
	    open_rules("{\"Bash(git *)\":" ALLOWED
		       ",\"Bash(git push *)\":{\"allowed\":false}"
		       ",\"Bash(ls *)\":{\"allowed\":false}"
		       ",\"Bash(git status && git push)\":" ALLOWED
		       ",\"read\":{\"allowed\":false,\"when\":"
		       "{\"path\":\"/etc/*\"}}}");
	struct buf why = {0};

	ok(runs(p, "git log"), "an allowed command runs");
	ok(!runs(p, "git push -f"), "a denied command does not run");
	ok(!runs(p, "git log && git push"),
	    "a chain with a denied command does not run");
	ok(!runs(p, "git status && git push"),
	    "a denied chain does not run though it is written as allowed");
	ok(!runs(p, "ls"), "a rule replaces a shipped one");
	ok(!asks(p, "read", "{\"path\":\"/x\"}", &why),
	    "a command that is neither allowed nor denied does not run");
	permit_close(&p);
	buf_fini(&why);
}

static void test_conditions(void)
{
	static const struct {
		const char *tool;
		const char *args;
		bool is_allowed;
	} rows[] = {
	    {"write", "{\"file_path\":\"a/b.md\"}", true},
	    {"write", "{\"file_path\":\"b.py\"}", false},
	    {"write", "{}", false},
	    {"write", "", false},
	    {"write", "{\"file_path\":7}", false},
	    {"two", "{\"a\":\"xy\",\"b\":1}", true},
	    {"two", "{\"a\":\"xy\",\"b\":2}", false},
	    {"two", "{\"b\":1}", false},
	    {"flag", "{\"x\":true}", true},
	    {"flag", "{\"x\":false}", false},
	    {"turn", "{}", false},
	    {"session", "{}", true},
	    {"off", "{}", false},
	    {"Write", "{\"file_path\":\"b.md\"}", false},
	    {"bash", "{\"command\":\"make all\",\"cwd\":\"/src\"}", true},
	    {"bash", "{\"command\":\"make all\",\"cwd\":\"/etc\"}", false},
	    {"bash", "{\"command\":\"make\",\"cwd\":\"/src\"}", true},
	    {"bash", "{\"command\":\"makefoo\",\"cwd\":\"/src\"}", false},
	    {"BASH", "{\"command\":\"make\",\"cwd\":\"/src\"}", true},
	    {"bash", "{\"cwd\":\"/src\"}", false},
	    {"edit", "{\"file_path\":\"docs/a/b.txt\"}", true},
	    {"edit", "{\"file_path\":\"docs/a..b\"}", true},
	    {"edit", "{\"file_path\":\"docs/../src/b.c\"}", false},
	    {"edit", "{\"file_path\":\"docs/..\"}", false},
	    {"up", "{\"path\":\"../x\"}", true},
	    {"bash", "{\"command\":[\"make\"],\"cwd\":\"/src\"}", false},
	    {"bash", "{\"command\":\"make\\u0000x\",\"cwd\":\"/src\"}", false},
	    {"bash", "", false},
	};
	struct permit *p = open_rules(
	    "{\"write\":{\"allowed\":true,\"match\":{\"file_path\":\"*.md\"}},"
	    "\"two\":{\"allowed\":true,\"when\":{\"a\":\"x?\"},"
	    "\"match\":{\"b\":\"1\"}},"
	    "\"flag\":{\"allowed\":true,\"when\":{\"x\":\"True\"}},"
	    "\"turn\":{\"allowed\":true,\"expires\":{\"type\":\"turn_end\"}},"
	    "\"session\":{\"allowed\":true,\"source\":\"config\",\"reason\":"
	    "\"x\",\"expires\":{\"type\":\"session_end\"}},"
	    "\"off\":{\"allowed\":false},"
	    "\"edit\":{\"allowed\":true,\"match\":{\"file_path\":\"docs/*\"}},"
	    "\"up\":{\"allowed\":true,\"match\":{\"path\":\"../*\"}},"
	    "\"bash\":{\"allowed\":true,\"when\":{\"command\":\"make *\","
	    "\"cwd\":\"/src\"}}}");
	struct buf why = {0};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_int(asks(p, rows[i].tool, rows[i].args, &why),
		    rows[i].is_allowed, "%s with %s is %s", rows[i].tool,
		    rows[i].args, rows[i].is_allowed ? "allowed" : "not");
	permit_close(&p);
	buf_fini(&why);
}

static void test_up(void)
{
	struct permit *p = open_rules(
	    "{\"Bash(make)\":{\"allowed\":true},\"bash\":{\"allowed\":false,"
	    "\"when\":{\"cwd\":\"secret/*\"}}}");
	struct buf why = {0};

	ok(asks(p, "bash", "{\"command\":\"make\",\"cwd\":\"src\"}", &why),
	    "a command runs in a folder that no rule denies");
	ok(!asks(p, "bash",
	       "{\"command\":\"make\",\"cwd\":\"src/../secret/x\"}", &why),
	    "a folder that is denied cannot be reached by ..");
	permit_close(&p);
	buf_fini(&why);
}

static void test_reasons(void)
{
	struct permit *p = open_rules("");
	struct buf why = {0};

	ok(!asks(p, "bash", "{\"command\":\"rm x\"}", &why), "rm is blocked");
	is_str(buf_cstr(&why),
	    "blocked: command not in the permission whitelist. Allow it by "
	    "adding a rule to .co/host.yaml permissions.",
	    "the refusal of a command has its reason");
	buf_reset(&why);
	ok(!asks(p, "write", "{\"path\":\"x\"}", &why), "write is blocked");
	is_str(buf_cstr(&why),
	    "blocked: 'write' is not in the permission whitelist. Allow it by "
	    "adding a rule to .co/host.yaml permissions.",
	    "the refusal of a tool has its reason");
	buf_reset(&why);
	ok(asks(p, "glob", "{\"pattern\":\"**/*.c\"}", &why),
	    "the shipped rules allow glob");
	is_int((int64_t)why.len, 0, "an allowed tool has no reason");
	permit_close(&p);
	buf_fini(&why);
}

static void test_control_files(void)
{
	static const struct {
		const char *tool;
		const char *args;
		bool is_allowed;
	} rows[] = {
	    {"write", "{\"path\":\"notes.txt\"}", true},
	    {"write", "{\"path\":\".co/dashboard.html\"}", true},
	    {"write", "{\"path\":\"docs/x.co/keys\"}", true},
	    {"write", "{\"path\":\"a\",\"content\":\"see .co/keys/x\"}", true},
	    {"write", "{\"path\":\".co/host.yaml\"}", false},
	    {"write", "{\"path\":\"./.co//host.yaml\"}", false},
	    {"write", "{\"path\":\"x/../.co/./host.yaml\"}", false},
	    {"write", "{\"path\":\"/srv/agent/.co/host.yaml\"}", false},
	    {"write", "{\"path\":\".CO/Host.YAML\"}", false},
	    {"write", "{\"path\":\".co/logs/../host.yaml\"}", false},
	    {"write", "{\"path\":\"\\u002eco/host.yaml\"}", false},
	    {"write", "{\"path\":\".co/schedule.yaml\"}", false},
	    {"write", "{\"path\":\".co/admins.txt\"}", false},
	    {"write", "{\"path\":\".co/contacts.txt\"}", false},
	    {"write", "{\"path\":\".co/whitelist.txt\"}", false},
	    {"write", "{\"path\":\".co/blocklist.txt\"}", false},
	    {"write", "{\"path\":\".co/keys/agent.key\"}", false},
	    {"write", "{\"path\":\".co/keys\"}", false},
	    {"write", "{\"path\":\".co\"}", false},
	    {"write", "{\"path\":\".co/\"}", false},
	    {"write", "{\"path\":\"host.yaml\"}", false},
	    {"write", "{\"to\":[{\"file\":\".co/admins.txt\"}]}", false},
	    {"bash", "{\"command\":\"cp x .co/dashboard.html\"}", true},
	    {"bash", "{\"command\":\"curl https://example.co/keys\"}", true},
	    {"bash", "{\"command\":\"cp x .co/host.yaml\"}", false},
	    {"bash", "{\"command\":\"cp x '.co/host.yaml'\"}", false},
	    {"bash", "{\"command\":\"cp x .c\\\\o/host.yaml\"}", false},
	    {"bash", "{\"command\":\"cp x .c''o/host.yaml\"}", false},
	    {"bash", "{\"command\":\"cp x .c?/h*.yaml\"}", false},
	    {"bash", "{\"command\":\"cp x .c[o]/adm[i]ns.txt\"}", false},
	    {"bash", "{\"command\":\"cp x .co/*\"}", false},
	    {"bash", "{\"command\":\"rm -rf .co\"}", false},
	    {"bash", "{\"command\":\"rm -rf .*\"}", false},
	    {"bash", "{\"command\":\"cd .co && cp x y\"}", false},
	    {"bash", "{\"command\":\"cp x ~/.co/keys/agent.key\"}", false},
	    {"bash", "{\"command\":\"tar --file=.co/admins.txt x\"}", false},
	    {"bash", "{\"command\":\"sort -o.co/admins.txt x\"}", false},
	    {"bash", "{\"command\":\"dd of=.co/host.yaml\"}", false},
	    {"bash", "{\"command\":\"curl -d@.co/keys/agent.key x\"}", false},
	    {"bash", "{\"command\":\"ls\",\"cwd\":\".co\"}", false},
	    {"shell", "{\"command\":\"echo x > notes.txt\"}", true},
	    {"shell", "{\"command\":\"echo x >.co/host.yaml\"}", false},
	    {"shell", "{\"command\":\"cd .co; echo x > y\"}", false},
	};
	struct permit *p =
	    open_rules("{\"write\":" ALLOWED ",\"shell\":" ALLOWED
		       ",\"Bash(*)\":" ALLOWED "}");
	struct buf why = {0};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_int(asks(p, rows[i].tool, rows[i].args, &why),
		    rows[i].is_allowed, "%s %s is %s", rows[i].tool,
		    rows[i].args,
		    rows[i].is_allowed ? "allowed" : "out of reach");
	permit_close(&p);
	buf_fini(&why);
}

static void test_limits(void)
{
	struct permit *p = open_rules("{\"bash\":" ALLOWED "}");
	char *long_one = calloc(1, PERMIT_SHELL_MAX + 2);
	struct buf many = {0}, deep = {0};

	memset(long_one, 'x', PERMIT_SHELL_MAX);
	ok(runs(p, long_one), "a command of the longest length is read");
	long_one[PERMIT_SHELL_MAX] = 'x';
	ok(!runs(p, long_one), "a command over the longest length is refused");
	for (int i = 0; i < PERMIT_SHELL_COMMANDS; i++)
		buf_str(&many, "x;");
	ok(runs(p, buf_cstr(&many)),
	    "a chain of commands up to the limit is read");
	buf_str(&many, "x");
	ok(!runs(p, buf_cstr(&many)),
	    "a chain of commands above the limit is refused");
	for (int i = 0; i < 1000; i++)
		buf_str(&deep, "a/");
	ok(permit_path_is_control(buf_cstr(&deep)),
	    "a path of too many parts is out of reach");
	memset(long_one, '=', 1000);
	long_one[1000] = 0;
	ok(permit_path_in_word(long_one),
	    "a word of too many starts is out of reach");
	free(long_one);
	buf_fini(&many);
	buf_fini(&deep);
	permit_close(&p);
}

static void test_bad_rules(void)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
	    {"[]", "mapping"},
	    {"x", "mapping"},
	    {"{\"\":{}}", "must be a tool or Bash(COMMAND)"},
	    {"{\"Bash()\":{}}", "must be a tool or Bash(COMMAND)"},
	    {"{\"Bash(ls\":{}}", "\"Bash(ls\" must be a tool"},
	    {"{\"read *\":{}}", "must be a tool"},
	    {"{\"a\\u0000\":{}}", "must be a tool"},
	    {"{\"a\":true}", "a: must be a mapping"},
	    {"{\"a\":{}}", "a: allowed must be true or false"},
	    {"{\"a\":{\"allowed\":\"yes\"}}", "a: allowed must be"},
	    {"{\"a\":{\"allowed\":true,\"whn\":{}}}", "a: may only say"},
	    {"{\"a\":{\"allowed\":true,\"when\":[]}}", "a: when and match"},
	    {"{\"a\":{\"allowed\":true,\"when\":{\"x\":1}}}", "hold strings"},
	    {"{\"a\":{\"allowed\":true,\"reason\":1}}", "source and reason"},
	    {"{\"a\":{\"allowed\":true,\"expires\":{\"type\":\"x\"}}}",
		"never, session_end or turn_end"},
	    {"{\"a\":{\"allowed\":true,\"expires\":\"never\"}}", "expires"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct err err = {.code = ERR_OK, .text = ""};

		ok(!permit_open(rows[i].text, &err), "%s is refused",
		    rows[i].text);
		ok(err.code == ERR_CONFIG && strstr(err.text, rows[i].says),
		    "the refusal of a rule has the reason: %s", err.text);
	}
}

static void test_too_many_rules(void)
{
	struct buf text = {0};
	struct err err = {.text = ""};

	buf_char(&text, '{');
	for (int i = 0; i < 1001; i++)
		buf_printf(&text, "%s\"t%d\":" ALLOWED, i ? "," : "", i);
	buf_char(&text, '}');
	ok(!permit_open(buf_cstr(&text), &err) && strstr(err.text, "1000"),
	    "too many rules are refused: %s", err.text);
	buf_fini(&text);
}

static void test_wild(void)
{
	static const struct {
		const char *pattern;
		const char *text;
		bool matches;
	} rows[] = {
	    {"", "", true},
	    {"", "x", false},
	    {"*", "", true},
	    {"*", "/a/.b", true},
	    {"a*b*c", "aXbYbZc", true},
	    {"a*b*c", "aXbYbZ", false},
	    {"?", "", false},
	    {"?", "x", true},
	    {"[abc]", "b", true},
	    {"[!abc]", "b", false},
	    {"[!abc]", "d", true},
	    {"[a-c]x", "bx", true},
	    {"[]]", "]", true},
	    {"[!]]", "]", false},
	    {"[", "[", true},
	    {"[a", "[a", true},
	    {"a\\*", "a\\b", true},
	    {"a\\*", "a*", false},
	    {"*[", "x[", true},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		is_int(wild_match(rows[i].pattern, rows[i].text),
		    rows[i].matches, "\"%s\" %s \"%s\"", rows[i].pattern,
		    rows[i].matches ? "fits" : "does not fit", rows[i].text);
}

int main(void)
{
	test_shipped();
	test_shell();
	test_patterns();
	test_denials();
	test_conditions();
	test_up();
	test_reasons();
	test_control_files();
	test_limits();
	test_bad_rules();
	test_too_many_rules();
	test_wild();
	return done();
}
