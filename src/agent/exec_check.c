/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/exec_check.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLANKS " \t\n"
#define ENDS BLANKS ";|&<>"
#define PLAIN                        \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_./+-:@%,"

/* Words that Debian's shells execute themselves. */
static const char *const shell_words[] = {".", ":", "alias", "bg", "break",
    "builtin", "case", "cd", "chdir", "command", "continue", "declare", "do",
    "done", "echo", "elif", "else", "esac", "eval", "exec", "exit", "export",
    "false", "fc", "fg", "fi", "for", "function", "getopts", "hash", "if", "in",
    "jobs", "kill", "let", "local", "printf", "pwd", "read", "readonly",
    "return", "select", "set", "shift", "shopt", "source", "test", "then",
    "time", "times", "trap", "true", "type", "typeset", "ulimit", "umask",
    "unalias", "unset", "until", "wait", "while", NULL};

static bool is_shell_word(const char *word)
{
	for (size_t i = 0; shell_words[i]; i++)
		if (strcmp(shell_words[i], word) == 0)
			return true;
	return false;
}

/* Returns 0, or why the file cannot be executed. */
static int why_not(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return access(path, X_OK) == 0 ? 0 : errno;
}

/*
 * Returns the path of a name in a folder of PATH; an empty one is the current
 * folder.
 */
static char *join(
    const char *folder, const char *dir, size_t dir_len, const char *name)
{
	struct buf path = {0};

	if (!dir_len || *dir != '/')
		buf_printf(&path, "%s/", folder);
	buf_append(&path, dir, dir_len);
	buf_printf(&path, "%s%s", dir_len ? "/" : "", name);
	return buf_steal(&path, &(size_t){0});
}

static int look_in_path(const char *name, const char *folder)
{
	const char *dir = getenv("PATH");
	int why = dir ? ENOENT : 0; /* without PATH the shell uses a default */

	while (dir && why) {
		size_t len = strcspn(dir, ":");
		char *path = join(folder, dir, len, name);
		int this = why_not(path);
		if (!this || this == EACCES)
			why = this;
		free(path);
		dir = dir[len] ? dir + len + 1 : NULL;
	}
	return why;
}

static int look_for(const char *word, const char *folder)
{
	if (!strchr(word, '/'))
		return look_in_path(word, folder);
	char *path =
	    *word == '/' ? mem_strdup(word) : join(folder, "", 0, word);
	int why = why_not(path);
	free(path);
	return why;
}

static int cannot(
    const char *setting, const char *program, int why, struct err *err)
{
	return err_set(err, ERR_CONFIG, "%s: cannot execute %s: %s", setting,
	    program,
	    why == ENOENT && !strchr(program, '/')
		? "there is no such program in PATH"
		: strerror(why));
}

int exec_check_program(const char *setting, const char *program,
    const char *folder, struct err *err)
{
	int why = look_for(program, folder);

	return why ? cannot(setting, program, why, err) : 0;
}

int exec_check(const char *setting, const char *command, const char *folder,
    struct err *err)
{
	const char *start = command + strspn(command, BLANKS);
	size_t len = strcspn(start, ENDS);
	int rc = 0;

	if (!len || strspn(start, PLAIN) != len)
		return 0;
	char *word = mem_strndup(start, len);
	if (!is_shell_word(word))
		rc = exec_check_program(setting, word, folder, err);
	free(word);
	return rc;
}
