/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_id.h"

#include <stdio.h>
#include <string.h>

#define BYTES 16

/* RFC 9562 section 5.8: the version and the variant take 6 bits. */
#define VERSION_8 0x80
#define VARIANT 0x80

static void write_uuid(char out[ENC_UUID_SIZE], const uint8_t b[BYTES])
{
	char hex[AS_ID_DIGITS];
	enc_hex(hex, b, BYTES);
	(void)snprintf(out, ENC_UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex,
	    hex + 8, hex + 12, hex + 16, hex + 20);
}

static bool read_uuid(uint8_t b[BYTES], const char *text, size_t len)
{
	char hex[AS_ID_DIGITS];
	size_t n = 0;
	if (len != 32 && len != 36)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool is_dash_due = len == 36 && enc_uuid_has_dash(i);
		if (is_dash_due != (text[i] == '-'))
			return false;
		if (!is_dash_due)
			hex[n++] = text[i];
	}
	return enc_unhex(b, hex, BYTES);
}

bool as_id_read(char out[ENC_UUID_SIZE], const char *text, size_t len)
{
	uint8_t b[BYTES];
	if (!read_uuid(b, text, len))
		return false;
	write_uuid(out, b);
	return true;
}

void as_id_digits(char out[AS_ID_DIGITS], const char *uuid)
{
	size_t n = 0;
	for (; *uuid && n + 1 < AS_ID_DIGITS; uuid++)
		if (*uuid != '-')
			out[n++] = *uuid;
	out[n] = 0;
}

uint64_t as_id_salt(const char *session, uint64_t number, uint64_t epoch)
{
	uint32_t b = enc_crc32c(0, &epoch, sizeof epoch);
	b = enc_crc32c(b, &number, sizeof number);
	uint32_t a = enc_crc32c(b, session, strlen(session));
	return (uint64_t)a << 32 | b;
}

/* 60 bits of salt and 56 of position; the 6 bits between them are 0. */
static void write_event(uint8_t b[BYTES], uint64_t salt, uint64_t seq)
{
	for (int i = 0; i < 6; i++)
		b[i] = (uint8_t)(salt >> (56 - 8 * i));
	b[6] = (uint8_t)(VERSION_8 | (salt >> 12 & 0xf));
	b[7] = (uint8_t)(salt >> 4);
	b[8] = VARIANT;
	for (int i = 0; i < 7; i++)
		b[9 + i] = (uint8_t)(seq >> (48 - 8 * i));
}

void as_id_event(char out[ENC_UUID_SIZE], uint64_t salt, uint64_t seq)
{
	uint8_t b[BYTES];
	write_event(b, salt, seq);
	write_uuid(out, b);
}

bool as_id_event_read(
    uint64_t *seq, uint64_t salt, const char *text, size_t len)
{
	uint8_t b[BYTES], same[BYTES];
	if (!read_uuid(b, text, len))
		return false;
	*seq = 0;
	for (int i = 9; i < BYTES; i++)
		*seq = *seq << 8 | b[i];
	write_event(same, salt, *seq);
	return *seq && memcmp(b, same, BYTES) == 0;
}
