/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/url.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/percent.h"
#include "base/span.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct scheme {
	const char *name;
	const char *socket; /* the scheme of a WebSocket to the same server */
	bool is_secure;
	bool is_http;
	uint16_t port;
} schemes[] = {
    {"ws://", "ws://", false, false, 80},
    {"wss://", "wss://", true, false, 443},
    {"http://", "ws://", false, true, 80},
    {"https://", "wss://", true, true, 443},
};

#define N_SCHEMES (sizeof schemes / sizeof *schemes)

static const struct scheme *find_scheme(const char *text)
{
	for (size_t i = 0; i < N_SCHEMES; i++)
		if (strncasecmp(
			text, schemes[i].name, strlen(schemes[i].name)) == 0)
			return &schemes[i];
	return NULL;
}

/* What is not printable ASCII would have to be escaped. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* Cut what is before the first c off the front of s; false if there is none. */
static bool cut_before(struct span *s, char c, struct span *out)
{
	const char *at = s->len ? memchr(s->text, c, s->len) : NULL;

	if (!at)
		return false;
	*out = (struct span){s->text, (size_t)(at - s->text)};
	s->len -= out->len + 1;
	s->text = at + 1;
	return true;
}

static bool read_port(struct url *u, struct span s)
{
	unsigned long port = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (!isdigit((unsigned char)s.text[i]))
			return false;
		port = port * 10 + (unsigned long)(s.text[i] - '0');
		if (port > UINT16_MAX)
			return false;
	}
	if (s.len && !port)
		return false;
	if (s.len)
		u->port = (uint16_t)port;
	return true;
}

static bool is_host_char(char c)
{
	return isalnum((unsigned char)c) || strchr("-._~!$&'()*+,;=", c);
}

static void own_host(struct url *u, struct span s)
{
	u->host = mem_strndup(s.text, s.len);
	for (char *c = u->host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

/* An IPv6 address in brackets, and what follows it. */
static const char *read_literal(struct url *u, struct span s)
{
	unsigned char address[16];
	struct span inner;

	s.text++;
	s.len--;
	if (!cut_before(&s, ']', &inner))
		return "has a \"[\" without \"]\"";
	own_host(u, inner);
	if (inet_pton(AF_INET6, u->host, address) != 1)
		return "has no IPv6 address between \"[\" and \"]\"";
	if (s.len && *s.text != ':')
		return "has something other than a port after \"]\"";
	if (s.len)
		s = (struct span){s.text + 1, s.len - 1};
	return read_port(u, s) ? NULL : "has a port that is not 1 to 65535";
}

static const char *read_name(struct url *u, struct span s)
{
	struct span host;

	if (!cut_before(&s, ':', &host)) {
		host = s;
		s.len = 0;
	}
	if (!host.len)
		return "has no host";
	for (size_t i = 0; i < host.len; i++)
		if (!is_host_char(host.text[i]))
			return "has a host with a character that none has";
	own_host(u, host);
	return read_port(u, s) ? NULL : "has a port that is not 1 to 65535";
}

static void read_user(struct url *u, struct span s)
{
	struct buf user = {0};

	percent_bytes(&user, s.text, s.len, false);
	u->user = buf_steal(&user, NULL);
}

/* The part between "//" and the path. */
static const char *read_authority(struct url *u, struct span s)
{
	struct span user;

	if (cut_before(&s, '@', &user))
		read_user(u, user);
	return s.len && *s.text == '[' ? read_literal(u, s) : read_name(u, s);
}

static const char *url_read(struct url *u, const char *text)
{
	const struct scheme *scheme = find_scheme(text);
	struct buf target = {0};

	if (!scheme)
		return "does not begin with wss://, ws://, https:// or http://";
	if (strlen(text) > URL_MAX_BYTES)
		return "is longer than 4096 bytes";
	if (!is_plain(text))
		return "has a character that must be escaped";
	u->is_secure = scheme->is_secure;
	u->is_http = scheme->is_http;
	u->port = scheme->port;
	text += strlen(scheme->name);
	size_t n = strcspn(text, "/?#");
	if (text[n] != '/')
		buf_char(&target, '/');
	buf_append(&target, text + n, strcspn(text + n, "#"));
	u->target = buf_steal(&target, NULL);
	return read_authority(u, (struct span){text, n});
}

int url_parse(struct url *u, const char *text, const char **why)
{
	*u = (struct url){0};
	*why = url_read(u, text);
	if (!*why)
		return 0;
	url_fini(u);
	return -1;
}

struct url url_copy(const struct url *u)
{
	struct url copy = *u;

	copy.host = mem_strdup(u->host);
	copy.user = mem_strdup(u->user);
	copy.target = mem_strdup(u->target);
	return copy;
}

void url_fini(struct url *u)
{
	free(u->host);
	free(u->user);
	free(u->target);
	*u = (struct url){0};
}

void url_put_host(struct buf *out, const struct url *u, bool with_port)
{
	bool is_v6 = strchr(u->host, ':') != NULL;

	buf_printf(out, is_v6 ? "[%s]" : "%s", u->host);
	if (with_port || u->port != (u->is_secure ? 443 : 80))
		buf_printf(out, ":%u", u->port);
}

bool url_is_loopback(const struct url *u)
{
	struct in_addr v4;

	if (strcmp(u->host, "localhost") == 0 || strcmp(u->host, "::1") == 0)
		return true;
	return inet_pton(AF_INET, u->host, &v4) == 1 &&
	       ntohl(v4.s_addr) >> 24 == 127;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && memcmp(text + len - n, end, n) == 0;
}

/* Returns the length of the text without slashes and socket paths at its end. */
static size_t base_len(const char *text)
{
	static const char *const ends[] = {"/ws/announce", "/ws", "/"};
	size_t n = strlen(text), before;

	do {
		before = n;
		for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
			if (ends_with(text, n, ends[i]))
				n -= strlen(ends[i]);
	} while (n != before);
	return n;
}

char *url_relay(const char *text)
{
	const struct scheme *scheme = find_scheme(text);
	struct buf base = {0};
	struct url u;
	const char *why;

	if (!scheme || strpbrk(text, "?#"))
		return NULL;
	text += strlen(scheme->name);
	buf_str(&base, scheme->socket);
	buf_append(&base, text, base_len(text));
	if (url_parse(&u, buf_cstr(&base), &why) != 0) {
		buf_fini(&base);
		return NULL;
	}
	bool has_user = u.user != NULL;
	url_fini(&u);
	if (!has_user)
		return buf_steal(&base, NULL);
	buf_fini(&base);
	return NULL;
}
