/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_MNEMONIC_H
#define IDENTITY_MNEMONIC_H

/*
 * A recovery phrase: words that encode a key (BIP-39, English). The phrase
 * yields a seed, the seed a tree of keys (SLIP-0010 for Ed25519), and in that
 * tree the key of an agent lies at a path given by its account's URI
 * (SLIP-0013). Whoever has the phrase has the key: callers must erase it by
 * mnemonic_wipe(). Pure functions except mnemonic_make(). sodium_init() must be
 * called first.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Room for a phrase that we make: 12 words of up to 8 letters, with a NUL. */
#define MNEMONIC_SIZE 108

/* The longest text that can be a phrase: 24 words. */
#define MNEMONIC_MAX 215

/* Create a phrase with 128 random bits. */
void mnemonic_make(char phrase[MNEMONIC_SIZE]);

/* Write the phrase that encodes these 128 bits. */
void mnemonic_encode(char phrase[MNEMONIC_SIZE], const uint8_t entropy[16]);

/*
 * Whether it is a valid phrase: 12, 15, 18, 21 or 24 words of the list, in
 * lower case, separated by single spaces, with a correct checksum.
 */
bool mnemonic_is_valid(const char *phrase);

/*
 * Derive the key of an agent, an Ed25519 seed. Takes some milliseconds. Returns
 * 0, or -1 with ERR_CONFIG "Invalid recovery phrase".
 */
int mnemonic_key(uint8_t key[32], const char *phrase, struct err *err);

/* Overwrite n secret bytes. */
void mnemonic_wipe(void *secret, size_t n);

#endif
