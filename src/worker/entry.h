/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WORKER_ENTRY_H
#define WORKER_ENTRY_H

/*
 * How each process of co-hostd begins: it takes over what it inherits
 * (child/inherit.h), with the settings that the master has read.
 */
#include "core/process.h"

struct conf;
struct inherited;

/*
 * Begin as a process of this kind in process slot 'slot'. The caller has set
 * on_msg, on_leave and arg of *in. *conf gets the settings, to be freed by
 * conf_fini(). Calls fatal() if something is missing. The caller continues with
 * inherit_ready().
 */
void entry_begin(struct inherited *in, struct conf *conf,
    enum heritage_kind kind, unsigned slot, unsigned generation);

#endif
