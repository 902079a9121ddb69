/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/exit_status.h"

enum exit_status exit_status_of(enum co_code code)
{
	static const enum exit_status statuses[] = {
	    [CO_OK] = STATUS_OK,
	    [CO_ERR_ARGUMENT] = STATUS_USAGE,
	    [CO_ERR_KEY] = STATUS_USAGE,
	    [CO_ERR_STATE] = STATUS_FAILED,
	    [CO_ERR_UNREACHABLE] = STATUS_UNREACHABLE,
	    [CO_ERR_AWAY] = STATUS_UNREACHABLE,
	    [CO_ERR_IDENTITY] = STATUS_IDENTITY,
	    [CO_ERR_SEAL] = STATUS_IDENTITY,
	    [CO_ERR_REFUSED] = STATUS_REFUSED,
	    [CO_ERR_ONBOARD] = STATUS_REFUSED,
	    [CO_ERR_LIMIT] = STATUS_BUSY,
	    [CO_ERR_AGENT] = STATUS_FAILED,
	    [CO_ERR_LOST] = STATUS_LOST,
	    [CO_ERR_TIMEOUT] = STATUS_TIMEOUT,
	    [CO_ERR_CANCELLED] = STATUS_INTERRUPTED,
	    [CO_ERR_PROTOCOL] = STATUS_LOST,
	    [CO_ERR_TOO_LARGE] = STATUS_LOST,
	    [CO_ERR_QUESTION] = STATUS_QUESTION,
	};

	/* The library may be newer than we are. */
	if ((size_t)code >= sizeof statuses / sizeof *statuses)
		return STATUS_FAILED;
	return statuses[code];
}
