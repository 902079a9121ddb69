/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Separate from options.c, which prints the commands: commands also report
 * errors.
 */
#include "main/options.h"

#include <stdio.h>
#include <stdlib.h>

void options_error(const char *problem, const char *what)
{
	(void)fprintf(stderr, "co-hostd: %s: %s\nTry 'co-hostd --help'.\n",
	    problem, what);
	exit(2);
}
