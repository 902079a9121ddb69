/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/image.h"

#include <string.h>

static const struct {
	const char *bytes;
	size_t n;
	const char *type;
} magic[] = {
    {"\x89PNG\r\n\x1a\n", 8, "image/png"},
    {"\xff\xd8\xff", 3, "image/jpeg"},
    {"GIF8", 4, "image/gif"},
    {"BM", 2, "image/bmp"},
};

const char *image_type(const void *data, size_t len)
{
	for (size_t i = 0; i < sizeof magic / sizeof *magic; i++)
		if (len >= magic[i].n &&
		    !memcmp(data, magic[i].bytes, magic[i].n))
			return magic[i].type;
	if (len >= 12 && !memcmp(data, "RIFF", 4) &&
	    !memcmp((const char *)data + 8, "WEBP", 4))
		return "image/webp";
	return NULL;
}
