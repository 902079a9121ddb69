/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/way.h"

#include "base/buf.h"
#include "base/url.h"

#include <string.h>

/* The path without /ws and slashes at its end. */
static size_t base_len(const char *target)
{
	size_t n = strcspn(target, "?#");

	while (n && target[n - 1] == '/')
		n--;
	if (n >= 3 && !strncmp(target + n - 3, "/ws", 3))
		n -= 3;
	while (n && target[n - 1] == '/')
		n--;
	return n;
}

static char *with_scheme(
    const char *text, const char *clear, const char *secure, const char *tail)
{
	struct buf out = {0};
	struct url url;
	const char *why;

	if (url_parse(&url, text, &why) != 0)
		return NULL;
	buf_str(&out, url.is_secure ? secure : clear);
	url_put_host(&out, &url, false);
	buf_append(&out, url.target, base_len(url.target));
	buf_str(&out, tail);
	url_fini(&url);
	return buf_steal(&out, NULL);
}

char *way_base(const char *url)
{
	return with_scheme(url, "http://", "https://", "");
}

char *way_socket(const char *url)
{
	return with_scheme(url, "ws://", "wss://", "/ws");
}
