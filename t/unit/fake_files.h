/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_FAKE_FILES_H
#define T_UNIT_FAKE_FILES_H

/*
 * api/admin_files.h without files or threads: the log is its own path, and
 * there are no sessions.
 */
#include "api/admin_files.h"

#endif
