/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CLI_SESSION_FILE_H
#define CLI_SESSION_FILE_H

/*
 * The file of --session: what is needed to go on with a conversation, or with
 * those of a pool. It is JSON, for our user alone (0600), and replaced as a
 * whole, so that it is never half a file:
 *
 *	{"co-connect": 1, "next": 0, "key": HEX or null,
 *	 "agents": {ADDRESS: what co_session_save() wrote, ...}}
 *
 * Two programs that use the same file do not harm it, but the later one wins.
 */
#include <stdbool.h>
#include <stddef.h>

struct session_file;

#define SESSION_FILE_KEY_SIZE 32

/*
 * Read the file; one that does not exist is empty. Returns NULL with a message
 * in why (size bytes) if it cannot be read, is another kind of file, or could
 * not be replaced: it must be a regular file in a folder that may be written.
 */
struct session_file *session_file_open(
    const char *path, char *why, size_t size);

/* Free it, and null the pointer. Saves nothing. */
void session_file_close(struct session_file **f);

/* Returns the conversation with an agent, for the library, or NULL. */
const char *session_file_get(const struct session_file *f, const char *agent);

/* Set the conversation with an agent. */
void session_file_set(
    struct session_file *f, const char *agent, const char *session);

/* Forget all conversations. */
void session_file_clear(struct session_file *f);

/* Which agent of a pool is next. */
size_t session_file_next(const struct session_file *f);
void session_file_set_next(struct session_file *f, size_t next);

/*
 * Returns the seed of a key that was made for this file: a caller without a key
 * would be another one each time, and have no access to the conversation. With
 * make, one is made if there is none; otherwise NULL is returned then.
 */
const unsigned char *session_file_key(struct session_file *f, bool make);

/*
 * Write the file. Returns false with a message in why if that failed, and the
 * old file is as it was.
 */
bool session_file_save(struct session_file *f, char *why, size_t size);

#endif
