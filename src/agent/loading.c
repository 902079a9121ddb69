/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/loading.h"

#include "base/log.h"

#include <ctype.h>
#include <string.h>

static void tell(const struct loading *l, const char *text, size_t len)
{
	log_info("%s: %.*s", l->past->role, (int)len, text);
}

void loading_begin(struct loading *l, struct loading_past *past)
{
	*l = (struct loading){.past = past, .is_quiet = past->n_failed > 0};
}

void loading_hear(struct loading *l, const char *text, size_t len)
{
	if (l->is_quiet && l->kept.len + len >= LOADING_KEPT_MAX)
		loading_show(l);
	if (!l->is_quiet)
		tell(l, text, len);
	if (l->kept.len + len < LOADING_KEPT_MAX) {
		buf_append(&l->kept, text, len);
		buf_char(&l->kept, '\n');
	}
}

void loading_show(struct loading *l)
{
	const char *at = l->kept.data, *end = at + l->kept.len;

	while (l->is_quiet && at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		tell(l, at, (size_t)(next - at));
		at = next + 1;
	}
	l->is_quiet = false;
}

/* Append text without decimal numbers and without addresses such as 0x7f3a. */
static void append_fixed(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (len - i > 2 && text[i] == '0' && text[i + 1] == 'x')
			for (i += 2;
			     i < len && isxdigit((unsigned char)text[i]);)
				i++;
		else if (isdigit((unsigned char)text[i]))
			i++;
		else
			buf_char(out, text[i++]);
	}
}

bool loading_failed(struct loading *l, const char *why)
{
	struct loading_past *past = l->past;
	struct buf now = {0};

	append_fixed(&now, l->kept.data, l->kept.len);
	append_fixed(&now, why, strlen(why));
	bool is_same = past->n_failed > 0 && now.len == past->last.len &&
		       memcmp(now.data, past->last.data, now.len) == 0;
	past->n_failed++;
	if (is_same) {
		buf_fini(&now);
		return false;
	}
	buf_fini(&past->last);
	past->last = now;
	loading_show(l);
	return true;
}

unsigned loading_succeeded(struct loading *l)
{
	unsigned n = l->past->n_failed;

	loading_show(l);
	loading_forget(l->past);
	return n;
}

void loading_fini(struct loading *l)
{
	buf_fini(&l->kept);
}

void loading_forget(struct loading_past *past)
{
	buf_fini(&past->last);
	past->n_failed = 0;
}
