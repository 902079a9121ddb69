/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/asker.h"

#include "base/mem.h"
#include "connect/peer.h"
#include "websocket/ws_client.h"

#include <stdlib.h>
#include <string.h>

struct asker {
	struct peer *peer;
	char *question;
	char *answer; /* NULL: none yet */
	char *why;    /* NULL: it has not failed */
};

static void on_open(void *arg)
{
	struct asker *a = arg;

	peer_send(a->peer, a->question, strlen(a->question));
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct asker *a = arg;

	if (!a->answer)
		a->answer = mem_strndup(text, len);
}

static void on_end(void *arg, int code, const char *why)
{
	struct asker *a = arg;

	(void)code;
	if (!a->why)
		a->why = mem_strdup(why);
}

static const struct ws_client_handlers handlers = {
    .on_open = on_open,
    .on_text = on_text,
    .on_end = on_end,
};

struct asker *asker_start(const struct peer_setup *given, const char *text)
{
	struct asker *a = mem_zero(sizeof *a);
	struct peer_setup setup = *given;

	a->question = mem_strdup(text);
	setup.handlers = &handlers;
	setup.arg = a;
	a->peer = peer_open(&setup);
	return a;
}

int asker_fd(const struct asker *a)
{
	return peer_fd(a->peer);
}

int64_t asker_due_ms(const struct asker *a)
{
	return peer_due_ms(a->peer);
}

void asker_step(struct asker *a)
{
	peer_step(a->peer);
}

bool asker_is_done(const struct asker *a, const char **answer, const char **why)
{
	*answer = a->answer;
	*why = a->why ? a->why : "";
	return a->answer || a->why;
}

void asker_free(struct asker **ap)
{
	struct asker *a = *ap;

	if (!a)
		return;
	*ap = NULL;
	peer_free(&a->peer);
	free(a->question);
	free(a->answer);
	free(a->why);
	free(a);
}
