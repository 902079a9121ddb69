/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "launch/failure.h"

#include "base/log.h"
#include "core/err.h"
#include "launch/place.h"
#include "launch/user.h"
#include "master/handover.h"
#include "master/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The maximum length in bytes of a traceback line in the log. */
#define LINE_MAX_BYTES 500

static const char *log_file; /* NULL: standard error */
static const struct passwd *owner;
static bool is_owner_known;
static bool is_open;

/*
 * The failure came before anyone opened the log. Root opens it for a user that
 * is not known yet only where no user can change what the path refers to. What
 * failed may have been done as that user.
 */
static bool open_late(void)
{
	struct err err;
	if (is_open || !log_file)
		return is_open;
	user_act_as_root(owner);
	if (!is_owner_known && geteuid() == 0 && !place_is_roots(log_file))
		return false;
	int fd = place_open(
	    "log", log_file, O_WRONLY | O_APPEND | O_CREAT, 0640, owner, &err);
	if (fd < 0)
		return false;
	log_use(fd, log_file);
	is_open = true;
	return true;
}

static void tell_manager(const char *text, int why)
{
	if (handover_fail(text))
		return;
	notify_state("STATUS=%.180s\nERRNO=%d", text, why ? why : EINVAL);
}

/*
 * After fatal() has logged: report to standard error, or to the log that was
 * open.
 */
static void on_fatal(const char *text)
{
	int why = errno;
	if (is_open)
		(void)fprintf(
		    stderr, "%s: %s\n", program_invocation_short_name, text);
	else if (open_late())
		log_error("%s", text);
	tell_manager(text, why);
}

void failure_watch(const char *log)
{
	log_file = log;
	log_on_fatal(on_fatal);
}

void failure_know_user(const struct passwd *user)
{
	owner = user;
	is_owner_known = true;
}

void failure_has_log(void)
{
	is_open = log_file != NULL;
}

void failure_tell(const char *text)
{
	(void)fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
	if (open_late())
		log_error("%s", text);
	tell_manager(text, 0);
}

void failure_show(const char *text, size_t n)
{
	if (n)
		(void)fwrite(text, 1, n, stderr);
	if (!n || !open_late())
		return;
	for (const char *end = text + n; text < end;) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((nl ? nl : end) - text);
		int most = len < LINE_MAX_BYTES ? (int)len : LINE_MAX_BYTES;
		if (len)
			log_error("%.*s", most, text);
		text += len + 1;
	}
}

void failure_over(void)
{
	log_on_fatal(NULL);
}
