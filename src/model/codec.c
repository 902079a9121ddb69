/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "model/codec.h"

#include <string.h>

static const struct model_codec *const codecs[] = {
    &openai_codec,
    &anthropic_codec,
};

const struct model_codec *codec_find(const char *name)
{
	for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
		if (strcmp(codecs[i]->name, name) == 0)
			return codecs[i];
	return NULL;
}
