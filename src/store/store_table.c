/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* The names of the tables and of their files. */
#include "store/store_int.h"

struct table_row {
	const char *name;
	const char *stored_name; /* with the format; see store_convert.c */
	enum store_part part;
};

#define TABLE(name, part)                     \
	{                                     \
		name, name STORE_FORMAT, part \
	}

static const struct table_row table_rows[TABLE_COUNT] = {
    [TABLE_IDS] = TABLE("ids", STORE_FACTS),
    [TABLE_SESSIONS] = TABLE("sessions", STORE_FACTS),
    [TABLE_TALKS] = TABLE("talks", STORE_FACTS),
    [TABLE_TITLES] = TABLE("titles", STORE_FACTS),
    [TABLE_CLAIMS] = TABLE("claims", STORE_FACTS),
    [TABLE_USED] = TABLE("used", STORE_FACTS),
    [TABLE_SPANS] = TABLE("spans", STORE_FACTS),
    [TABLE_FEED] = TABLE("feed", STORE_FACTS),
    [TABLE_USAGE] = TABLE("usage", STORE_FACTS),
    [TABLE_WAITING] = TABLE("waiting", STORE_FACTS),
    [TABLE_DRAFTS] = TABLE("drafts", STORE_FACTS),
    [TABLE_AGENTS] = TABLE("agents", STORE_FACTS),
    [TABLE_JOURNALS] = TABLE("journals", STORE_JOURNAL),
    [TABLE_EVENTS] = TABLE("events", STORE_JOURNAL),
    [TABLE_SPENT] = TABLE("spent", STORE_JOURNAL),
    [TABLE_NOTES] = TABLE("notes", STORE_JOURNAL),
};

static const char *const part_files[STORE_N_PARTS] = {
    [STORE_FACTS] = "facts.mdb",
    [STORE_JOURNAL] = "journal.mdb",
};

const char *store_file_name(enum store_part part)
{
	return part_files[part];
}

const char *store_table_name(enum store_table table)
{
	return table_rows[table].name;
}

const char *store_stored_name(enum store_table table)
{
	return table_rows[table].stored_name;
}

enum store_part store_part_of(enum store_table table)
{
	return table_rows[table].part;
}
