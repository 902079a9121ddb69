/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* An input of a client, with its images and files. */
#include "connect/prompt.h"

#include <string.h>

#include "base/buf.h"
#include "t/unit/tap.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static struct buf out;
static char why[200];

static const char *written(const struct co_prompt *p)
{
	buf_reset(&out);
	return prompt_write(&out, p, "i1", why, sizeof(why)) == 0 ? out.data
								  : why;
}

static void writes(void)
{
	struct co_file file = {"a \"b\".txt", "text/plain", "hello\n", 6};
	struct co_file empty = {"empty", NULL, NULL, 0};
	struct co_prompt p;

	co_prompt_init(&p, "say \"hi\"\n");
	is_str(written(&p),
	    ",\"input_id\":\"i1\",\"prompt\":\"say \\\"hi\\\"\\n\"",
	    "a text is written");
	co_prompt_init(&p, NULL);
	is_str(written(&p), ",\"input_id\":\"i1\",\"prompt\":\"\"",
	    "no text is an empty one");
	co_prompt_init(&p, "x");
	p.files = &file;
	p.n_files = 1;
	is_str(written(&p),
	    ",\"input_id\":\"i1\",\"prompt\":\"x\",\"files\":[{\"name\":"
	    "\"a "
	    "\\\"b\\\".txt\",\"data\":\"data:text/plain;base64,aGVsbG8K\"}]",
	    "a file is written");
	is_int(
	    out.len, strlen(out.data), "the length of an input omits its NUL");
	p.files = &empty;
	is_str(written(&p),
	    ",\"input_id\":\"i1\",\"prompt\":\"x\",\"files\":[{\"name\":"
	    "\"empty\",\"data\":\"data:application/octet-stream;base64,\"}]",
	    "an empty file is written");
}

static void knows_images(void)
{
	static const struct {
		const char *bytes, *type;
	} cases[] = {
	    {"\x89PNG\r\n\x1a\n....", "image/png"},
	    {"\xff\xd8\xff\xe0........", "image/jpeg"},
	    {"GIF89a......", "image/gif"},
	    {"RIFF....WEBP", "image/webp"},
	    {"BM..........", "image/bmp"},
	    {"something else", "image/png"},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct co_file image = {
		    NULL, NULL, cases[i].bytes, strlen(cases[i].bytes)};
		struct co_prompt p;
		char want[64];

		co_prompt_init(&p, "x");
		p.images = &image;
		p.n_images = 1;
		(void)snprintf(want, sizeof(want),
		    "\"images\":[\"data:%s;base64,", cases[i].type);
		ok(strstr(written(&p), want) != NULL,
		    "image %zu is known to be %s", i, cases[i].type);
	}
}

static void refuses(void)
{
	static const struct {
		struct co_file file;
		const char *why;
	} cases[] = {
	    {{NULL, NULL, "x", 1}, "file 1 (unnamed) lacks a name"},
	    {{"", NULL, "x", 1}, "file 1 () lacks a name"},
	    {{"a", NULL, NULL, 1}, "file 1 (a) lacks data"},
	    {{"a", "text/\"plain", "x", 1}, "file 1 (a) lacks a valid type"},
	    {{"a", "", "x", 1}, "file 1 (a) lacks a valid type"},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct co_prompt p;

		co_prompt_init(&p, "x");
		p.files = &cases[i].file;
		p.n_files = 1;
		is_str(
		    written(&p), cases[i].why, "wrong file %zu is refused", i);
	}
}

int main(void)
{
	writes();
	knows_images();
	refuses();
	buf_fini(&out);
	return done();
}
