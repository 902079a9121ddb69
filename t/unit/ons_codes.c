/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Codes of programs that wait to be let in: their way from the program over the
 * user to the tokens, how long they are good, and who makes room.
 */
#include "onsembl/ons_codes.h"

#include "core/heritage.h"
#include "proc/shm.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

#include <ctype.h>
#include <string.h>

#define MILLISECONDS 1000

static struct ons_codes *codes;

static void make_codes(void)
{
	size_t at = (sizeof(struct heritage) + 63) / 64 * 64, size;
	int fd = shm_create("codes-test", at + ons_codes_bytes());
	struct heritage *h = fd < 0 ? NULL : shm_map(fd, &size);
	if (!h)
		abort();
	(void)close(fd); /* the map stays */
	h->codes_at = at;
	ons_codes_make(h);
	ons_codes_make(h); /* the second does nothing */
	codes = ons_codes_of(h);
}

static enum ons_code_state enter_as(const char *code, const char *user)
{
	struct ons_claims claims = {.org = "acme"};
	(void)snprintf(claims.user, sizeof claims.user, "%s", user);
	return ons_codes_enter(codes, code, strlen(code), &claims);
}

static enum ons_code_state ask_for(const char *code, struct ons_claims *claims)
{
	*claims = (struct ons_claims){.user = ""};
	return ons_codes_ask(codes, code, strlen(code), claims);
}

static void test_way(void)
{
	struct ons_code_pair pair;
	struct ons_claims claims;
	char typed[16];
	is_int(ons_codes_add(codes, "10.0.0.1", &pair), ONS_CODE_GOOD,
	    "a program is given a pair of codes");
	is_int(strlen(pair.device), ONS_CODE_DEVICE - 1,
	    "the code of a program has 32 characters");
	is_int(strlen(pair.user), ONS_CODE_USER - 1,
	    "the code of a user has 6 characters");
	ok(!strpbrk(pair.user, "01IO"),
	    "the code of a user has no letters that look like digits");
	is_int(ask_for(pair.device, &claims), ONS_CODE_PENDING,
	    "a program waits while nobody has entered its code");
	is_int(ask_for(pair.device, &claims), ONS_CODE_SLOW,
	    "a program that asks again at once is told to be slow");
	pass_ms(ONS_CODES_INTERVAL_S * MILLISECONDS);
	is_int(ask_for(pair.device, &claims), ONS_CODE_PENDING,
	    "a program that asks after its interval is not slowed");
	is_int(enter_as("AAAAAA", "ann"), ONS_CODE_UNKNOWN,
	    "a code that was not given is unknown");
	is_int(enter_as(pair.device, "ann"), ONS_CODE_UNKNOWN,
	    "the code of the program is none of a user");
	(void)snprintf(
	    typed, sizeof typed, "%.3s-%s ", pair.user, pair.user + 3);
	for (char *p = typed; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	is_int(enter_as(typed, "ann"), ONS_CODE_GOOD,
	    "a code may be typed in small letters and groups");
	is_int(enter_as(pair.user, "eve"), ONS_CODE_TAKEN,
	    "a code is entered once");
	is_int(ask_for(pair.device, &claims), ONS_CODE_GOOD,
	    "a program whose code was entered is let in");
	is_str(claims.user, "ann", "the program gets the user who entered");
	is_str(claims.org, "acme", "the program gets the organisation");
	is_int(ask_for(pair.device, &claims), ONS_CODE_UNKNOWN,
	    "a code lets a program in once");
	is_int(ask_for(pair.user, &claims), ONS_CODE_UNKNOWN,
	    "the code of the user lets nobody in");
}

static void test_age(void)
{
	struct ons_code_pair pair;
	struct ons_claims claims;
	(void)ons_codes_add(codes, "10.0.0.1", &pair);
	pass_ms((ONS_CODES_TTL_S - 1) * MILLISECONDS);
	is_int(ask_for(pair.device, &claims), ONS_CODE_PENDING,
	    "a code is good for almost ten minutes");
	pass_ms(2 * MILLISECONDS);
	is_int(ask_for(pair.device, &claims), ONS_CODE_EXPIRED,
	    "a program is told that its code has expired");
	is_int(enter_as(pair.user, "ann"), ONS_CODE_EXPIRED,
	    "a user is told that the code has expired");
}

static void test_room(void)
{
	struct ons_code_pair first, pair;
	struct ons_claims claims;
	char place[16];
	(void)ons_codes_add(codes, "10.0.0.9", &first);
	pass_ms(MILLISECONDS);
	for (int i = 0; i < ONS_CODES_PEER; i++)
		(void)ons_codes_add(codes, "10.0.0.9", &pair);
	is_int(ask_for(first.device, &claims), ONS_CODE_UNKNOWN,
	    "the oldest code of a place makes room for its next");
	is_int(ask_for(pair.device, &claims), ONS_CODE_PENDING,
	    "the newest code of a place is good");
	enum ons_code_state state = ONS_CODE_GOOD;
	int n = ONS_CODES_PEER;
	for (; n <= ONS_CODES_MAX && state == ONS_CODE_GOOD; n++) {
		(void)snprintf(
		    place, sizeof place, "10.1.%d.%d", n / 256, n % 256);
		state = ons_codes_add(codes, place, &first);
	}
	is_int(state, ONS_CODE_FULL, "a full table refuses a new place");
	is_int(ask_for(pair.device, &claims), ONS_CODE_SLOW,
	    "a full table keeps the codes of others");
	is_int(ons_codes_add(codes, "10.0.0.9", &pair), ONS_CODE_GOOD,
	    "a place with many codes replaces one in a full table");
	pass_ms(ONS_CODES_TTL_S * MILLISECONDS + 1);
	is_int(ons_codes_add(codes, "10.2.0.0", &pair), ONS_CODE_GOOD,
	    "codes that have expired make room");
}

static void test_guesses(void)
{
	struct ons_code_pair pair;
	char code[ONS_CODE_USER];
	(void)ons_codes_add(codes, "10.3.0.1", &pair);
	for (int i = 0; i < ONS_CODES_GUESSES; i++) {
		(void)snprintf(code, sizeof code, "AAA0%02d", i);
		(void)enter_as(code, "eve");
	}
	is_int(enter_as("AAAAAA", "eve"), ONS_CODE_GUESSED,
	    "a user who has entered many unknown codes has to wait");
	is_int(enter_as(pair.user, "eve"), ONS_CODE_GUESSED,
	    "a user who has to wait cannot enter a code that exists");
	is_int(enter_as("AAAAAA", "ann"), ONS_CODE_UNKNOWN,
	    "the guesses of one user do not stop another");
	pass_ms((ONS_CODES_TTL_S - 1) * MILLISECONDS);
	is_int(enter_as("AAAAAA", "eve"), ONS_CODE_GUESSED,
	    "the wait goes on for almost ten minutes");
	pass_ms(MILLISECONDS + 1);
	(void)ons_codes_add(codes, "10.3.0.1", &pair);
	is_int(enter_as(pair.user, "eve"), ONS_CODE_GOOD,
	    "a user who has waited can enter a code");
}

int main(void)
{
	follow_clock();
	make_codes();
	test_way();
	test_age();
	test_room();
	test_guesses();
	return done();
}
