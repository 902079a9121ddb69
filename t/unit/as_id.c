/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_id.h"

#include <string.h>

#include "t/unit/tap.h"

#define UUID "01a221d3-6e09-758e-b136-dd567843e915"

static void test_conversations(void)
{
	static const struct {
		const char *name;
		const char *text;
		bool is_one;
	} cases[] = {
	    {"with dashes", UUID, true},
	    {"without dashes", "01a221d36e09758eb136dd567843e915", true},
	    {"in capitals", "01A221D3-6E09-758E-B136-DD567843E915", true},
	    {"with too few digits", "01a221d36e09758eb136dd567843e91", false},
	    {"with a dash elsewhere", "01a221d36-e09-758e-b136-dd567843e915",
		false},
	    {"with another character", "01a221d3-6e09-758e-b136-dd567843e91g",
		false},
	    {"that is empty", "", false},
	};
	char out[ENC_UUID_SIZE], digits[AS_ID_DIGITS];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *text = cases[i].text;
		bool is_one = as_id_read(out, text, strlen(text));
		ok(is_one == cases[i].is_one, "a UUID %s is %s", cases[i].name,
		    cases[i].is_one ? "read" : "refused");
		if (is_one)
			is_str(out, UUID,
			    "a UUID %s gets dashes and lower case",
			    cases[i].name);
	}
	as_id_digits(digits, UUID);
	is_str(
	    digits, "01a221d36e09758eb136dd567843e915", "dashes are removed");
}

static void test_events(void)
{
	static const uint64_t positions[] = {1, 255, 256, (1ull << 56) - 1};
	uint64_t salt = as_id_salt("a", 1, 1), seq;
	char id[ENC_UUID_SIZE], same[ENC_UUID_SIZE];

	for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
		as_id_event(id, salt, positions[i]);
		ok(as_id_event_read(&seq, salt, id, strlen(id)) &&
			seq == positions[i],
		    "position %llu is read from its id",
		    (unsigned long long)positions[i]);
		ok(as_id_read(same, id, strlen(id)) && !strcmp(id, same),
		    "the id of position %llu is a UUID",
		    (unsigned long long)positions[i]);
		ok(id[14] == '8', "the id of position %llu has version 8",
		    (unsigned long long)positions[i]);
	}
	as_id_event(id, salt, 0);
	ok(!as_id_event_read(&seq, salt, id, strlen(id)),
	    "position 0 has no event");
	as_id_event(id, as_id_salt("b", 1, 1), 7);
	ok(!as_id_event_read(&seq, salt, id, strlen(id)),
	    "the id of an event of another session is refused");
	as_id_event(id, as_id_salt("a", 2, 1), 7);
	ok(!as_id_event_read(&seq, salt, id, strlen(id)),
	    "the id of an event of a later session of that id is refused");
	as_id_event(id, as_id_salt("a", 1, 2), 7);
	ok(!as_id_event_read(&seq, salt, id, strlen(id)),
	    "the id of an event of a lost journal is refused");
	ok(!as_id_event_read(&seq, salt, UUID, strlen(UUID)),
	    "another UUID is the id of no event");
}

int main(void)
{
	test_conversations();
	test_events();
	return done();
}
