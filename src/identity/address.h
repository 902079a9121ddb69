/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef IDENTITY_ADDRESS_H
#define IDENTITY_ADDRESS_H

/*
 * An address names an identity: its Ed25519 public key in hex. Peers spell a
 * key in several ways; only the canonical spelling, "0x" and 64 lower-case hex
 * digits, may be compared, listed or stored. Pure functions; safe from any
 * thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for an address: "0x", 64 hex digits, NUL. */
#define ADDRESS_SIZE 67

/*
 * Whether the len bytes at s are 64 hex digits of either case, with or without
 * "0x". If so, out gets the canonical spelling, else "". It does not check
 * whether the key is a point that may sign; signed_verify() does.
 */
bool address_parse(const char *s, size_t len, char out[ADDRESS_SIZE]);

/* Decode the public key from a canonical address. */
void address_key(const char *address, uint8_t key[32]);

#endif
