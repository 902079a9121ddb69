/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONSEMBL_ONS_COMMANDS_H
#define ONSEMBL_ONS_COMMANDS_H

/*
 * Commands by HTTP: /api/commands, and what the commands for an agent wrote. A
 * user sees and cancels its own commands only, also those of its dashboards.
 */
struct http;
struct ons_site;

/* Add the routes; *site outlives the server. */
void ons_commands_mount(struct http *http, const struct ons_site *site);

#endif
