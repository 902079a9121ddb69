/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef TRUST_IDENT_H
#define TRUST_IDENT_H

/*
 * Who we are: the key of this agent and its address, and the digest that names
 * things by their content. The key lies in .co/keys/agent.key as 32 raw bytes,
 * an Ed25519 seed (RFC 8032 section 5.1.5). A recovery phrase is not made yet:
 * the seed is random.
 */
#include <stddef.h>
#include <stdint.h>

struct err;

/* Room for an address: "0x", 64 hex digits, NUL. */
#define IDENT_ADDRESS_SIZE 67

/*
 * The address of the key of this project: co_dir/keys/agent.key, else
 * home/.co/keys/agent.key (home may be NULL), else a new key is made in
 * co_dir/keys (0700, the file 0600). Returns 0, or -1 with ERR_CONFIG: a key
 * file of the wrong size is named and never overwritten.
 */
int ident_load(const char *co_dir, const char *home,
    char address[IDENT_ADDRESS_SIZE], struct err *err);

/* BLAKE2b-128 of n bytes. */
void ident_digest16(uint8_t out[16], const void *p, size_t n);

#endif
