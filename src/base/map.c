/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/map.h"

#include "base/enc.h"
#include "base/log.h"
#include "base/mem.h"

#include <endian.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 16

/*
 * Chains rather than open addressing: map_each() lets its callback remove the
 * entry, and a chain survives that without tombstones.
 */
struct entry {
	struct entry *next;
	void *value;
	uint64_t hash;
	size_t len;
	char key[];
};

struct map {
	struct entry **buckets;
	size_t n_buckets; /* a power of two */
	size_t count;
	uint64_t seed[2];
};

static uint64_t rotl(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

/*
 * SipHash-1-3 with a secret seed: peers choose keys and must not be able to aim
 * at one chain.
 */
static uint64_t hash_key(const struct map *m, const void *key, size_t len)
{
	const char *p = key;
	uint64_t word, last = (uint64_t)len << 56;
	uint64_t v[4] = {
	    m->seed[0] ^ 0x736f6d6570736575u,
	    m->seed[1] ^ 0x646f72616e646f6du,
	    m->seed[0] ^ 0x6c7967656e657261u,
	    m->seed[1] ^ 0x7465646279746573u,
	};

	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		word = le64toh(word);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)(unsigned char)p[i] << (8 * i);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct entry **bucket_of(const struct map *m, uint64_t hash)
{
	return &m->buckets[hash & (m->n_buckets - 1)];
}

/*
 * Returns the address of the pointer to the key's entry, or of the NULL at the
 * end of its chain.
 */
static struct entry **map_find(
    const struct map *m, const void *key, size_t len, uint64_t hash)
{
	struct entry **at = bucket_of(m, hash);

	for (; *at; at = &(*at)->next) {
		struct entry *e = *at;
		if (e->hash == hash && e->len == len &&
		    (!len || !memcmp(e->key, key, len)))
			break;
	}
	return at;
}

static void double_buckets(struct map *m)
{
	struct entry **old = m->buckets;
	size_t n_old = m->n_buckets;

	m->n_buckets *= 2;
	m->buckets = mem_zero(m->n_buckets * sizeof *m->buckets);
	for (size_t i = 0; i < n_old; i++) {
		struct entry *e = old[i];
		while (e) {
			struct entry *next = e->next;
			struct entry **to = bucket_of(m, e->hash);
			e->next = *to;
			*to = e;
			e = next;
		}
	}
	free(old);
}

static struct entry *new_entry(const void *key, size_t len, uint64_t hash)
{
	struct entry *e = mem_alloc(sizeof *e + len);

	*e = (struct entry){.hash = hash, .len = len};
	if (len)
		memcpy(e->key, key, len);
	return e;
}

struct map *map_new(void)
{
	struct map *m = mem_zero(sizeof *m);

	m->n_buckets = FIRST_BUCKETS;
	m->buckets = mem_zero(m->n_buckets * sizeof *m->buckets);
	enc_random(m->seed, sizeof m->seed);
	return m;
}

void map_free(struct map **m)
{
	if (!*m)
		return;
	for (size_t i = 0; i < (*m)->n_buckets; i++) {
		struct entry *e = (*m)->buckets[i];
		while (e) {
			struct entry *next = e->next;
			free(e);
			e = next;
		}
	}
	free((*m)->buckets);
	free(*m);
	*m = NULL;
}

void *map_get(const struct map *m, const void *key, size_t len)
{
	struct entry *e = *map_find(m, key, len, hash_key(m, key, len));

	return e ? e->value : NULL;
}

void *map_put(struct map *m, const void *key, size_t len, void *value)
{
	uint64_t hash = hash_key(m, key, len);
	struct entry *e = *map_find(m, key, len, hash);
	void *old = NULL;

	if (!value)
		panic("map: NULL cannot be told from an absent value");
	if (e) {
		old = e->value;
	} else {
		if (m->count >= m->n_buckets)
			double_buckets(m);
		struct entry **to = bucket_of(m, hash);
		e = new_entry(key, len, hash);
		e->next = *to;
		*to = e;
		m->count++;
	}
	e->value = value;
	return old;
}

void *map_remove(struct map *m, const void *key, size_t len)
{
	struct entry **at = map_find(m, key, len, hash_key(m, key, len));
	struct entry *e = *at;
	if (!e)
		return NULL;

	void *value = e->value;
	*at = e->next;
	free(e);
	m->count--;
	return value;
}

size_t map_count(const struct map *m)
{
	return m->count;
}

int map_each(const struct map *m, int (*fn)(void *value, void *arg), void *arg)
{
	for (size_t i = 0; i < m->n_buckets; i++) {
		struct entry *e = m->buckets[i];
		while (e) {
			struct entry *next = e->next; /* fn may free e */
			int result = fn(e->value, arg);
			if (result)
				return result;
			e = next;
		}
	}
	return 0;
}
