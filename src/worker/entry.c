/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/entry.h"

#include "base/log.h"
#include "child/inherit.h"
#include "core/conf.h"
#include "core/err.h"
#include "door/console.h"

#include <unistd.h>

void entry_begin(struct inherited *in, struct conf *conf,
    enum heritage_kind kind, unsigned slot, unsigned generation)
{
	struct err err;

	inherit_begin(in, process_kinds[kind].name, slot, generation);
	conf_init(conf);
	if (conf_load(conf, HERITAGE_FD_CONF, &err) != 0)
		fatal("%s", err.text);
	log_threshold((enum log_level)conf->log_level);
	log_json(conf->log_format == LOG_FORMAT_JSON);
	inherit_all(in, conf->log_file, conf->test_clock);
	console_to(STDOUT_FILENO, *conf->log_file != 0);
}
