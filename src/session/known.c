/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/known.h"

#include "base/clock.h"
#include "core/conf.h"
#include "session/session_int.h"
#include "session/waiting.h"
#include "store/record.h"

#include <string.h>

int known_read(struct sessions *all, const char *id, size_t len,
    struct known *k, struct err *err)
{
	struct store_txn t;
	struct store_span row;
	struct journal_meta meta;
	struct record r;
	*k = (struct known){.has_record = false};
	store_read(all->setup.store, &t, STORE_FACTS);
	/*
	 * A damaged session has an owner that we cannot read: it is not created
	 * again.
	 */
	enum store_found found = store_look(&t, TABLE_IDS, id, len, &row);
	if (found == STORE_FOUND && row.len == 8)
		k->seed.number = store_number(row.data);
	struct store_key key = store_key1(k->seed.number);
	if (k->seed.number)
		found = store_look(&t, TABLE_SESSIONS, key.bytes, 8, &row);
	bool is_damaged = found == STORE_DAMAGED;
	if (found == STORE_FOUND && k->seed.number && record_decode(&r, row)) {
		int64_t now = clock_expiry_ms();
		k->seed.turn = r.turn;
		k->seed.is_running = r.status == RECORD_RUNNING;
		k->has_record = k->seed.is_running || r.expires_ms > now ||
				waiting_is_any(&t, k->seed.number);
		k->is_journal_due =
		    k->has_record && !k->seed.is_running && r.turn &&
		    record_is_in_journal(&r, store_epoch(all->setup.store));
		/*
		 * Its owner keeps it for as long as anything of it is stored.
		 */
		session_caller_key(k->seed.caller, r.caller.data, r.caller.len);
		k->is_fresh =
		    now - r.updated_ms <= all->setup.conf->idle_timeout * 1000;
	}
	if (store_read_end(&t, err) != 0)
		return -1;
	if (is_damaged)
		return err_set(err, ERR_DAMAGED, NULL);
	if (!k->seed.number)
		return 0;
	store_read(all->setup.store, &t, STORE_JOURNAL);
	(void)journal_meta(&t, k->seed.number, &meta);
	/*
	 * All processes died between the two commits of an end: it must be
	 * completed.
	 */
	if (k->is_journal_due && meta.ended < k->seed.turn)
		k->seed.is_running = true;
	journal_seed(&k->seed, &meta);
	return store_read_end(&t, err);
}

enum session_status known_status(const struct known *k)
{
	if (k->seed.is_running)
		return SESSION_RUNNING;
	return k->has_record && k->is_fresh ? SESSION_CONNECTED : SESSION_NEW;
}

bool known_is_nobodys(const struct known *k)
{
	static const uint8_t nobody[REGISTRY_KEY];
	return memcmp(k->seed.caller, nobody, REGISTRY_KEY) == 0;
}

bool known_is_foreign(const struct known *k, const uint8_t caller[REGISTRY_KEY])
{
	return !known_is_nobodys(k) &&
	       memcmp(k->seed.caller, caller, REGISTRY_KEY) != 0;
}
