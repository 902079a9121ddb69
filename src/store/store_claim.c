/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Claiming a store for one server. */
#include "store/store_int.h"

#include "core/err.h"

int store_claim(struct store *s, uint64_t server, struct err *err)
{
	for (int i = 0; i < STORE_N_PARTS; i++) {
		MDB_env *env = s->parts[i].env;
		int rc = env ? store_server_put(env, server) : 0;
		if (rc)
			return store_error(err, store_file_name(i), rc);
	}
	store_serve(s, server);
	return 0;
}

void store_serve(struct store *s, uint64_t server)
{
	struct err err;
	s->server = server;
	/*
	 * A first read takes a lock for its reader slot, which another process
	 * may hold while it hangs; later reads keep the slot. A failure here
	 * will occur again there, and be reported.
	 */
	for (int i = 0; i < STORE_N_PARTS; i++) {
		struct store_txn t;
		store_read(s, &t, i);
		(void)store_read_end(&t, &err);
	}
}
