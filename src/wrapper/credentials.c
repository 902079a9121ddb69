/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/credentials.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "wrapper/config_file.h"
#include "wrapper/rest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* If the server does not say how long a token lives. */
#define DEFAULT_LIFE_S 3600

/* A file of our home; made is whether to create the folder. */
static char *path_of(const char *name, bool made)
{
	const char *home = getenv("HOME");
	struct buf path = {0};

	buf_printf(&path, "%s/.onsembl", home ? home : "");
	if (made)
		(void)mkdir(buf_cstr(&path), 0700); /* or it is there */
	buf_printf(&path, "/%s", name);
	return buf_steal(&path, NULL);
}

void credentials_fini(struct credentials *c)
{
	free(c->server);
	free(c->access);
	free(c->refresh);
	*c = (struct credentials){0};
}

bool credentials_read(struct credentials *c, const char *server)
{
	char why[200];
	char *path = path_of("credentials.json", false);
	struct config_file *f = config_file_open(path, why, sizeof why);

	*c = (struct credentials){0};
	free(path);
	if (!f)
		return false;
	char *expires = config_file_get(f, "expiresAt");
	c->server = config_file_get(f, "server");
	c->access = config_file_get(f, "accessToken");
	c->refresh = config_file_get(f, "refreshToken");
	c->expires_ms = expires ? strtoll(expires, NULL, 10) : 0;
	free(expires);
	config_file_close(&f);
	if (c->server && c->access && strcmp(c->server, server) == 0)
		return true;
	credentials_fini(c);
	return false;
}

bool credentials_take(
    struct credentials *c, const char *server, const struct json *answer)
{
	char *access = json_strdup(json_get(answer, "access_token"));
	char *refresh = json_strdup(json_get(answer, "refresh_token"));

	if (!access) {
		free(refresh);
		return false;
	}
	credentials_fini(c);
	*c = (struct credentials){
	    .server = mem_strdup(server),
	    .access = access,
	    .refresh = refresh,
	    .expires_ms = clock_wall_ms() + rest_duration_ms(answer,
						"expires_in", DEFAULT_LIFE_S),
	};
	return true;
}

static void put(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "\"%s\": ", name);
	buf_json_str(out, value);
	buf_str(out, ",\n ");
}

static bool write_file(const char *path, const struct buf *text)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool is_written =
	    fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len;

	if (fd >= 0)
		(void)close(fd);
	return is_written;
}

bool credentials_write(const struct credentials *c, char *why, size_t size)
{
	char *path = path_of("credentials.json", true);
	char *temporary = path_of("credentials.new", true);
	struct buf text = {0};

	buf_char(&text, '{');
	put(&text, "server", c->server);
	put(&text, "accessToken", c->access);
	put(&text, "refreshToken", c->refresh);
	buf_printf(&text, "\"expiresAt\": %lld}\n", (long long)c->expires_ms);
	bool is_written =
	    write_file(temporary, &text) && rename(temporary, path) == 0;
	if (!is_written)
		(void)snprintf(
		    why, size, "cannot write %s: %s", path, strerror(errno));
	buf_fini(&text);
	free(path);
	free(temporary);
	return is_written;
}

void credentials_remove(void)
{
	char *path = path_of("credentials.json", false);

	(void)unlink(path); /* or it is not there */
	free(path);
}
