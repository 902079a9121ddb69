/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes as what a client uploads, and as the images and files of a prompt:
 * they are refused with a reason, or an image decodes to as many bytes as it
 * was counted for, and the name of a file is safe on disk.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/utf8.h"
#include "core/conf.h"
#include "core/err.h"
#include "files/upload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct conf conf;

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

/* Decode as it is done when a file is saved; whether that was possible. */
static bool decode(const char *s, size_t len)
{
	size_t payload_len, size;
	const char *p = upload_payload(s, len, &payload_len);

	if (!p)
		return false;
	expect(p >= s && p + payload_len == s + len);
	if (payload_len % 4)
		return false;
	size_t room = enc_base64_size(p, payload_len);
	/* The exact size lets the sanitizer see a byte too many. */
	char *out = malloc(room ? room : 1);
	expect(out);
	bool ok = enc_unbase64(out, &size, p, payload_len);
	expect(size <= room && (!ok || size == room));
	free(out);
	return ok;
}

static bool is_utf8(const char *s, size_t n)
{
	size_t len = 1;

	for (; n && len; s += len, n -= len)
		len = utf8_len(s, n);
	return len > 0;
}

/* A name comes from JSON, so it is UTF-8. */
static void check_name(const char *s, size_t len)
{
	char name[UPLOAD_NAME_MAX + 1];

	if (!is_utf8(s, len))
		return;
	upload_name(name, s, len);
	size_t n = strlen(name);
	expect(n > 0 && n <= UPLOAD_NAME_MAX);
	expect(name[0] != '.' && !strpbrk(name, "/\\<>\n\r\x7f"));
	expect(is_utf8(name, n));
}

static void check_strings(
    const struct json *list, const char *member, bool is_image)
{
	struct buf scratch = {0};
	size_t len;

	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		buf_reset(&scratch);
		const char *s =
		    json_str(member ? json_get(v, member) : v, &scratch, &len);
		expect(s);
		bool ok = decode(s, len);
		expect(ok || !is_image);
	}
	buf_fini(&scratch);
}

static void check_prompt(const struct json *v)
{
	struct err err;
	const struct json *images = json_get(v, "images");
	const struct json *files = json_get(v, "files");

	if (upload_check(images, files, &conf, &err) < 0) {
		expect(err.code == ERR_BAD_REQUEST && err.text[0]);
		return;
	}
	check_strings(images, NULL, true);
	check_strings(files, "data", false);
}

static void set_up(void)
{
	static bool is_done;

	if (is_done)
		return;
	conf_init(&conf);
	conf.max_file_size = 1;
	is_done = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_doc doc = {0};
	struct json_error error;
	/* A copy of the exact size lets the sanitizer see a read too far. */
	char *text = malloc(size ? size : 1);

	expect(text);
	set_up();
	memcpy(text, data, size);
	(void)decode(text, size); /* it need not be base64 */
	check_name(text, size);
	const struct json *v = json_parse(&doc, text, size, 0, &error);
	if (v)
		check_prompt(v);
	json_fini(&doc);
	free(text);
	return 0;
}
