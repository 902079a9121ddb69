/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/prompt.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/image.h"

#include <stdio.h>
#include <string.h>

/* RFC 2045 tokens, so that nothing has to be escaped. */
static bool is_type(const char *type)
{
	return *type && strspn(type, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789/+-._;= ") == strlen(type);
}

/* Append a data URL as a JSON string. */
static void put_data(struct buf *out, const char *type, const struct co_file *f)
{
	buf_printf(out, "\"data:%s;base64,", type);
	enc_base64(buf_reserve(out, ENC_BASE64_SIZE(f->len)), f->data, f->len);
	out->len += ENC_BASE64_SIZE(f->len);
	buf_char(out, '"');
}

static const char *type_of(const struct co_file *f, bool is_image)
{
	const char *type = f->type;

	if (!type && is_image)
		type = image_type(f->data, f->len);
	if (!type)
		type = is_image ? "image/png" : "application/octet-stream";
	return type;
}

static int check(
    const struct co_file *f, size_t n, bool is_image, char *why, size_t size)
{
	for (size_t i = 0; i < n; i++) {
		const char *fault =
		    f[i].len && !f[i].data		       ? "data"
		    : !is_image && (!f[i].name || !*f[i].name) ? "a name"
		    : !is_type(type_of(&f[i], is_image))       ? "a valid type"
							       : NULL;
		if (!fault)
			continue;
		(void)snprintf(why, size, "%s %zu (%s) lacks %s",
		    is_image ? "image" : "file", i + 1,
		    f[i].name ? f[i].name : "unnamed", fault);
		return -1;
	}
	return 0;
}

static void put_images(struct buf *out, const struct co_prompt *p)
{
	buf_str(out, ",\"images\":[");
	for (size_t i = 0; i < p->n_images; i++) {
		buf_str(out, i ? "," : "");
		put_data(out, type_of(&p->images[i], true), &p->images[i]);
	}
	buf_char(out, ']');
}

static void put_files(struct buf *out, const struct co_prompt *p)
{
	buf_str(out, ",\"files\":[");
	for (size_t i = 0; i < p->n_files; i++) {
		buf_str(out, i ? ",{\"name\":" : "{\"name\":");
		buf_json_str(out, p->files[i].name);
		buf_str(out, ",\"data\":");
		put_data(out, type_of(&p->files[i], false), &p->files[i]);
		buf_char(out, '}');
	}
	buf_char(out, ']');
}

int prompt_write(struct buf *out, const struct co_prompt *p,
    const char *input_id, char *why, size_t size)
{
	if (check(p->images, p->n_images, true, why, size) != 0 ||
	    check(p->files, p->n_files, false, why, size) != 0)
		return -1;
	buf_str(out, ",\"input_id\":");
	buf_json_str(out, input_id);
	buf_str(out, ",\"prompt\":");
	buf_json_str(out, p->text ? p->text : "");
	if (p->n_images)
		put_images(out, p);
	if (p->n_files)
		put_files(out, p);
	(void)buf_cstr(out);
	return 0;
}
