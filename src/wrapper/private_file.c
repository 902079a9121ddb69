/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/private_file.h"

#include "base/buf.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char *folder;
static char *path;

const char *private_file(const char *name, const char *text)
{
	const char *tmp = getenv("TMPDIR");
	struct buf b = {0};

	buf_printf(&b, "%s/onsembl-agent-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	folder = buf_steal(&b, NULL);
	if (!mkdtemp(folder)) {
		private_file_clear();
		return NULL;
	}
	buf_printf(&b, "%s/%s", folder, name);
	path = buf_steal(&b, NULL);
	FILE *f = fopen(path, "wxe");
	bool is_written = f && fputs(text, f) >= 0;
	is_written = f && fclose(f) == 0 && is_written;
	if (!is_written)
		private_file_clear();
	return path;
}

void private_file_clear(void)
{
	if (path)
		(void)unlink(path);
	if (folder)
		(void)rmdir(folder);
	free(path);
	free(folder);
	path = folder = NULL;
}
