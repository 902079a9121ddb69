/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "tools/builtins.h"

#include "tools/tool_files.h"

#define TEXT(name, about) \
	"\"" name "\":{\"type\":\"string\",\"description\":\"" about "\"}"
#define NUMBER(name, about) \
	"\"" name "\":{\"type\":\"integer\",\"description\":\"" about "\"}"
#define FLAG(name, about) \
	"\"" name "\":{\"type\":\"boolean\",\"description\":\"" about "\"}"
#define OBJECT(required, properties)                       \
	"{\"type\":\"object\",\"properties\":{" properties \
	"},\"required\":[" required "]}"

static const struct builtin builtins[] = {
    {{"bash",
	 "Run a bash command in the project. Its processes end with it, also "
	 "those in the background. Of long output the beginning and the end "
	 "are shown.",
	 OBJECT("\"command\"",
	     TEXT("command", "Command, such as ls -la or git status") "," TEXT(
		 "description", "What it does, for the user") "," TEXT("cwd",
		 "Directory (default: the project)") ","
						     "\"timeout\":{\"type\":"
						     "\"integer\",\"minimum\":"
						     "1,"
						     "\"maximum\":3600,"
						     "\"description\":"
						     "\"Seconds (default "
						     "120)\"}"),
	 0},
	BUILTIN_BASH, NULL},
    {{"read_file",
	 "Read a text file of the project, with line numbers. "
	 "Lines longer "
	 "than 500 characters are cut.",
	 OBJECT(
	     "\"path\"", TEXT("path", "File to read") "," NUMBER("offset",
			     "First line, from 1 (default 1)") "," NUMBER("limi"
									  "t",
			     "Number of lines (default 2000)")),
	 TOOL_IDEMPOTENT | TOOL_READ_ONLY},
	BUILTIN_FILE, tool_read},
    {{"write",
	 "Write a new file of the project, with the directories it "
	 "needs. To "
	 "change a file that exists, use edit.",
	 OBJECT("\"path\",\"content\"",
	     TEXT("path", "File to write") "," TEXT(
		 "content", "Complete content of the file")),
	 0},
	BUILTIN_FILE, tool_write},
    {{"edit",
	 "Replace a string in a file of the project. old_string "
	 "must be in "
	 "the file exactly as given, and only once unless "
	 "replace_all is "
	 "true.",
	 OBJECT("\"file_path\",\"old_string\",\"new_string\"",
	     TEXT("file_path", "File to edit") "," TEXT(
		 "old_string", "Exact string to replace") "," TEXT("new_string",
		 "String to replace it with") "," FLAG("replace_"
						       "all",
		 "Replace all occurrences (default false)")),
	 0},
	BUILTIN_FILE, tool_edit},
    {{"glob",
	 "Find files of the project by a pattern of their paths, "
	 "the newest "
	 "first. Directories such as .git, node_modules and build "
	 "are left "
	 "out.",
	 OBJECT("\"pattern\"",
	     TEXT("pattern", "Such as **/*.py or src/**/*.ts") "," TEXT(
		 "path", "Directory to search in (default: the project)")),
	 TOOL_IDEMPOTENT | TOOL_READ_ONLY},
	BUILTIN_FILE, tool_glob},
    {{"grep",
	 "Search the contents of files of the project with a "
	 "regular "
	 "expression. A search of a directory leaves out files "
	 "over 2 MB and "
	 "stops after 20,000 files.",
	 OBJECT("\"pattern\"",
	     TEXT("pattern", "Regular expression") "," TEXT("pat"
							    "h",
		 "File or directory to search in "
		 "(default: the "
		 "project)") "," TEXT("file_pattern",
		 "Only files like this, such as "
		 "*.py") ","
			 "\"output_mode\":{"
			 "\"type\":\"string\","
			 "\"enum\":[\"files\","
			 "\"content\",\"count\"],"
			 "\"description\":"
			 "\"Paths (default), "
			 "matching lines, or "
			 "counts\"}," NUMBER("context_lines",
			     "Lines around a "
			     "match, with "
			     "content") "," FLAG("ig"
						 "no"
						 "re"
						 "_c"
						 "as"
						 "e",
			     "Ignore upper and "
			     "lower case") "," NUMBER("max_results",
			     "Number of results "
			     "(default 50)")),
	 TOOL_IDEMPOTENT | TOOL_READ_ONLY},
	BUILTIN_FILE, tool_grep},
    {{"todo",
	 "Show the user your plan for a task of several steps. "
	 "Give the whole "
	 "list whenever it changes; one step at most is "
	 "in_progress.",
	 OBJECT("\"todos\"",
	     "\"todos\":{\"type\":\"array\",\"maxItems\":200,"
	     "\"items\":" OBJECT("\"content\",\"status\"",
		 "\"content\":{\"type\":\"string\",\"minLength\":"
		 "1,"
		 "\"maxLength\":1000,\"description\":\"What is to "
		 "be done\"},"
		 "\"status\":{\"type\":\"string\",\"enum\":["
		 "\"pending\","
		 "\"in_progress\",\"completed\"]}," TEXT("active_form",
		     "The same while it is being done") ","
							"\"priorit"
							"y\":{"
							"\"type\":"
							"\"string"
							"\","
							"\"enum\":"
							"[\"high\""
							","
							"\"medium"
							"\","
							"\"low\"]"
							"}") "}"),
	 TOOL_IDEMPOTENT | TOOL_READ_ONLY},
	BUILTIN_TODO, NULL},
};

#define N_BUILTINS (sizeof builtins / sizeof *builtins)

const struct builtin *builtins_at(size_t i)
{
	return i < N_BUILTINS ? &builtins[i] : NULL;
}
