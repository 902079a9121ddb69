/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "dialin/dialin_who.h"

#include "base/json.h"
#include "dialin/dialin_dock.h"

#include <ctype.h>
#include <string.h>

void dialin_who_copy(char *to, size_t size, struct span s)
{
	size_t n = s.len < size ? s.len : size - 1;
	while (n < s.len && n && ((unsigned char)s.text[n] & 0xc0) == 0x80)
		n--; /* not inside a character */
	if (n)
		memcpy(to, s.text, n);
	to[n] = '\0';
}

void dialin_who_fill(struct dialin_who *who, const struct ons_connect *c)
{
	dialin_who_copy(who->id, sizeof who->id, c->agent);
	dialin_who_copy(who->name, sizeof who->name, c->name);
	dialin_who_copy(who->type, sizeof who->type, c->type);
	dialin_who_copy(who->version, sizeof who->version, c->version);
	dialin_who_copy(who->host, sizeof who->host, c->host);
	for (char *p = who->type; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (c->capabilities.len < sizeof who->capabilities)
		dialin_who_copy(who->capabilities, sizeof who->capabilities,
		    c->capabilities);
}

void dialin_who_active(struct dialin_conn *c, struct span json)
{
	struct json_doc doc = {0};
	struct json_error why;
	c->tells_active = json.text != NULL;
	if (c->tells_active)
		c->reports_ends = true;
	buf_reset(&c->active);
	if (!json.text)
		return;
	const struct json *list =
	    json_parse(&doc, json.text, json.len, 0, &why);
	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		struct buf scratch = {0};
		size_t n = 0;
		const char *id = json_str(v, &scratch, &n);
		buf_char(&c->active, '\0');
		buf_append(&c->active, id, n);
		buf_char(&c->active, '\0');
		buf_fini(&scratch);
	}
	json_fini(&doc);
}
