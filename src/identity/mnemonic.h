/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_MNEMONIC_H
#define IDENTITY_MNEMONIC_H

/*
 * A recovery phrase: words that stand for a key (BIP-39, English). From the
 * phrase comes a seed, from the seed a tree of keys (SLIP-0010 for Ed25519),
 * and in that tree the key of an agent lies at a path that its account's URI
 * names (SLIP-0013). Whoever has the phrase has the key: callers wipe it with
 * mnemonic_wipe(). Pure but for mnemonic_make(); sodium_init() comes first.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Room for a phrase that we make: 12 words of up to 8 letters, with a NUL. */
#define MNEMONIC_SIZE 108

/* Longest text that can be a phrase: 24 words. */
#define MNEMONIC_MAX 215

/* A new phrase with 128 random bits. */
void mnemonic_make(char phrase[MNEMONIC_SIZE]);

/* The phrase that stands for these 128 bits. */
void mnemonic_encode(char phrase[MNEMONIC_SIZE], const uint8_t entropy[16]);

/*
 * Whether it is a phrase: 12, 15, 18, 21 or 24 words of the list, in lower
 * case, with one space between two, whose checksum is right.
 */
bool mnemonic_is_valid(const char *phrase);

/*
 * The key of an agent, an Ed25519 seed. Takes some milliseconds. Returns 0, or
 * -1 with ERR_CONFIG "Invalid recovery phrase".
 */
int mnemonic_key(uint8_t key[32], const char *phrase, struct err *err);

/* Overwrite n bytes that were secret. */
void mnemonic_wipe(void *secret, size_t n);

#endif
