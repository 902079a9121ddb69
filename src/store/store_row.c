/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "store/store_int.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "core/stat.h"

#include <stdatomic.h>
#include <string.h>

/* The interval at which repeated damage is logged; all of it is counted. */
#define TELL_MS 10000

/* The number of bytes of a key shown in the log. */
#define SHOWN_BYTES 24

typedef uint32_t row_sum;

/*
 * Covers table and key as well: a row in the place of another is damage, too.
 */
static row_sum sum_of(
    enum store_table table, const MDB_val *key, const void *value, size_t len)
{
	const char *name = store_table_name(table);
	row_sum sum = enc_crc32c(0, name, strlen(name));
	sum = enc_crc32c(sum, key->mv_data, key->mv_size);
	return enc_crc32c(sum, value, len);
}

int store_row_put(MDB_txn *txn, MDB_dbi dbi, struct store_row *row)
{
	row_sum sum = sum_of(row->table, &row->key, row->value, row->len);
	MDB_val v = {.mv_size = row->len + sizeof sum};
	int rc = mdb_put(txn, dbi, &row->key, &v, row->flags | MDB_RESERVE);
	if (rc)
		return rc;
	if (row->len)
		memcpy(v.mv_data, row->value, row->len);
	memcpy((char *)v.mv_data + row->len, &sum, sizeof sum);
	return 0;
}

static void note_damage(enum store_table table, const MDB_val *key)
{
	static atomic_llong told_ms;
	char hex[2 * SHOWN_BYTES + 1];
	size_t n = key->mv_size < SHOWN_BYTES ? key->mv_size : SHOWN_BYTES;
	long long now = clock_mono_ms(), before = atomic_load(&told_ms);
	stat_add(corrupt, 1);
	if ((before && now - before < TELL_MS) ||
	    !atomic_compare_exchange_strong(&told_ms, &before, now))
		return;
	enc_hex(hex, key->mv_data, n);
	log_error("store: a row of table %s is damaged and is left out "
		  "key=%s (others within %d s are counted only)",
	    store_table_name(table), hex, TELL_MS / 1000);
}

bool store_row_view(enum store_table table, const MDB_val *key,
    const MDB_val *stored, struct store_span *value)
{
	row_sum sum;
	*value = (struct store_span){NULL, 0};
	if (stored->mv_size >= sizeof sum) {
		size_t len = store_row_len(stored);
		memcpy(&sum, (char *)stored->mv_data + len, sizeof sum);
		if (sum == sum_of(table, key, stored->mv_data, len)) {
			*value = (struct store_span){stored->mv_data, len};
			return true;
		}
	}
	note_damage(table, key);
	return false;
}

size_t store_row_len(const MDB_val *stored)
{
	size_t n = stored->mv_size;
	return n > sizeof(row_sum) ? n - sizeof(row_sum) : 0;
}
