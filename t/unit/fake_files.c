/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/fake_files.h"

#include "net/http.h"

#include <string.h>

void admin_files_logs(struct http_req *req, struct crew *crew, const char *path)
{
	(void)crew;
	http_reply(req, 200, "text/plain", path, strlen(path));
}

void admin_files_sessions(
    struct http_req *req, struct crew *crew, const char *co_dir)
{
	(void)crew;
	(void)co_dir;
	http_reply(req, 200, "application/json", "{}", 2);
}

void admin_files_lists(struct http_req *req, struct crew *crew,
    const char *co_dir, const char *query)
{
	(void)crew;
	(void)co_dir;
	(void)query;
	http_reply(req, 200, "application/json", "{}", 2);
}
