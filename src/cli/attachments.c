/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "cli/attachments.h"

#include "base/image.h"
#include "base/mem.h"
#include "cli/read_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* In base64, with the rest of the frame, it stays under what libraries take. */
#define MAX_BYTES ((size_t)128 << 20)

/* The types of files by their names, for agents that look at them. */
static const struct {
	const char *end, *type;
} types[] = {
    {".csv", "text/csv"},
    {".gif", "image/gif"},
    {".html", "text/html"},
    {".jpeg", "image/jpeg"},
    {".jpg", "image/jpeg"},
    {".json", "application/json"},
    {".md", "text/markdown"},
    {".pdf", "application/pdf"},
    {".png", "image/png"},
    {".txt", "text/plain"},
    {".webp", "image/webp"},
    {".xml", "application/xml"},
    {".zip", "application/zip"},
};

static const char *type_of(const char *name)
{
	const char *end = strrchr(name, '.');

	for (size_t i = 0; end && i < sizeof types / sizeof *types; i++)
		if (strcasecmp(types[i].end, end) == 0)
			return types[i].type;
	return NULL;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (strcmp(path, "-") == 0)
		return "stdin.txt";
	return slash ? slash + 1 : path;
}

static char *own(struct attachments *a, char *text)
{
	a->owned = mem_realloc(a->owned, (a->n_owned + 1) * sizeof *a->owned);
	return a->owned[a->n_owned++] = text;
}

bool attachments_add(struct attachments *a, const char *path, bool is_image,
    char *why, size_t size)
{
	struct buf bytes = {0};
	struct co_file **list = is_image ? &a->images : &a->files;
	size_t *n = is_image ? &a->n_images : &a->n_files;

	if (!read_file(path, MAX_BYTES, &bytes, why, size)) {
		buf_fini(&bytes);
		return false;
	}
	if (is_image && !image_type(bytes.data, bytes.len)) {
		(void)snprintf(why, size,
		    "%s is no PNG, JPEG, GIF, BMP or WebP image: send it with "
		    "--file",
		    path);
		buf_fini(&bytes);
		return false;
	}
	*list = mem_realloc(*list, (*n + 1) * sizeof **list);
	struct co_file *f = &(*list)[(*n)++];
	*f = (struct co_file){
	    .name = own(a, mem_strdup(name_of(path))),
	    .type = is_image ? NULL : type_of(path),
	};
	f->data = own(a, buf_steal(&bytes, &f->len));
	return true;
}

void attachments_fini(struct attachments *a)
{
	for (size_t i = 0; i < a->n_owned; i++)
		free(a->owned[i]);
	free(a->owned);
	free(a->images);
	free(a->files);
	*a = (struct attachments){0};
}

void attachments_put(const struct attachments *a, struct co_prompt *prompt)
{
	prompt->images = a->images;
	prompt->n_images = a->n_images;
	prompt->files = a->files;
	prompt->n_files = a->n_files;
}
