/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef T_UNIT_SCRATCH_STORE_H
#define T_UNIT_SCRATCH_STORE_H

/* A store in a folder of the test's own. */
#include <sys/stat.h>

#include "base/buf.h"
#include "core/conf.h"
#include "core/err.h"
#include "store/store.h"
#include "t/unit/scratch.h"

/* Make settings whose .co is a new folder of this name; conf_fini() frees them. */
static inline void scratch_conf(struct conf *conf, const char *folder)
{
	conf_init(conf);
	conf->store_size = 16;
	free(conf->co_dir);
	conf->co_dir = scratch_path("%s", folder);
	if (mkdir(conf->co_dir, 0700) != 0)
		abort();
}

/* Make such settings, and their store; store_close() closes it. */
static inline struct store *scratch_store(struct conf *conf, const char *folder)
{
	struct err err;

	scratch_conf(conf, folder);
	struct store *store = store_open(conf, true, &err);
	if (!store)
		abort();
	return store;
}

/* Write a row of the facts, or delete it if it is empty; it is freed. */
static inline void scratch_store_put(struct store *store,
    enum store_table table, const void *key, size_t key_len, struct buf *row)
{
	struct store_txn t;
	struct err err;

	store_write(store, &t, STORE_FACTS);
	if (row->len)
		store_put(&t, table, key, key_len, row->data, row->len);
	else
		store_delete(&t, table, key, key_len);
	if (store_commit(&t, &err) != 0)
		abort();
	buf_fini(row);
}

#endif
