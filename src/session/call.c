/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/call.h"

#include "core/agent.h"
#include "core/stat.h"
#include "files/upload.h"

#include <stdlib.h>

void call_free(struct session_call *c)
{
	for (size_t i = 0; i < c->n_files; i++) {
		free((void *)(uintptr_t)c->files[i].name);
		free((void *)(uintptr_t)c->files[i].path);
	}
	free(c->files);
	free(c->prompt);
	free(c->images);
	free(c->id);
	free(c->agent);
	free(c->options);
	buf_fini(&c->conversation);
	buf_fini(&c->input_id);
	buf_fini(&c->mem);
	limits_drop(c->session->all->setup.limits, &c->held);
	session_close(&c->session);
	free(c);
}

void call_tell(struct session_call *c)
{
	session_receipt_fn *fn = c->fn;
	c->fn = NULL;
	switch (c->receipt.outcome) {
	case INPUT_REFUSED:
		stat_add(inputs_refused, 1);
		upload_discard(c->files, c->n_files);
		break;
	case INPUT_REPEATED:
		stat_add(dedup_hits, 1);
		upload_discard(c->files, c->n_files);
		break;
	case INPUT_STARTED:
	case INPUT_ADDED:
	case INPUT_ANSWERED:
		stat_add(inputs_accepted, 1);
		break;
	}
	if (fn)
		fn(c->arg, &c->receipt);
}

void call_answer(struct session_call *c, enum input_outcome outcome)
{
	struct sessions *all = c->session->all;
	c->receipt.outcome = outcome;
	list_append(&all->answers, &c->link);
	all->setup.ask_flush(all->setup.arg);
}

void call_refuse(struct session_call *c)
{
	c->receipt.err = &c->err;
	call_answer(c, INPUT_REFUSED);
}

void call_refuse_with(struct session_call *c, enum err_code code)
{
	(void)err_set(&c->err, code, NULL);
	call_refuse(c);
}

void call_later(struct session_call *c)
{
	list_append(&c->session->all->retries, &c->link);
}

void call_flush(struct sessions *all)
{
	struct list *l;
	while ((l = list_shift(&all->answers))) {
		struct session_call *c =
		    list_entry(l, struct session_call, link);
		call_tell(c);
		call_free(c);
	}
}

void session_forget(struct session_call **call)
{
	if (*call)
		(*call)->fn = NULL;
	*call = NULL;
}
