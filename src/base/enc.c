/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/enc.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

static const char hex_digits[] = "0123456789abcdef";

/*
 * One more than the value of each hex digit; 0 for all others. The digits of a
 * signature are random, and branches on them would be mispredicted.
 */
static const unsigned char hex_plus_one[256] = {
    ['0'] = 1,
    ['1'] = 2,
    ['2'] = 3,
    ['3'] = 4,
    ['4'] = 5,
    ['5'] = 6,
    ['6'] = 7,
    ['7'] = 8,
    ['8'] = 9,
    ['9'] = 10,
    ['a'] = 11,
    ['b'] = 12,
    ['c'] = 13,
    ['d'] = 14,
    ['e'] = 15,
    ['f'] = 16,
    ['A'] = 11,
    ['B'] = 12,
    ['C'] = 13,
    ['D'] = 14,
    ['E'] = 15,
    ['F'] = 16,
};

/* One more than the value of each base64 character; 0 for all others. */
static const unsigned char base64_plus_one[256] = {
    ['A'] = 1,
    ['B'] = 2,
    ['C'] = 3,
    ['D'] = 4,
    ['E'] = 5,
    ['F'] = 6,
    ['G'] = 7,
    ['H'] = 8,
    ['I'] = 9,
    ['J'] = 10,
    ['K'] = 11,
    ['L'] = 12,
    ['M'] = 13,
    ['N'] = 14,
    ['O'] = 15,
    ['P'] = 16,
    ['Q'] = 17,
    ['R'] = 18,
    ['S'] = 19,
    ['T'] = 20,
    ['U'] = 21,
    ['V'] = 22,
    ['W'] = 23,
    ['X'] = 24,
    ['Y'] = 25,
    ['Z'] = 26,
    ['a'] = 27,
    ['b'] = 28,
    ['c'] = 29,
    ['d'] = 30,
    ['e'] = 31,
    ['f'] = 32,
    ['g'] = 33,
    ['h'] = 34,
    ['i'] = 35,
    ['j'] = 36,
    ['k'] = 37,
    ['l'] = 38,
    ['m'] = 39,
    ['n'] = 40,
    ['o'] = 41,
    ['p'] = 42,
    ['q'] = 43,
    ['r'] = 44,
    ['s'] = 45,
    ['t'] = 46,
    ['u'] = 47,
    ['v'] = 48,
    ['w'] = 49,
    ['x'] = 50,
    ['y'] = 51,
    ['z'] = 52,
    ['0'] = 53,
    ['1'] = 54,
    ['2'] = 55,
    ['3'] = 56,
    ['4'] = 57,
    ['5'] = 58,
    ['6'] = 59,
    ['7'] = 60,
    ['8'] = 61,
    ['9'] = 62,
    ['+'] = 63,
    ['/'] = 64,
};

/* Returns how many padding characters (0 to 2) end the text. */
static size_t padding(const char *s, size_t n)
{
	if (n < 4 || s[n - 1] != '=')
		return 0;
	return s[n - 2] == '=' ? 2 : 1;
}

/* Decode 4 characters into 3 bytes; false if one is not of the alphabet. */
static bool unbase64_group(unsigned char out[3], const char *s)
{
	uint32_t bits = 0;

	for (int i = 0; i < 4; i++) {
		unsigned value = base64_plus_one[(unsigned char)s[i]];
		if (!value)
			return false;
		bits = bits << 6 | (value - 1);
	}
	out[0] = (unsigned char)(bits >> 16);
	out[1] = (unsigned char)(bits >> 8);
	out[2] = (unsigned char)bits;
	return true;
}

/* Processes four bits at a time, for CPUs without the CRC instruction. */
static uint32_t crc_by_table(uint32_t crc, const unsigned char *p, size_t n)
{
	static const uint32_t table[16] = {
	    0x00000000,
	    0x105ec76f,
	    0x20bd8ede,
	    0x30e349b1,
	    0x417b1dbc,
	    0x5125dad3,
	    0x61c69362,
	    0x7198540d,
	    0x82f63b78,
	    0x92a8fc17,
	    0xa24bb5a6,
	    0xb21572c9,
	    0xc38d26c4,
	    0xd3d3e1ab,
	    0xe330a81a,
	    0xf36e6f75,
	};

	while (n--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc_by_instruction(
    uint32_t crc, const unsigned char *p, size_t n)
{
	uint64_t state = crc;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t word;
		memcpy(&word, p, sizeof word);
		state = __builtin_ia32_crc32di(state, word);
	}
	crc = (uint32_t)state;
	if (n & 4) {
		uint32_t word;
		memcpy(&word, p, sizeof word);
		crc = __builtin_ia32_crc32si(crc, word);
		p += 4;
	}
	for (n &= 3; n; n--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}
#endif

void enc_hex(char *out, const void *p, size_t n)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < n; i++) {
		*out++ = hex_digits[bytes[i] >> 4];
		*out++ = hex_digits[bytes[i] & 15];
	}
	*out = '\0';
}

bool enc_unhex(void *out, const char *hex, size_t n)
{
	unsigned char *bytes = out;

	for (size_t i = 0; i < n; i++) {
		/*
		 * The order matters: for a C string that is too short, reading
		 * ends here.
		 */
		unsigned high = hex_plus_one[(unsigned char)hex[2 * i]];
		if (!high)
			return false;
		unsigned low = hex_plus_one[(unsigned char)hex[2 * i + 1]];
		if (!low)
			return false;
		bytes[i] = (unsigned char)((high - 1) << 4 | (low - 1));
	}
	return true;
}

size_t enc_base64_size(const char *s, size_t n)
{
	return n / 4 * 3 - padding(s, n);
}

bool enc_unbase64(void *out, size_t *out_len, const char *s, size_t n)
{
	unsigned char *bytes = out;
	size_t pad = padding(s, n);
	size_t whole = pad ? n / 4 - 1 : n / 4;

	*out_len = 0;
	if (n % 4)
		return false;
	for (size_t i = 0; i < whole; i++) {
		if (!unbase64_group(bytes + 3 * i, s + 4 * i))
			return false;
		*out_len += 3;
	}
	if (!pad)
		return true;

	char last[4] = {'A', 'A', 'A', 'A'};
	unsigned char tail[3];
	memcpy(last, s + n - 4, 4 - pad);
	if (!unbase64_group(tail, last))
		return false;
	memcpy(bytes + *out_len, tail, 3 - pad);
	*out_len += 3 - pad;
	return true;
}

/*
 * libsodium's encoder takes five times as long, so that timing reveals nothing
 * about its input.
 */
void enc_base64(char *out, const void *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *in = p;

	for (; n >= 3; n -= 3, in += 3) {
		uint32_t bits =
		    (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = digits[bits >> 6 & 63];
		*out++ = digits[bits & 63];
	}
	if (n) {
		uint32_t bits =
		    (uint32_t)in[0] << 16 | (n > 1 ? (uint32_t)in[1] << 8 : 0);
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = n > 1 ? digits[bits >> 6 & 63] : '=';
		*out++ = '=';
	}
}

/* Write 4 characters of the plain alphabet in place of those of the other. */
static void plain_group(char out[4], const char *s, size_t n)
{
	memset(out, '=', 4);
	for (size_t i = 0; i < n; i++) {
		bool is_plain = s[i] == '+' || s[i] == '/' || s[i] == '=';
		out[i] = s[i] == '-'   ? '+'
			 : s[i] == '_' ? '/'
			 : is_plain    ? '!'
				       : s[i];
	}
}

/* Whether the bits of the last group that are not part of a byte are 0. */
static bool is_only_spelling(const char *s, size_t n, const unsigned char *tail)
{
	char back[ENC_BASE64URL_SIZE(2)];
	enc_base64url(back, tail, n - 1);
	return memcmp(back, s, n) == 0;
}

bool enc_unbase64url(void *out, size_t *out_len, const char *s, size_t n)
{
	unsigned char *bytes = out;
	char group[4];

	*out_len = 0;
	for (; n >= 4; n -= 4, s += 4, *out_len += 3) {
		plain_group(group, s, 4);
		if (!unbase64_group(bytes + *out_len, group))
			return false;
	}
	if (n == 0)
		return true;
	size_t tail = 0;
	plain_group(group, s, n);
	if (n == 1 || !enc_unbase64(bytes + *out_len, &tail, group, 4) ||
	    !is_only_spelling(s, n, bytes + *out_len))
		return false;
	*out_len += tail;
	return true;
}

void enc_base64url(char *out, const void *p, size_t n)
{
	enc_base64(out, p, n);
	size_t len = ENC_BASE64_SIZE(n) - (3 - n % 3) % 3;
	out[len] = 0;
	for (size_t i = 0; i < len; i++)
		if (out[i] == '+' || out[i] == '/')
			out[i] = out[i] == '+' ? '-' : '_';
}

void enc_random(void *p, size_t n)
{
	char *at = p;

	while (n) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0 && errno != EINTR)
			fatal("random: cannot read the kernel's source: %m");
		if (got > 0) {
			at += got;
			n -= (size_t)got;
		}
	}
}

void enc_uuid(char out[ENC_UUID_SIZE])
{
	unsigned char id[16];
	uint64_t now_ms = (uint64_t)clock_wall_ms();
	char *p = out;

	enc_random(id + 6, sizeof id - 6);
	for (int i = 0; i < 6; i++)
		id[i] = (unsigned char)(now_ms >> (40 - 8 * i));
	id[6] = (unsigned char)(0x70 | (id[6] & 0x0f));
	id[8] = (unsigned char)(0x80 | (id[8] & 0x3f));
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		enc_hex(p, id + i, 1);
		p += 2;
	}
}

bool enc_is_uuid(const char *text, size_t len)
{
	if (len != ENC_UUID_SIZE - 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (enc_uuid_has_dash(i) ? c != '-' : !hex_plus_one[c])
			return false;
	}
	return true;
}

uint32_t enc_crc32c(uint32_t crc, const void *p, size_t n)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return ~crc_by_instruction(~crc, p, n);
#endif
	return ~crc_by_table(~crc, p, n);
}
