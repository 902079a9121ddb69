/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/native_profile.h"

#include "agent/native_source.h"
#include "agent/profile.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The name of the file without its folder and suffix. */
static char *name_of(const struct agent_spec *spec)
{
	const char *file = native_source_file(spec);
	const char *slash = strrchr(file, '/');

	file = slash ? slash + 1 : file;
	size_t len = strlen(file);
	if (len > 3 && strcmp(file + len - 3, ".so") == 0)
		len -= 3;
	return mem_strndup(file, len);
}

void native_profile_read(struct profile *p, const struct agent_spec *spec)
{
	char *name = name_of(spec);
	const struct profile_usual usual = {
	    .name = name, .model = "c", .state = spec->state};

	profile_read(p, &usual, spec->profile, strlen(spec->profile));
	free(name);
}
