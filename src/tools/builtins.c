/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/builtins.h"

#include "tools/tool_files.h"

/* clang-format off */
/* The formatter would break the texts apart, in the middle of words. */

/* Pieces of JSON Schema. */
#define Q(text) "\"" text "\""
#define PROPERTY(name, more, about) \
	Q(name) ":{" more "," Q("description") ":" Q(about) "}"
#define TYPE(name) Q("type") ":" Q(name)
#define TEXT(name, about) PROPERTY(name, TYPE("string"), about)
#define NUMBER(name, about) PROPERTY(name, TYPE("integer"), about)
#define FLAG(name, about) PROPERTY(name, TYPE("boolean"), about)
#define OBJECT(required, properties) \
	"{" TYPE("object") "," Q("properties") ":{" properties "}," \
	Q("required") ":[" required "]}"

#define STEP \
	OBJECT(Q("content") "," Q("status"), \
	    PROPERTY("content", \
		TYPE("string") ",\"minLength\":1,\"maxLength\":1000", \
		"What is to be done") "," \
	    "\"status\":{" TYPE("string") "," \
		"\"enum\":[\"pending\",\"in_progress\",\"completed\"]}," \
	    TEXT("active_form", "The same while it is being done") "," \
	    "\"priority\":{" TYPE("string") "," \
		"\"enum\":[\"high\",\"medium\",\"low\"]}")

static const struct builtin builtins[] = {
    {{"bash",
	"Run a bash command in the project. Its processes end with it, also "
	"those in the background. Of long output the beginning and the end "
	"are shown.",
	OBJECT(Q("command"),
	    TEXT("command", "Command, such as ls -la or git status") ","
	    TEXT("description", "What it does, for the user") ","
	    TEXT("cwd", "Directory (default: the project)") ","
	    PROPERTY("timeout",
		TYPE("integer") ",\"minimum\":1,\"maximum\":3600",
		"Seconds (default 120)")),
	0}, BUILTIN_BASH, NULL},
    {{"read_file",
	"Read a text file of the project, with line numbers. Lines longer "
	"than 500 characters are cut.",
	OBJECT(Q("path"),
	    TEXT("path", "File to read") ","
	    NUMBER("offset", "First line, from 1 (default 1)") ","
	    NUMBER("limit", "Number of lines (default 2000)")),
	TOOL_IDEMPOTENT | TOOL_READ_ONLY}, BUILTIN_FILE, tool_read},
    {{"write",
	"Write a new file of the project, with the directories it needs. To "
	"change a file that exists, use edit.",
	OBJECT(Q("path") "," Q("content"),
	    TEXT("path", "File to write") ","
	    TEXT("content", "Complete content of the file")),
	0}, BUILTIN_FILE, tool_write},
    {{"edit",
	"Replace a string in a file of the project. old_string must be in "
	"the file exactly as given, and only once unless replace_all is "
	"true.",
	OBJECT(Q("file_path") "," Q("old_string") "," Q("new_string"),
	    TEXT("file_path", "File to edit") ","
	    TEXT("old_string", "Exact string to replace") ","
	    TEXT("new_string", "String to replace it with") ","
	    FLAG("replace_all", "Replace all occurrences (default false)")),
	0}, BUILTIN_FILE, tool_edit},
    {{"glob",
	"Find files of the project by a pattern of their paths, the newest "
	"first. Directories such as .git, node_modules and build are left "
	"out.",
	OBJECT(Q("pattern"),
	    TEXT("pattern", "Such as **/*.py or src/**/*.ts") ","
	    TEXT("path", "Directory to search in (default: the project)")),
	TOOL_IDEMPOTENT | TOOL_READ_ONLY}, BUILTIN_FILE, tool_glob},
    {{"grep",
	"Search the contents of files of the project with a regular "
	"expression. A search of a directory leaves out files over 2 MB and "
	"stops after 20,000 files.",
	OBJECT(Q("pattern"),
	    TEXT("pattern", "Regular expression") ","
	    TEXT("path",
		"File or directory to search in (default: the project)") ","
	    TEXT("file_pattern", "Only files like this, such as *.py") ","
	    PROPERTY("output_mode",
		TYPE("string") ",\"enum\":[\"files\",\"content\",\"count\"]",
		"Paths (default), matching lines, or counts") ","
	    NUMBER("context_lines", "Lines around a match, with content") ","
	    FLAG("ignore_case", "Ignore upper and lower case") ","
	    NUMBER("max_results", "Number of results (default 50)")),
	TOOL_IDEMPOTENT | TOOL_READ_ONLY}, BUILTIN_FILE, tool_grep},
    {{"todo",
	"Show the user your plan for a task of several steps. Give the whole "
	"list whenever it changes; one step at most is in_progress.",
	OBJECT(Q("todos"),
	    "\"todos\":{" TYPE("array") ",\"maxItems\":200,"
		"\"items\":" STEP "}"),
	TOOL_IDEMPOTENT | TOOL_READ_ONLY}, BUILTIN_TODO, NULL},
};
/* clang-format on */

#define N_BUILTINS (sizeof builtins / sizeof *builtins)

const struct builtin *builtins_at(size_t i)
{
	return i < N_BUILTINS ? &builtins[i] : NULL;
}
