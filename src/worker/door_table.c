/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "worker/door_table.h"

#include "agentserver/as_door.h"
#include "api/api.h"
#include "core/conf.h"
#include "door/door.h"
#include "net/http.h"
#include "oip/oip_socket.h"
#include "onsembl/ons_agent_door.h"
#include "onsembl/ons_dash_door.h"
#include "onsembl/ons_rest.h"
#include "openhands/oh_door.h"

#include <stddef.h>

/* In the order of their routes: the first that matches counts. */
static const struct door *const doors[] = {&api_server, &oip_door, &as_door,
    &oh_door, &ons_agent_door, &ons_dash_door, &ons_rest_door, &api_door};

#define N_DOORS (sizeof doors / sizeof doors[0])

static const struct door *mounted[N_DOORS];
static size_t n_mounted;

static void refuse_socket(struct http_req *req, void *arg)
{
	(void)arg;
	http_reply_error(req, 404, "not found");
}

static void leave_out(struct http *http, const struct door *door)
{
	for (const char *const *path = door->sockets; path && *path; path++)
		http_route(http, "WEBSOCKET", *path, refuse_socket, NULL);
}

void door_table_mount(struct http *http, const struct door_setup *setup)
{
	for (size_t i = 0; i < N_DOORS; i++) {
		if (!doors_have(setup->conf->doors, doors[i]->id)) {
			leave_out(http, doors[i]);
			continue;
		}
		doors[i]->mount(http, setup);
		mounted[n_mounted++] = doors[i];
	}
}

void door_table_drain(void)
{
	for (size_t i = 0; i < n_mounted; i++)
		if (mounted[i]->drain)
			mounted[i]->drain();
}

void door_table_end_blocked(void)
{
	for (size_t i = 0; i < n_mounted; i++)
		if (mounted[i]->end_blocked)
			mounted[i]->end_blocked();
}

void door_table_receive(const struct msg *m)
{
	for (size_t i = 0; i < n_mounted; i++)
		if (mounted[i]->receive)
			mounted[i]->receive(m);
}

void door_table_close_all(void)
{
	for (size_t i = 0; i < n_mounted; i++)
		if (mounted[i]->close_all)
			mounted[i]->close_all();
}
