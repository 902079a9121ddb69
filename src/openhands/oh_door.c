/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_door.h"

#include "core/msg.h"
#include "engine/engine.h"
#include "openhands/oh_in.h"
#include "openhands/oh_out.h"
#include "openhands/oh_rest.h"
#include "openhands/oh_state.h"

static bool is_connected(const void *state)
{
	const struct oh_state *s = state;
	return s->phase != OH_NEW;
}

static const struct engine_user user = {
    .state_bytes = sizeof(struct oh_state),
    .begin = oh_state_begin,
    .packet = oh_in_packet,
    .attachment = oh_in_attachment,
    .silent = oh_in_silent,
    .is_connected = is_connected,
    .fill = oh_out_fill,
    .gone = oh_in_gone,
};

static void mount(struct http *http, const struct door_setup *setup)
{
	engine_mount(http, setup, &user);
	oh_rest_mount(http, setup);
}

static void receive(const struct msg *m)
{
	if (m->type == MSG_ENGINE)
		engine_receive(m->a);
}

static void end_blocked(void)
{
	engine_each(oh_in_end_if_blocked);
}

static void close_all(void)
{
	engine_close_all();
	oh_rest_close_all();
}

static const char *const sockets[] = {"/socket.io/", "/socket.io", NULL};

const struct door oh_door = {
    .id = DOOR_OPENHANDS,
    .sockets = sockets,
    .mount = mount,
    .end_blocked = end_blocked,
    .receive = receive,
    .close_all = close_all,
};
