/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_door.h"

#include "agentserver/as_rest.h"
#include "agentserver/as_socket.h"
#include "core/msg.h"

#include <stddef.h>

static void mount(struct http *http, const struct door_setup *setup)
{
	as_rest_mount(http, setup);
	as_socket_mount(http, setup);
}

static void receive(const struct msg *m)
{
	if (m->type == MSG_RAN)
		as_socket_tell(m->a);
}

static const char *const sockets[] = {
    "/sockets/events/*", "/sockets/session/*", NULL};

const struct door as_door = {
    .id = DOOR_AGENT_SERVER,
    .sockets = sockets,
    .mount = mount,
    .receive = receive,
    .close_all = as_socket_close_all,
};
