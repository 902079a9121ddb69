/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_ATTACHMENTS_H
#define CLI_ATTACHMENTS_H

/*
 * Files and images that go with a prompt. They are read when they are named, so
 * that a mistake is told before the agent is bothered. {0} is empty.
 */
#include <co_connect.h>

#include <stdbool.h>
#include <stddef.h>

struct attachments {
	struct co_file *images;
	size_t n_images;
	struct co_file *files;
	size_t n_files;
	char **owned; /* names and contents */
	size_t n_owned;
};

/* Free all; it is then {0} again. */
void attachments_fini(struct attachments *a);

/*
 * Read a file or an image; "-" is the standard input. Returns false with a
 * message in why (size bytes).
 */
bool attachments_add(struct attachments *a, const char *path, bool is_image,
    char *why, size_t size);

/* Let the prompt have them: they have to live as long as it is used. */
void attachments_put(const struct attachments *a, struct co_prompt *prompt);

#endif
