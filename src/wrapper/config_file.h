/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_CONFIG_FILE_H
#define WRAPPER_CONFIG_FILE_H

/* A file of settings: one JSON object of texts, numbers and such objects. */
#include <stddef.h>

struct config_file;

/* A larger file is refused. */
#define CONFIG_FILE_MAX_BYTES ((size_t)1024 * 1024)

/* Read a file. Returns NULL, with a text in why, if that is not possible. */
struct config_file *config_file_open(const char *path, char *why, size_t size);

/*
 * Returns the text or number of this key, to be freed, or NULL. A dot in the
 * key leads into an object.
 */
char *config_file_get(const struct config_file *f, const char *key);

/* Free and null *f; NULL is accepted. */
void config_file_close(struct config_file **f);

#endif
