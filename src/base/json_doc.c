/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json_int.h"

#include "base/mem.h"

#include <stdlib.h>

/*
 * The number of nodes in the first block, which fits in 1 KiB since malloc is
 * slower beyond that, and the maximum in any block, which fits in 64 KiB.
 */
#define FIRST_NODES 20
#define MOST_NODES 1344

/* Each block is larger than the one before, so the newest is the largest. */
struct json_block {
	struct json_block *older;
	size_t used;
	size_t size;
	struct json nodes[];
};

_Static_assert(
    sizeof(struct json_block) + MOST_NODES * sizeof(struct json) <= 65536,
    "the block that a document keeps is small");

static void add_block(struct json_doc *doc)
{
	struct json_block *newest = doc->blocks;
	size_t size = newest ? newest->size * 2 : FIRST_NODES;

	if (size > MOST_NODES)
		size = MOST_NODES;
	struct json_block *b =
	    mem_alloc(sizeof *b + size * sizeof(struct json));
	b->older = newest;
	b->used = 0;
	b->size = size;
	doc->blocks = b;
}

static void free_blocks(struct json_block *b)
{
	while (b) {
		struct json_block *older = b->older;
		free(b);
		b = older;
	}
}

/* Keep only the newest block: most texts from one peer have a similar size. */
void json_doc_forget(struct json_doc *doc)
{
	doc->root = NULL;
	if (!doc->blocks)
		return;
	free_blocks(doc->blocks->older);
	doc->blocks->older = NULL;
	doc->blocks->used = 0;
}

struct json *json_doc_node(struct json_doc *doc)
{
	if (!doc->blocks || doc->blocks->used == doc->blocks->size)
		add_block(doc);
	return &doc->blocks->nodes[doc->blocks->used++];
}

void json_fini(struct json_doc *doc)
{
	free_blocks(doc->blocks);
	*doc = (struct json_doc){0};
}
