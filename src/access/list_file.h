/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ACCESS_LIST_FILE_H
#define ACCESS_LIST_FILE_H

/*
 * One list as a text file (access/lists.h). It is read into memory, and read
 * again when its stamp has changed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct map;

/*
 * A list larger than this is refused, as is one with more patterns (lines with
 * '*').
 */
#define LIST_FILE_BYTES (16 * 1024 * 1024)
#define LIST_FILE_PATTERNS 1000

/* Identifies one state of a file; all zero: the file does not exist. */
struct list_stamp {
	int64_t mtime_ns;
	int64_t ctime_ns; /* the only sign of a changed mode */
	int64_t size;
	uint64_t inode;
};

/* A list; lives in its owner. */
struct list_file {
	char *path;
	bool has_comments;   /* '#' begins a comment anywhere */
	bool is_exact;	     /* '*' has no special meaning */
	struct map *entries; /* entries without '*' */
	char **patterns;     /* entries with '*' */
	size_t n_patterns;
	bool is_known;	 /* the members below are valid */
	bool is_settled; /* no change can hide behind an equal stamp */
	bool is_told;	 /* the read error has been logged */
	struct list_stamp stamp;
	uint64_t version; /* grows with each read */
	uint64_t batch;	  /* of lookups that it was last refreshed in */
};

/* Initialise *f; the file is read on demand. path is copied. */
void list_file_init(
    struct list_file *f, const char *path, bool has_comments, bool is_exact);

/* Free the contents. */
void list_file_fini(struct list_file *f);

/* Returns the part of a path that clients may see: the name of the file. */
const char *list_file_name(const char *path);

/*
 * Read the file if it has changed. Returns 0, or -1 with ERR_MISCONFIGURED,
 * which names the file; the full path is only in the log.
 */
int list_file_refresh(struct list_file *f, struct err *err);

/* Fill the list from text, in place of a file. */
void list_file_fill(struct list_file *f, const char *text, size_t len);

/*
 * Whether the list, as it was read last, contains the id in any case. An
 * address matches in any spelling.
 */
bool list_file_has(const struct list_file *f, const char *id);

/*
 * Log a warning for entries of text that look like an address, "0x...", but are
 * not valid: they match nobody. where precedes the line number. is_exact as in
 * a list_file.
 */
void list_file_warn(
    const char *text, size_t len, const char *where, bool is_exact);

/* Whether a line of a list is exactly this id, in any spelling. */
bool list_file_is_entry(const char *line, size_t len, const char *id);

/*
 * Call fn for each entry in the text of a list, as it is written there; without
 * its blanks, and comment if has_comments.
 */
void list_file_each(const char *text, size_t len, bool has_comments,
    void (*fn)(const char *entry, size_t len, void *arg), void *arg);

/*
 * Append the whole file to out; a missing file is empty. Returns 0, or -1 with
 * ERR_MISCONFIGURED: it cannot be read, is not UTF-8 text, or is too large.
 */
int list_file_read(const char *path, struct buf *out, struct err *err);

#endif
