/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_INQUIRY_H
#define AGENT_INQUIRY_H

/*
 * An inquiry runs a program once, before there are workers, and keeps what it
 * says. The call waits; the program is gone with all its children afterwards.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct source;

/* What is heard: its two outputs, and how it ended (runner/source.h). */
enum { INQUIRY_SAID, INQUIRY_COMPLAINTS, INQUIRY_REPORT, INQUIRY_ENDS };

struct inquiry {
	int fds[INQUIRY_ENDS]; /* -1: closed */
	/* The newest 4 MiB, 64 KiB and 128 bytes. */
	struct buf heard[INQUIRY_ENDS];
	bool is_late; /* it was killed when the time was over */
};

/*
 * Run what the source starts, without input, for at most this time. Returns 0
 * when it has ended, or -1 with ERR_CONFIG or ERR_AGENT if it could not be
 * started. inquiry_fini() follows in any case.
 */
int inquiry_run(struct inquiry *q, struct source *source, int64_t timeout_ms,
    struct err *err);

/* Free the contents. */
void inquiry_fini(struct inquiry *q);

#endif
