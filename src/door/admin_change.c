/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/admin_change.h"

#include "access/access.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "core/err.h"
#include "identity/address.h"

#include <string.h>

static bool is_of_admins(enum lists_action action)
{
	return action == LISTS_ADD_ADMIN || action == LISTS_REMOVE_ADMIN;
}

int admin_change_may(
    const struct caller *caller, enum lists_action action, struct err *err)
{
	if (is_of_admins(action) && !caller->is_super)
		return err_set(
		    err, ERR_FORBIDDEN, "forbidden: super admin only");
	if (!caller->is_admin)
		return err_set(err, ERR_FORBIDDEN, "forbidden: admin only");
	return 0;
}

/* ---- the subject ---- */

static const char *member_of(const struct lists_change *change)
{
	return is_of_admins(change->action) ? "admin_id" : "client_id";
}

/*
 * Addresses are written in their one canonical spelling, since lists compare
 * them as text.
 */
int admin_change_name(
    struct lists_change *change, const char *name, size_t len, struct err *err)
{
	char address[ADDRESS_SIZE];
	if (!len)
		return err_set(
		    err, ERR_BAD_REQUEST, "%s required", member_of(change));
	if (address_parse(name, len, address)) {
		memcpy(change->id, address, sizeof address);
		return 0;
	}
	/*
	 * A name that is not an address may be listed, although nobody can sign
	 * with it.
	 */
	if (change->action == LISTS_ADD_ADMIN || !lists_id_is_valid(name, len))
		return err_set(
		    err, ERR_BAD_REQUEST, "%s invalid", member_of(change));
	memcpy(change->id, name, len);
	change->id[len] = 0;
	return 0;
}

static bool is_absent(const struct json *v)
{
	bool is_true = true;
	(void)json_bool(v, &is_true);
	return json_type(v) == JSON_NULL || !is_true;
}

/* Keep as much of the reason as fits. */
static void take_reason(struct lists_change *change, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0, n = 0, next;
	const char *s = json_str(v, &scratch, &len);
	while (n < len && (next = utf8_len(s + n, len - n)) > 0 &&
	       n + next <= LISTS_ID_MAX && s[n])
		n += next;
	if (n)
		memcpy(change->reason, s, n);
	change->reason[n] = 0;
	buf_fini(&scratch);
}

int admin_change_read(
    struct lists_change *change, const struct json *payload, struct err *err)
{
	const struct json *who = json_get(payload, member_of(change));
	struct buf scratch = {0};
	size_t len = 0;
	const char *name = json_str(who, &scratch, &len);
	int rc;
	if (!name && !is_absent(who))
		rc = err_set(
		    err, ERR_BAD_REQUEST, "%s invalid", member_of(change));
	else
		rc = admin_change_name(change, name, len, err);
	take_reason(change, json_get(payload, "reason"));
	buf_fini(&scratch);
	return rc;
}

/* ---- the answer ---- */

void admin_change_put(struct buf *out, const struct lists_change *change,
    const struct lists_result *result)
{
	if (change->action == LISTS_LEVEL) {
		buf_str(out, "\"client_id\":");
		buf_json_str(out, change->id);
	} else {
		buf_str(out, result->is_done ? "\"success\":true,\"message\":"
					     : "\"error\":");
		buf_json_str(out, result->message);
	}
	if (result->has_level)
		buf_printf(
		    out, ",\"level\":\"%s\"", lists_level_word(result->level));
	if (result->was_overridden)
		buf_str(out, ",\"warning\":\"another line of the lists "
			     "still matches\"");
}
