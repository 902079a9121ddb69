/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_LIST_FILE_H
#define ACCESS_LIST_FILE_H

/*
 * One list as a text file (access/lists.h): read into memory, asked, and read
 * again when its stamp has changed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct map;

/* A larger list is refused, and one with more lines that have a '*'. */
#define LIST_FILE_BYTES (16 * 1024 * 1024)
#define LIST_FILE_PATTERNS 1000

/* What tells one state of a file from another; zero bytes: there is none. */
struct list_stamp {
	int64_t mtime_ns;
	int64_t ctime_ns; /* a change of its mode shows here alone */
	int64_t size;
	uint64_t inode;
};

struct list_file {
	char *path;
	bool has_comments;   /* '#' begins a comment anywhere */
	bool is_exact;	     /* '*' is nothing special */
	struct map *entries; /* those without '*' */
	char **patterns;     /* those with */
	size_t n_patterns;
	bool is_known;	 /* what follows was read */
	bool is_settled; /* no change can hide behind the same stamp */
	bool is_told;	 /* the log says that it cannot be read */
	struct list_stamp stamp;
	uint64_t version; /* grows whenever it is read */
};

/* Prepare it; the file is read when it is asked. path is copied. */
void list_file_init(
    struct list_file *f, const char *path, bool has_comments, bool is_exact);

/* Free what it holds. */
void list_file_fini(struct list_file *f);

/* What clients may know of a path: the name of the file. */
const char *list_file_name(const char *path);

/*
 * Read the file if it has changed. Returns 0, or -1 with ERR_MISCONFIGURED
 * naming it; its whole path is for the log.
 */
int list_file_refresh(struct list_file *f, struct err *err);

/* Fill it from text, in place of a file. */
void list_file_fill(struct list_file *f, const char *text, size_t len);

/*
 * Whether it has the id, in any case; as it was read last. An address is one
 * however either side spells it.
 */
bool list_file_has(const struct list_file *f, const char *id);

/*
 * Warn of entries of text that look like an address, "0x...", and are none:
 * they match nobody. where comes before the number of the line. is_exact as of a list_file.
 */
void list_file_warn(
    const char *text, size_t len, const char *where, bool is_exact);

/* Whether a line of a list is this id, in any spelling, and nothing else. */
bool list_file_is_entry(const char *line, size_t len, const char *id);

/*
 * Append the whole file to out; nothing when it is not there. Returns 0, or -1
 * with ERR_MISCONFIGURED: it cannot be read, is no UTF-8 text, or is too large.
 */
int list_file_read(const char *path, struct buf *out, struct err *err);

#endif
