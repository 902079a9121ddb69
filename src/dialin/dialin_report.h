/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_REPORT_H
#define DIALIN_DIALIN_REPORT_H

/* Messages of an agent about a command: read, told to its turn, and answered. */
#include "ons/ons_report.h"

struct dialin_conn;

/*
 * Take such a message. If the command has no turn here, it is only answered.
 * Returns NULL, or what is wrong with it (ons/ons_report.h).
 */
const char *dialin_report(
    struct dialin_conn *c, struct ons_reader *r, const struct ons_message *m);

#endif
