/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/native_source.h"

#include "base/buf.h"
#include "core/agent.h"

#include <string.h>

const char *native_source_file(const struct agent_spec *spec)
{
	return spec->setting + strlen(NATIVE_PREFIX);
}

/* co-agent-c with the path of the object, which dlopen() wants with a slash. */
void native_source_init(struct source_exec *source,
    const struct agent_spec *spec, const char *option)
{
	struct buf program = {0}, path = {0};
	const char *file = native_source_file(spec);

	buf_printf(&program, "%s/co-agent-c", spec->libexec_dir);
	if (*file != '/')
		buf_printf(&path, "%s/", spec->project_dir);
	buf_str(&path, file);
	source_exec_init(source, spec,
	    (const char *const[]){buf_cstr(&program),
		option ? option : buf_cstr(&path),
		option ? buf_cstr(&path) : NULL, NULL});
	buf_fini(&program);
	buf_fini(&path);
}
