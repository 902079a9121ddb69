/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Apart from options.c, which prints the commands: they report errors, too. */
#include "main/options.h"

#include <stdio.h>
#include <stdlib.h>

void options_error(const char *problem, const char *what)
{
	(void)fprintf(stderr, "co-hostd: %s: %s\nTry 'co-hostd --help'.\n",
	    problem, what);
	exit(2);
}
