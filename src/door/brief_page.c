/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/brief_page.h"

#include "access/access.h"
#include "base/mem.h"
#include "core/err.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void brief_ask_fini(struct brief_ask *ask)
{
	buf_fini(&ask->text);
	buf_fini(&ask->status);
	buf_fini(&ask->owner);
}

static int read_status(struct brief_page *p, const char *word, struct err *err)
{
	static const char *const words[] = {
	    "idle", "running", "waiting", "failed"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i]) == 0)
			p->filter.status = words[i];
	return p->filter.status
		   ? 0
		   : err_set(err, ERR_BAD_REQUEST,
			 "status must be idle, running, waiting or failed");
}

static bool may_list(const struct brief_page *p, const struct caller *who)
{
	return who->is_admin ||
	       (!p->is_of_all && strcmp(p->owner, who->address) == 0);
}

static int read_owner(struct brief_page *p, const struct buf *owner,
    const struct caller *who, struct err *err)
{
	p->is_of_all = owner->len == 1 && *owner->data == '*';
	if (!p->is_of_all && !address_parse(owner->data, owner->len, p->owner))
		return err_set(err, ERR_BAD_REQUEST,
		    "owner must be an address, or * for all");
	if (!may_list(p, who))
		return err_set(err, ERR_FORBIDDEN,
		    "only admins may list the sessions of others");
	return 0;
}

static int read_ask(struct brief_page *p, const struct brief_ask *ask,
    const struct caller *who, struct err *err)
{
	if (ask->limit < 1 || ask->limit > BRIEF_PAGE_MAX)
		return err_set(err, ERR_BAD_REQUEST, "limit must be 1 to 200");
	if (ask->before < 0)
		return err_set(err, ERR_BAD_REQUEST,
		    "before must be what another page gave");
	if (ask->text.len > BRIEF_PAGE_TEXT_MAX)
		return err_set(
		    err, ERR_BAD_REQUEST, "q must have 200 bytes at most");
	brief_filter_init(&p->filter, ask->text.data, ask->text.len);
	if (ask->status.len && read_status(p, ask->status.data, err) != 0)
		return -1;
	return ask->owner.len ? read_owner(p, &ask->owner, who, err) : 0;
}

/*
 * The id is the only protection of a session without an owner: they are listed
 * for those who could read the files.
 */
static void make_query(
    struct brief_page *p, const struct brief_ask *ask, const struct caller *who)
{
	p->query = (struct session_query){
	    .caller = p->owner[0] ? p->owner : who->address,
	    .with_nobodys = !p->owner[0] && (who->is_admin || ask->is_here),
	    .with_all = p->is_of_all,
	    .limit = (size_t)ask->limit,
	    .before = (uint64_t)ask->before,
	    .is_brief = !p->filter.text.len,
	    .is_wanted = brief_is_wanted,
	    .wanted_arg = &p->filter,
	};
}

struct brief_page *brief_page_new(
    const struct brief_ask *ask, const struct caller *who, struct err *err)
{
	struct brief_page *p = mem_zero(sizeof *p);
	if (read_ask(p, ask, who, err) == 0) {
		make_query(p, ask, who);
		return p;
	}
	brief_page_free(p);
	return NULL;
}

void brief_page_free(void *page)
{
	struct brief_page *p = page;
	brief_filter_fini(&p->filter);
	free(p);
}

void brief_page_put_end(struct buf *out, uint64_t next)
{
	buf_str(out, "],\"before\":");
	if (next)
		buf_printf(out, "\"%" PRIu64 "\"", next);
	else
		buf_str(out, "null");
}
