/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The tools that work on files, in a project of the test's own. */
#include "tools/tools.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "base/json.h"
#include "core/err.h"
#include "core/tool_spec.h"
#include "t/unit/scratch.h"
#include "t/unit/tap.h"
#include "t/unit/tool_caller.h"
#include "base/json_schema.h"
#include "tools/builtins.h"
#include "tools/tool_todo.h"

static struct loop *loop;
static struct tool_caller caller;
static char project[200];

/* ---- the project ---- */

static void put(const char *name, const char *text)
{
	char *path = scratch_path("project/%s", name);

	scratch_write(path, text, strlen(text));
	free(path);
}

static void put_link(const char *target, const char *name)
{
	char *path = scratch_path("project/%s", name);

	if (symlink(target, path) != 0)
		abort();
	free(path);
}

static void put_folder(const char *name)
{
	char *path = scratch_path("project/%s", name);

	if (mkdir(path, 0700) != 0)
		abort();
	free(path);
}

static const char *text_of(const char *name)
{
	static char *text;
	size_t len;
	char *path = scratch_path("project/%s", name);

	free(text);
	text = scratch_read(path, &len);
	free(path);
	return text;
}

static void put_hard_link(const char *target, const char *name)
{
	char *from = scratch_path("project/%s", target);
	char *path = scratch_path("project/%s", name);

	if (link(from, path) != 0)
		abort();
	free(from);
	free(path);
}

static void remove_file(const char *name)
{
	char *path = scratch_path("project/%s", name);

	if (unlink(path) != 0)
		abort();
	free(path);
}

static void set_age(const char *name, int seconds)
{
	char *path = scratch_path("project/%s", name);
	struct timeval times[2] = {
	    {1000000000 - seconds, 0}, {1000000000 - seconds, 0}};

	if (utimes(path, times) != 0)
		abort();
	free(path);
}

static void make_project(void)
{
	(void)snprintf(project, sizeof project, "%s/project", scratch_dir());
	char *outside = scratch_path("outside");
	if (mkdir(project, 0700) != 0 || mkdir(outside, 0700) != 0)
		abort();
	free(outside);
	char *secret = scratch_path("outside/secret");
	scratch_write(secret, "hidden", 6);
	free(secret);
	put_folder("src");
	put_folder("src/deep");
	put_folder("node_modules");
	put_folder(".co");
	put_folder(".co/keys");
	put("a.txt", "one\ntwo\r\nthree\nfour");
	put("src/b.py", "import os\n\ndef main():\n    pass\n");
	put("src/deep/c.py", "def other():\n    return 'MAIN'\n");
	put("node_modules/d.py", "def main(): pass\n");
	put("bytes.bin", "a\xff\xfe\n");
	put(".co/host.yaml", "agent: llm\n");
	put(".co/keys/agent.key", "key\n");
	put(".env", "OPENAI_API_KEY=sk-1\n");
	put_link("../outside", "out");
	put_link("../outside/secret", "out-file");
	put_link("/etc/hostname", "absolute");
	put_link("a.txt", "inside");
	put_link(".co/keys/agent.key", "to-key");
	put_link(".env", "to-env");
	set_age("a.txt", 30);
	set_age("src/b.py", 20);
	set_age("src/deep/c.py", 10);
}

/* ---- tables ---- */

struct row {
	const char *what;
	const char *tool;
	const char *args;
	const char *result; /* exact */
};

static const struct row successes[] = {
    {"read_file numbers the lines", "read_file", "{\"path\":\"a.txt\"}",
	"     1\tone\n     2\ttwo\n     3\tthree\n     4\tfour"},
    {"read_file begins at an offset and says what is left", "read_file",
	"{\"path\":\"a.txt\",\"offset\":2,\"limit\":2}",
	"     2\ttwo\n     3\tthree\n\n... (1 more lines)"},
    {"read_file behind the end shows nothing", "read_file",
	"{\"path\":\"a.txt\",\"offset\":100}", ""},
    {"read_file takes null for an argument that is not required", "read_file",
	"{\"path\":\"a.txt\",\"offset\":4,\"limit\":null}", "     4\tfour"},
    {"read_file follows a link inside the project", "read_file",
	"{\"path\":\"inside\",\"limit\":1}",
	"     1\tone\n\n... (3 more lines)"},
    {"read_file goes up and down inside the project", "read_file",
	"{\"path\":\"src/deep/../../a.txt\",\"offset\":4}", "     4\tfour"},
    {"read_file shows bytes that are not UTF-8 as U+FFFD", "read_file",
	"{\"path\":\"bytes.bin\"}", "     1\ta\xef\xbf\xbd\xef\xbf\xbd"},
    {"glob finds files at any depth, the newest first", "glob",
	"{\"pattern\":\"**/*.py\"}", "src/deep/c.py\nsrc/b.py"},
    {"glob searches in a folder, with paths relative to it", "glob",
	"{\"pattern\":\"*.py\",\"path\":\"src\"}", "b.py"},
    {"glob says that nothing matches", "glob", "{\"pattern\":\"*.rs\"}",
	"No files found matching '*.rs'"},
    {"glob does not show keys and settings", "glob", "{\"pattern\":\".co/**\"}",
	"No files found matching '.co/**'"},
    {"grep shows the files with a match", "grep",
	"{\"pattern\":\"def \\\\w+\\\\(\"}", "src/b.py\nsrc/deep/c.py"},
    {"grep shows lines with their numbers", "grep",
	"{\"pattern\":\"t[hw]\",\"path\":\"a.txt\",\"output_mode\":"
	"\"content\"}",
	"a.txt:\n  2: two\n  3: three"},
    {"grep shows lines around a match", "grep",
	"{\"pattern\":\"def\",\"path\":\"src\",\"file_pattern\":\"b.*\","
	"\"output_mode\":\"content\",\"context_lines\":1}",
	"b.py:\n    2: \n  > 3: def main():\n    4:     pass\n"},
    {"grep counts the lines of each file that match", "grep",
	"{\"pattern\":\"main\",\"output_mode\":\"count\",\"ignore_case\":true,"
	"\"file_pattern\":\"*.py\"}",
	"src/b.py: 1 matches\nsrc/deep/c.py: 1 matches"},
    {"grep stops at the number of results", "grep",
	"{\"pattern\":\"def\",\"max_results\":1}",
	"src/b.py\n\n... results truncated at 1"},
    {"grep says that nothing matches", "grep", "{\"pattern\":\"sk-1|key\"}",
	"No matches found for 'sk-1|key'"},
    {"edit replaces a string", "edit",
	"{\"file_path\":\"src/b.py\",\"old_string\":\"pass\","
	"\"new_string\":\"print('\\u00e9')\"}",
	"Successfully edited 'src/b.py'"},
    {"edit replaces all occurrences if it is told to", "edit",
	"{\"file_path\":\"src/deep/c.py\",\"old_string\":\"r\","
	"\"new_string\":\"\",\"replace_all\":true}",
	"Replaced 3 occurrences in 'src/deep/c.py'"},
    {"edit changes what a link inside the project leads to", "edit",
	"{\"file_path\":\"inside\",\"old_string\":\"one\",\"new_string\":"
	"\"eins\"}",
	"Successfully edited 'inside'"},
    {"todo takes a plan", "todo",
	"{\"todos\":[{\"content\":\"Test\",\"status\":\"pending\"},"
	"{\"content\":\"Build\",\"status\":\"in_progress\"}]}",
	"Updated 2 todos"},
};

#define OUT(path)                                                          \
	"Error: '" path "' leads out of the project, where tools have no " \
	"access"
#define PRIVATE(path)                                                       \
	"Error: '" path "' holds settings or secrets of the server, which " \
	"tools cannot access"

static const struct row errors[] = {
    {"read_file refuses ..", "read_file", "{\"path\":\"../outside/secret\"}",
	OUT("../outside/secret")},
    {"read_file refuses .. behind a folder", "read_file",
	"{\"path\":\"src/../../outside/secret\"}",
	OUT("src/../../outside/secret")},
    {"read_file refuses an absolute path", "read_file",
	"{\"path\":\"/etc/passwd\"}", OUT("/etc/passwd")},
    {"read_file refuses a link that leads out", "read_file",
	"{\"path\":\"out-file\"}", OUT("out-file")},
    {"read_file refuses a folder that leads out", "read_file",
	"{\"path\":\"out/secret\"}", OUT("out/secret")},
    {"read_file refuses an absolute link", "read_file",
	"{\"path\":\"absolute\"}", OUT("absolute")},
    {"read_file refuses the file with the secrets", "read_file",
	"{\"path\":\"src/../.env\"}", PRIVATE("src/../.env")},
    {"read_file refuses a key", "read_file",
	"{\"path\":\".co/keys/agent.key\"}", PRIVATE(".co/keys/agent.key")},
    {"read_file refuses a link to a key", "read_file", "{\"path\":\"to-key\"}",
	PRIVATE("to-key")},
    {"read_file refuses a link to the secrets", "read_file",
	"{\"path\":\"to-env\"}", PRIVATE("to-env")},
    {"read_file names a file that does not exist", "read_file",
	"{\"path\":\"nothing\"}", "Error: File 'nothing' does not exist"},
    {"read_file refuses a folder", "read_file", "{\"path\":\"src\"}",
	"Error: 'src' is not a file"},
    {"read_file names an argument that is missing", "read_file", "{}",
	"Error: argument 'path' is missing"},
    {"read_file names an argument of a wrong type", "read_file",
	"{\"path\":[\"a.txt\"]}",
	"Error: argument 'path' must be of type \"string\""},
    {"arguments that are no JSON are told to the model", "read_file",
	"{\"path\":", "Error: the arguments are not JSON: Expecting value"},
    {"NaN in arguments is told to the model", "read_file",
	"{\"path\":\"a.txt\",\"limit\":NaN}",
	"Error: the arguments are not JSON: Expecting value"},
    {"write refuses a file that exists", "write",
	"{\"path\":\"a.txt\",\"content\":\"x\"}",
	"Error: File 'a.txt' already exists. Use edit to change it, not "
	"write"},
    {"write refuses a link as it refuses a file", "write",
	"{\"path\":\"out-file\",\"content\":\"x\"}",
	"Error: File 'out-file' already exists. Use edit to change it, not "
	"write"},
    {"write refuses a folder that leads out", "write",
	"{\"path\":\"out/new\",\"content\":\"x\"}", OUT("out/new")},
    {"write refuses ..", "write", "{\"path\":\"../new\",\"content\":\"x\"}",
	OUT("../new")},
    {"write refuses settings", "write",
	"{\"path\":\".co/schedule.yaml\",\"content\":\"x\"}",
	PRIVATE(".co/schedule.yaml")},
    {"write refuses a file below a file", "write",
	"{\"path\":\"a.txt/x\",\"content\":\"x\"}",
	"Error: File 'a.txt/x' is not a directory"},
    {"write refuses a name that is none", "write",
	"{\"path\":\"src/\",\"content\":\"x\"}", "Error: 'src/' is not a file"},
    {"edit refuses a file outside", "edit",
	"{\"file_path\":\"out/secret\",\"old_string\":\"hidden\","
	"\"new_string\":\"x\"}",
	OUT("out/secret")},
    {"edit says that a string is not in the file", "edit",
	"{\"file_path\":\"a.txt\",\"old_string\":\"ten\",\"new_string\":"
	"\"\"}",
	"Error: String not found in 'a.txt'"},
    {"edit shows where a string is more than once", "edit",
	"{\"file_path\":\"a.txt\",\"old_string\":\"o\",\"new_string\":\"\"}",
	"Error: String appears 2 times in 'a.txt'. Use replace_all=true to "
	"replace all, or provide more context to make it unique.\n\nFound at:"
	"\n  Line 2: two\n  Line 4: four"},
    {"edit refuses an empty string", "edit",
	"{\"file_path\":\"a.txt\",\"old_string\":\"\",\"new_string\":\"x\"}",
	"Error: old_string is empty"},
    {"glob refuses a folder outside", "glob",
	"{\"pattern\":\"*\",\"path\":\"out\"}", OUT("out")},
    {"glob refuses a folder that is a file", "glob",
	"{\"pattern\":\"*\",\"path\":\"a.txt\"}",
	"Error: Path 'a.txt' is not a directory"},
    {"grep refuses a folder outside", "grep",
	"{\"pattern\":\"x\",\"path\":\"out\"}", OUT("out")},
    {"grep refuses the secrets", "grep",
	"{\"pattern\":\"x\",\"path\":\".env\"}", PRIVATE(".env")},
    {"grep names what is wrong with a pattern", "grep", "{\"pattern\":\"a(\"}",
	"Error: Invalid regex pattern: missing closing parenthesis at "
	"position 2"},
    {"grep names a mode that there is not", "grep",
	"{\"pattern\":\"a\",\"output_mode\":\"all\"}",
	"Error: argument 'output_mode' must be one of "
	"[\"files\",\"content\",\"count\"]"},
    {"todo refuses a status that there is not", "todo",
	"{\"todos\":[{\"content\":\"Test\",\"status\":\"later\"}]}",
	"Error: argument 'todos[0].status' must be one of "
	"[\"pending\",\"in_progress\",\"completed\"]"},
};

/* They are here for these calls alone. */
static const struct row linked[] = {
    {"read_file refuses a hard link to the secrets", "read_file",
	"{\"path\":\"src/hard-env\"}", PRIVATE("src/hard-env")},
    {"read_file refuses a hard link to a key", "read_file",
	"{\"path\":\"hard-key\"}", PRIVATE("hard-key")},
    {"edit refuses a hard link to the secrets", "edit",
	"{\"file_path\":\"src/hard-env\",\"old_string\":\"sk-1\","
	"\"new_string\":\"x\"}",
	PRIVATE("src/hard-env")},
    {"grep refuses a hard link to the secrets", "grep",
	"{\"pattern\":\"sk-1\",\"path\":\"src/hard-env\"}",
	PRIVATE("src/hard-env")},
};

static const struct row beside_linked[] = {
    {"grep leaves hard links to private files out", "grep",
	"{\"pattern\":\"sk-1|key\"}", "No matches found for 'sk-1|key'"},
    {"read_file reads a hard link to another file", "read_file",
	"{\"path\":\"hard-other\",\"limit\":1}",
	"     1\timport os\n\n... (3 more lines)"},
};

static void test_rows(const struct row *rows, size_t n, enum tool_status status)
{
	for (size_t i = 0; i < n; i++) {
		is_str(tool_caller_call(&caller, rows[i].tool, rows[i].args),
		    rows[i].result, "%s", rows[i].what);
		is_int(caller.status, status, "the status is right where %s",
		    rows[i].what);
	}
}

/* ---- single tests ---- */

static void test_hard_links(void)
{
	put_hard_link(".env", "src/hard-env");
	put_hard_link(".co/keys/agent.key", "hard-key");
	put_hard_link("src/b.py", "hard-other");
	test_rows(linked, sizeof linked / sizeof *linked, TOOL_ERROR);
	test_rows(beside_linked, sizeof beside_linked / sizeof *beside_linked,
	    TOOL_SUCCESS);
	remove_file("src/hard-env");
	remove_file("hard-key");
	remove_file("hard-other");
}

static void test_schemas(void)
{
	const struct tool *t;
	size_t i = 0;

	for (; (t = caller.box->ops->tool(caller.box, i)) != NULL; i++) {
		struct json_doc doc = {0};
		struct json_error wrong;
		struct buf why = {0};

		ok(json_schema_is_valid(json_parse(&doc, t->schema,
					    strlen(t->schema), 0, &wrong),
		       &why),
		    "the schema of %s is valid", t->name);
		json_fini(&doc);
		buf_fini(&why);
	}
	ok(i >= 6, "the toolbox has its tools");
}

static void test_write(void)
{
	char want[400];
	struct stat st;

	const char *got = tool_caller_call(&caller, "write",
	    "{\"path\":\"new/er/f.txt\",\"content\":\"caf\\u00e9\\u0000\\n\"}");
	(void)snprintf(want, sizeof want,
	    "Successfully wrote 7 bytes to '%s/new/er/f.txt' (verified on "
	    "disk, mtime ",
	    project);
	ok(strncmp(got, want, strlen(want)) == 0,
	    "write says how much it wrote, and where (%s)", got);
	is_str(text_of("new/er/f.txt"), "caf\xc3\xa9",
	    "write makes the folders and the file");
	char *path = scratch_path("project/new/er");
	is_int(stat(path, &st) == 0 ? (int)st.st_nlink : -1, 2,
	    "write leaves no folders of its own behind");
	free(path);

	char args[600];
	(void)snprintf(args, sizeof args,
	    "{\"path\":\"%s/x.txt\",\"content\":\"\"}", project);
	ok(strncmp(tool_caller_call(&caller, "write", args),
	       "Successfully wrote 0", 20) == 0,
	    "write takes an absolute path inside the project");
}

static void test_edit(void)
{
	char *path = scratch_path("project/mode.sh");
	struct stat st;

	put("mode.sh", "#!/bin/sh\necho a\n");
	if (chmod(path, 0751) != 0)
		abort();
	(void)tool_caller_call(&caller, "edit",
	    "{\"file_path\":\"mode.sh\",\"old_string\":\"echo a\","
	    "\"new_string\":\"echo b\"}");
	is_str(text_of("mode.sh"), "#!/bin/sh\necho b\n",
	    "edit writes the whole file");
	is_int(stat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1, 0751,
	    "edit keeps the mode of a file");
	free(path);
	is_str(text_of("inside"), "eins\ntwo\r\nthree\nfour",
	    "edit keeps line ends and other content");
	path = scratch_path("project/inside");
	ok(lstat(path, &st) == 0 && S_ISLNK(st.st_mode),
	    "edit leaves a link a link");
	free(path);
	is_str(tool_caller_call(&caller, "glob", "{\"pattern\":\".co-*\"}"),
	    "No files found matching '.co-*'",
	    "no temporary file is left behind");
}

static void test_plan(void)
{
	static const char args[] =
	    "{\"todos\":[{\"content\":\"a \\\"b\\\"\",\"status\":\"pending\"},"
	    "{\"content\":\"c\",\"status\":\"completed\",\"priority\":\"high\","
	    "\"active_form\":\"x\"}]}";
	struct json_doc doc = {0};
	struct json_error wrong;
	struct buf plan = {0};

	tool_todo_plan(&plan, json_parse(&doc, args, strlen(args), 0, &wrong));
	is_str(buf_cstr(&plan),
	    "{\"entries\":[{\"content\":\"a \\\"b\\\"\",\"priority\":"
	    "\"medium\",\"status\":\"pending\"},{\"content\":\"c\","
	    "\"priority\":\"high\",\"status\":\"completed\"}]}",
	    "the arguments of todo become the event plan");
	json_fini(&doc);
	buf_fini(&plan);
}

/* ---- limits ---- */

static void test_long_lines(void)
{
	struct buf text = {0};

	for (int i = 0; i < 600; i++)
		buf_str(&text, "\xe2\x82\xac");
	buf_char(&text, '\n');
	for (int i = 0; i < 20000; i++)
		buf_str(&text, "0123456789012345678901234567890\n");
	put("long.txt", buf_cstr(&text));
	buf_fini(&text);

	const char *got = tool_caller_call(
	    &caller, "read_file", "{\"path\":\"long.txt\",\"limit\":1}");
	is_int(strlen(got),
	    7 + 3 * 500 + 3 + strlen("\n\n... (20000 more lines)"),
	    "read_file cuts a long line, and counts the lines it leaves out");
	got = tool_caller_call(&caller, "read_file", "{\"path\":\"long.txt\"}");
	ok(strstr(got, "  2000\t") && strstr(got, "... (18001 more lines)"),
	    "read_file shows 2000 lines if no limit is given");
	got = tool_caller_call(
	    &caller, "read_file", "{\"path\":\"long.txt\",\"limit\":100000}");
	ok(caller.result.len <= TOOL_RESULT_MAX && strstr(got, " more lines)"),
	    "read_file says that it cut a result at the limit");
}

static void test_large(void)
{
	char *path = scratch_path("project/large.log");
	FILE *f = fopen(path, "we");

	if (!f || fseek(f, 20 << 20, SEEK_SET) != 0 || fputs("end", f) < 0 ||
	    fclose(f) != 0)
		abort();
	free(path);
	is_str(tool_caller_call(&caller, "edit",
		   "{\"file_path\":\"large.log\",\"old_string\":\"end\","
		   "\"new_string\":\"x\"}"),
	    "Error: 'large.log' is larger than 16 MiB, the limit of this tool",
	    "edit refuses a file that is too large, naming the limit");
	is_str(tool_caller_call(&caller, "grep", "{\"pattern\":\"end$\"}"),
	    "No matches found for 'end$'",
	    "grep leaves out large files of a folder");
	is_str(tool_caller_call(&caller, "grep",
		   "{\"pattern\":\"end$\",\"path\":\"large.log\"}"),
	    "large.log", "grep searches a larger file that the call names");
}

static void test_hard_pattern(void)
{
	put("hard.txt", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n");
	ok(strstr(tool_caller_call(&caller, "grep",
		      "{\"pattern\":\"^(a+)+$\",\"path\":\"hard.txt\"}"),
	       "the pattern takes too long") != NULL,
	    "grep says that it gave up a match that takes too long");
}

static void test_many_files(void)
{
	put_folder("many");
	for (int i = 0; i < 150; i++) {
		char name[40];

		(void)snprintf(name, sizeof name, "many/%03d.md", i);
		put(name, "x");
	}
	ok(strstr(
	       tool_caller_call(&caller, "glob", "{\"pattern\":\"many/*.md\"}"),
	       "\n\n... and 50 more files") != NULL,
	    "glob shows 100 files and counts the files it leaves out");
}

/* A fifo has no content until somebody writes. */
static void test_fifo(void)
{
	char *path = scratch_path("project/fifo");

	if (mkfifo(path, 0600) != 0)
		abort();
	free(path);
	is_str(tool_caller_call(&caller, "read_file", "{\"path\":\"fifo\"}"),
	    "Error: 'fifo' is not a file",
	    "read_file does not wait for a fifo");
	is_str(tool_caller_call(
		   &caller, "grep", "{\"pattern\":\"x\",\"path\":\"fifo\"}"),
	    "Error: 'fifo' is not a file", "grep does not wait for a fifo");
}

static void test_cancel(void)
{
	static const char args[] = "{\"path\":\"long.txt\"}";

	for (int i = 0; i < 100; i++) {
		tool_caller_start(&caller, "read_file", args, sizeof args - 1);
		caller.box->ops->cancel(&caller.run);
	}
	ok(!caller.run, "cancel takes the call from its caller");
	(void)tool_caller_call(&caller, "read_file", "{\"path\":\"a.txt\"}");
	is_int(caller.ends, 1, "nothing follows the cancel of a call");
}

static struct toolbox *open_box_as(
    const char *user, const char *folder, const char *tools)
{
	const struct agent_setup setup = {.spec = {.project_dir = folder,
					      .libexec_dir = "/nowhere",
					      .user = user,
					      .tools = tools,
					      .tool_environment = "",
					      .tool_commands = 4},
	    .loop = loop};
	struct err err;

	return tools_open(&setup, &err);
}

static struct toolbox *open_box(const char *folder, const char *tools)
{
	return open_box_as("", folder, tools);
}

/* Files that only root may read, in a project that is open to all. */
static void test_user(void)
{
	struct toolbox *usual = caller.box;
	char *folder = scratch_path("project/open");
	char *made = scratch_path("project/open/made");
	struct stat st = {0};
	const struct passwd *nobody = getpwnam("nobody");

	if (getuid() != 0 || !nobody) {
		skip("only root can let tools act as another user");
		free(folder);
		free(made);
		return;
	}
	put_folder("open");
	put("open/closed", "secret");
	put("open/readable", "free");
	char *closed = scratch_path("project/open/closed");
	char *readable = scratch_path("project/open/readable");
	if (chmod(scratch_dir(), 0755) != 0 || chmod(project, 0755) != 0 ||
	    chmod(folder, 0777) != 0 || chmod(closed, 0600) != 0 ||
	    chmod(readable, 0644) != 0)
		abort();
	caller.box = open_box_as("nobody", project, "");
	is_str(tool_caller_call(
		   &caller, "read_file", "{\"path\":\"open/closed\"}"),
	    "Error: Permission denied: 'open/closed'",
	    "a tool cannot read what agent_user cannot read");
	is_str(tool_caller_call(&caller, "grep",
		   "{\"pattern\":\"secret|free\",\"path\":"
		   "\"open\"}"),
	    "readable", "grep leaves out what agent_user cannot read");
	(void)tool_caller_call(
	    &caller, "write", "{\"path\":\"open/made\",\"content\":\"x\"}");
	is_int(stat(made, &st) == 0 ? (int64_t)st.st_uid : -1,
	    (int64_t)nobody->pw_uid, "a new file belongs to agent_user");
	caller.box->ops->close(&caller.box);
	caller.box = usual;
	is_str(tool_caller_call(
		   &caller, "read_file", "{\"path\":\"open/closed\"}"),
	    "     1\tsecret", "the server itself keeps its own rights");
	free(closed);
	free(readable);
	free(folder);
	free(made);
}

static void test_names(void)
{
	struct toolbox *box = open_box(project, "[\"grep\",\"todo\"]");
	size_t n = 0;

	ok(tool_caller_find(box, "grep") && tool_caller_find(box, "todo") &&
		!tool_caller_find(box, "write"),
	    "a toolbox offers only the built-in tools that are named");
	box->ops->close(&box);
	ok(!box, "a closed toolbox is gone");
	for (; builtins_at(n); n++)
		ok(tool_spec_is_builtin(builtins_at(n)->tool.name),
		    "the settings know %s", builtins_at(n)->tool.name);
	ok(n == 7 && tool_spec_is_builtin("ask_user") &&
		!tool_spec_is_builtin("rm"),
	    "the settings know which tools are built in");
	ok(!open_box("/nowhere", ""),
	    "a toolbox needs a project folder that exists");
}

int main(void)
{
	make_project();
	loop = loop_new();
	caller.loop = loop;
	caller.box = open_box(project, "");
	test_hard_links();
	test_schemas();
	test_rows(
	    successes, sizeof successes / sizeof *successes, TOOL_SUCCESS);
	test_rows(errors, sizeof errors / sizeof *errors, TOOL_ERROR);
	test_write();
	test_edit();
	test_plan();
	test_long_lines();
	test_large();
	test_hard_pattern();
	test_many_files();
	test_fifo();
	test_cancel();
	test_user();
	test_names();
	caller.box->ops->close(&caller.box);
	tool_caller_fini(&caller);
	return done();
}
