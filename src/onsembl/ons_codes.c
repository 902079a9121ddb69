/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_codes.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "core/heritage.h"
#include "identity/digest.h"
#include "proc/shm.h"

#include <ctype.h>
#include <stdatomic.h>
#include <string.h>

#define MAGIC 0x6f6e73636f646531ull

/* How long a loop waits for the lock, which is held for microseconds. */
#define WAIT_US 200000

#define MILLISECONDS 1000

/* A program's own clock may be a little fast. */
#define EARLY_MS 500

struct code {
	int64_t until_ms; /* 0: free; set last */
	int64_t asked_ms; /* 0: not yet */
	uint8_t device[DIGEST_SIZE];
	uint64_t place;
	char user_code[ONS_CODE_USER];
	bool is_entered;
	char user[ONS_USER_MAX + 1];
	char org[ONS_USER_MAX + 1];
};

/* A user who has entered codes that do not exist. */
struct guesser {
	uint64_t user;
	int64_t until_ms; /* then they are forgotten */
	unsigned n;
};

/* Of more users than this at once, the one forgotten next makes room. */
#define GUESSERS_MAX 256

struct ons_codes {
	_Atomic uint64_t magic;
	struct shm_lock lock;
	struct code codes[ONS_CODES_MAX];
	struct guesser guessers[GUESSERS_MAX];
};

uint64_t ons_codes_bytes(void)
{
	return sizeof(struct ons_codes);
}

static struct ons_codes *table_of(struct heritage *h)
{
	return (void *)((char *)h + h->codes_at);
}

void ons_codes_make(struct heritage *h)
{
	struct ons_codes *c = table_of(h);
	if (atomic_load(&c->magic) == MAGIC)
		return;
	shm_lock_init(&c->lock);
	atomic_store(&c->magic, MAGIC);
}

struct ons_codes *ons_codes_of(struct heritage *h)
{
	struct ons_codes *c = table_of(h);
	if (atomic_load(&c->magic) != MAGIC)
		panic("codes: the table has not been made");
	return c;
}

/* If the last holder died, an entry may be half written: all are forgotten. */
static bool lock(struct ons_codes *c)
{
	int rc = shm_lock_try(&c->lock, WAIT_US);
	if (rc > 0) {
		memset(c->codes, 0, sizeof c->codes);
		memset(c->guessers, 0, sizeof c->guessers);
	}
	return rc >= 0;
}

static void unlock(struct ons_codes *c)
{
	shm_lock_give(&c->lock);
}

/* ---- a new one ---- */

static void make_pair(struct ons_code_pair *pair)
{
	static const char letters[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	uint8_t device[24], user[ONS_CODE_USER - 1];
	enc_random(device, sizeof device);
	enc_random(user, sizeof user);
	enc_base64url(pair->device, device, sizeof device);
	for (size_t i = 0; i < sizeof user; i++)
		pair->user[i] = letters[user[i] % (sizeof letters - 1)];
	pair->user[sizeof user] = 0;
}

static uint64_t number_of(const char *text)
{
	uint8_t digest[DIGEST_SIZE];
	uint64_t number;
	digest_of(digest, text, strlen(text));
	memcpy(&number, digest, sizeof number);
	return number;
}

/* A free entry; if this place has too many, its oldest. NULL: none. */
static struct code *room_for(struct ons_codes *c, uint64_t place)
{
	struct code *free = NULL, *oldest = NULL;
	int64_t now = clock_wall_ms();
	unsigned n = 0;
	for (size_t i = 0; i < ONS_CODES_MAX; i++) {
		struct code *e = &c->codes[i];
		if (e->until_ms <= now) {
			/* One that has expired is told so for some time. */
			if (!free || e->until_ms < free->until_ms)
				free = e;
			continue;
		}
		if (e->place != place)
			continue;
		n++;
		if (!oldest || e->until_ms < oldest->until_ms)
			oldest = e;
	}
	return n < ONS_CODES_PEER ? free : oldest;
}

enum ons_code_state ons_codes_add(
    struct ons_codes *c, const char *place, struct ons_code_pair *pair)
{
	make_pair(pair);
	if (!lock(c))
		return ONS_CODE_FULL;
	uint64_t number = number_of(place);
	struct code *e = room_for(c, number);
	if (e) {
		*e = (struct code){.place = number};
		digest_of(e->device, pair->device, strlen(pair->device));
		memcpy(e->user_code, pair->user, sizeof e->user_code);
		e->until_ms = clock_wall_ms() + ONS_CODES_TTL_S * MILLISECONDS;
	}
	unlock(c);
	return e ? ONS_CODE_GOOD : ONS_CODE_FULL;
}

/* ---- entering it ---- */

/* In upper case; letters and digits only, since people may group them. */
static void read_user_code(
    char out[ONS_CODE_USER], const char *code, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len && n < ONS_CODE_USER - 1; i++)
		if (isalnum((unsigned char)code[i]))
			out[n++] = (char)toupper((unsigned char)code[i]);
	out[n] = 0;
}

static struct code *find_user_code(struct ons_codes *c, const char *code)
{
	struct code *found = NULL;
	for (size_t i = 0; i < ONS_CODES_MAX; i++) {
		struct code *e = &c->codes[i];
		/* An old one may have been the same. */
		if (e->until_ms && strcmp(e->user_code, code) == 0 &&
		    (!found || found->until_ms < e->until_ms))
			found = e;
	}
	return found;
}

/* The entry of this user, or the one that makes room for it. */
static struct guesser *guesser_of(struct ons_codes *c, uint64_t user)
{
	struct guesser *first = &c->guessers[0];
	for (size_t i = 0; i < GUESSERS_MAX; i++) {
		struct guesser *g = &c->guessers[i];
		if (g->user == user)
			return g;
		if (g->until_ms < first->until_ms)
			first = g;
	}
	*first = (struct guesser){.user = user};
	return first;
}

static bool has_guessed(const struct guesser *g)
{
	return g->n >= ONS_CODES_GUESSES && clock_wall_ms() < g->until_ms;
}

static void count_guess(struct guesser *g)
{
	int64_t now = clock_wall_ms();
	if (g->until_ms <= now) {
		g->until_ms = now + ONS_CODES_TTL_S * MILLISECONDS;
		g->n = 0;
	}
	g->n++;
}

static enum ons_code_state enter(
    struct code *e, const struct ons_claims *claims)
{
	if (!e)
		return ONS_CODE_UNKNOWN;
	if (e->until_ms <= clock_wall_ms())
		return ONS_CODE_EXPIRED;
	if (e->is_entered)
		return ONS_CODE_TAKEN;
	memcpy(e->user, claims->user, sizeof e->user);
	memcpy(e->org, claims->org, sizeof e->org);
	e->is_entered = true;
	return ONS_CODE_GOOD;
}

static enum ons_code_state try_code(
    struct ons_codes *c, const char *code, const struct ons_claims *claims)
{
	struct code *e = find_user_code(c, code);
	struct guesser *g = guesser_of(c, number_of(claims->user));
	if (has_guessed(g))
		return ONS_CODE_GUESSED;
	if (!e)
		count_guess(g);
	return enter(e, claims);
}

enum ons_code_state ons_codes_enter(struct ons_codes *c, const char *code,
    size_t len, const struct ons_claims *claims)
{
	char user_code[ONS_CODE_USER];
	read_user_code(user_code, code, len);
	if (strlen(user_code) != ONS_CODE_USER - 1)
		return ONS_CODE_UNKNOWN;
	if (!lock(c))
		return ONS_CODE_FULL;
	enum ons_code_state state = try_code(c, user_code, claims);
	unlock(c);
	return state;
}

/* ---- asking ---- */

static struct code *find_device(
    struct ons_codes *c, const uint8_t device[DIGEST_SIZE])
{
	for (size_t i = 0; i < ONS_CODES_MAX; i++)
		if (c->codes[i].until_ms &&
		    memcmp(c->codes[i].device, device, DIGEST_SIZE) == 0)
			return &c->codes[i];
	return NULL;
}

static enum ons_code_state ask(struct code *e, struct ons_claims *claims)
{
	int64_t now = clock_wall_ms();
	if (!e)
		return ONS_CODE_UNKNOWN;
	if (e->until_ms <= now)
		return ONS_CODE_EXPIRED;
	if (!e->is_entered) {
		int64_t least = ONS_CODES_INTERVAL_S * MILLISECONDS - EARLY_MS;
		bool is_early = e->asked_ms && now - e->asked_ms < least;
		e->asked_ms = now;
		return is_early ? ONS_CODE_SLOW : ONS_CODE_PENDING;
	}
	memcpy(claims->user, e->user, sizeof claims->user);
	memcpy(claims->org, e->org, sizeof claims->org);
	*e = (struct code){0};
	return ONS_CODE_GOOD;
}

enum ons_code_state ons_codes_ask(struct ons_codes *c, const char *code,
    size_t len, struct ons_claims *claims)
{
	uint8_t device[DIGEST_SIZE];
	digest_of(device, code, len);
	if (!lock(c))
		return ONS_CODE_FULL;
	enum ons_code_state state = ask(find_device(c, device), claims);
	unlock(c);
	return state;
}
