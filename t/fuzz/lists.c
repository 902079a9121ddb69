/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The first line is an id, the rest a list of any bytes. Looking never fails;
 * an id that may be listed is in a list that it was added to, as one line,
 * which lists nobody else.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "identity/address.h"
#include "access/list_file.h"
#include "access/lists.h"

#define CANARY \
	"0x2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static bool has(const char *list, size_t len, const char *id, bool is_exact)
{
	struct list_file f;
	list_file_init(&f, "", false, is_exact);
	list_file_fill(&f, list, len);
	bool found = list_file_has(&f, id);
	list_file_fini(&f);
	return found;
}

/* An address with other digits in other cases. */
static void check_spellings(
    const char *list, size_t len, const char *id, size_t id_len)
{
	char address[ADDRESS_SIZE];
	if (!address_parse(id, id_len, address))
		return;
	expect(has(list, len, id, false) == has(list, len, address, false));
	expect(list_file_is_entry(id, id_len, address));
}

static void check_adding(const char *list, size_t len, const char *id)
{
	struct buf more = {0};
	bool had_canary = has(list, len, CANARY, false);
	buf_append(&more, list, len);
	buf_char(&more, '\n');
	buf_str(&more, id);
	buf_char(&more, '\n');
	expect(has(more.data, more.len, id, false));
	expect(has(more.data, more.len, id, true));
	expect(list_file_is_entry(id, strlen(id), id));
	if (!list_file_is_entry(id, strlen(id), CANARY))
		expect(has(more.data, more.len, CANARY, false) == had_canary);
	buf_fini(&more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *end = size ? memchr(text, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - text) : 0;
	const char *list = end ? end + 1 : text;
	size_t len = size - (size_t)(list - text);
	char *id = mem_strndup(text ? text : "", n);

	if (!len)
		list = "";
	(void)has(list, len, id, false);
	(void)has(list, len, id, true);
	check_spellings(list, len, id, strlen(id));
	if (lists_id_is_valid(text ? text : "", n))
		check_adding(list, len, id);
	free(id);
	return 0;
}
