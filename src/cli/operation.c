/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/operation.h"

#include "base/log.h"
#include "cli/cli.h"
#include "cli/interrupts.h"
#include "cli/questions.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

struct operation {
	struct cli *cli;
	struct co_client *client;
	unsigned n_stops; /* how often Ctrl-C was pressed */
};

/* The first asks the agent to stop, if it works; the second is for us. */
static void stop(struct operation *op)
{
	op->n_stops++;
	if (op->n_stops > 1) {
		op->cli->is_leaving = true;
		co_cancel(op->client);
	} else if (co_interrupt(op->client) == CO_OK) {
		screen_say(&op->cli->screen,
		    "Interrupting the agent; Ctrl-C again leaves it.");
		screen_busy(&op->cli->screen, "stopping");
	} else {
		co_cancel(op->client);
	}
}

static void leave(struct operation *op)
{
	op->cli->is_leaving = true;
	op->n_stops += 2;
	co_cancel(op->client);
}

static void look_at_interrupts(struct operation *op)
{
	enum interrupt interrupt;

	while ((interrupt = interrupts_take()) != INTERRUPT_NONE &&
	       !op->cli->is_leaving) {
		if (interrupt == INTERRUPT_STOP)
			stop(op);
		else if (interrupt == INTERRUPT_LEAVE)
			leave(op);
	}
}

static void wait_and_step(struct operation *op)
{
	struct screen *screen = &op->cli->screen;
	struct pollfd fds[] = {
	    {.fd = co_fd(op->client), .events = POLLIN},
	    {.fd = op->cli->interrupts, .events = POLLIN},
	};

	if (poll(fds, 2, screen_tick_ms(screen)) < 0 && errno != EINTR)
		fatal("poll: %s", strerror(errno));
	screen_tick(screen);
	look_at_interrupts(op);
	co_step(op->client);
}

/* Whether to go on after a question. */
static bool answer(struct operation *op)
{
	switch (questions_answer(op->cli, op->client)) {
	case QUESTION_OPEN:
		return false;
	case QUESTION_STOPPED:
		stop(op);
		break;
	case QUESTION_LEFT:
		leave(op);
		break;
	case QUESTION_ANSWERED:
		screen_busy(&op->cli->screen, "thinking");
		break;
	}
	return true;
}

static void fill(
    struct co_result *result, struct co_client *c, enum co_code code)
{
	const char *text = co_error_text(c);

	*result = (struct co_result){
	    .code = code, .text = text, .text_len = strlen(text), .json = ""};
}

enum exit_status operation_run(struct cli *cli, struct co_client *c,
    enum co_code begun, struct co_result *result)
{
	struct operation op = {.cli = cli, .client = c};

	if (begun != CO_OK) {
		fill(result, c, begun);
		return exit_status_of(begun);
	}
	interrupts_hold();
	interrupts_drop();
	cli->is_saved = false;
	screen_busy(&cli->screen, "waiting");
	while (true) {
		if (!co_take(c, result))
			wait_and_step(&op);
		else if (result->code != CO_ERR_QUESTION || !answer(&op))
			break;
	}
	interrupts_release();
	screen_end(&cli->screen, result->text, result->text_len);
	cli->is_stopped = op.n_stops > 0;
	return op.n_stops ? STATUS_INTERRUPTED : exit_status_of(result->code);
}
