/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "websocket/ws_tls.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes decrypted at once: one TLS record. */
#define RECORD_BYTES 16384

struct ws_trust {
	SSL_CTX *context;
};

struct ws_tls {
	SSL *ssl; /* owns the two below */
	BIO *in;  /* from the peer */
	BIO *out; /* for the peer */
	bool is_open;
	char why[200];
};

struct ws_trust *ws_trust_open(void)
{
	static const unsigned char http1[] = "\x08http/1.1";
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context)
		return NULL;
	/* Without any authority, each certificate will be refused. */
	(void)SSL_CTX_set_default_verify_paths(context);
	ERR_clear_error();
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	(void)SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	/* A server that also has HTTP/2 must not choose that. */
	(void)SSL_CTX_set_alpn_protos(context, http1, sizeof http1 - 1);
	struct ws_trust *t = mem_zero(sizeof *t);
	t->context = context;
	return t;
}

void ws_trust_close(struct ws_trust **t)
{
	if (!*t)
		return;
	SSL_CTX_free((*t)->context);
	free(*t);
	*t = NULL;
}

/* An address stands in the certificate as such, and is not sent as a name. */
static bool expect_host(SSL *ssl, const char *host)
{
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1)
		return true;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

static void ship(struct ws_tls *t, struct buf *wire)
{
	size_t n = BIO_ctrl_pending(t->out);

	if (!n)
		return;
	int got = BIO_read(t->out, buf_reserve(wire, n), (int)n);
	if (got > 0)
		wire->len += (size_t)got;
}

/* Describe the failure by the verification's result, or the newest error. */
static void note_failure(struct ws_tls *t)
{
	long verdict = SSL_get_verify_result(t->ssl);
	unsigned long error = ERR_peek_last_error();
	const char *reason = error ? ERR_reason_error_string(error) : NULL;

	if (verdict != X509_V_OK)
		(void)snprintf(t->why, sizeof t->why, "its certificate: %s",
		    X509_verify_cert_error_string(verdict));
	else
		(void)snprintf(t->why, sizeof t->why, "TLS: %s",
		    reason ? reason : "the connection was ended");
}

/* Returns whether a result of the library only means that bytes are missing. */
static bool is_hungry(const struct ws_tls *t, int result)
{
	return SSL_get_error(t->ssl, result) == SSL_ERROR_WANT_READ;
}

static bool go_on(struct ws_tls *t)
{
	if (t->is_open)
		return true;
	int result = SSL_do_handshake(t->ssl);
	t->is_open = result == 1;
	return t->is_open || is_hungry(t, result);
}

static bool read_plain(struct ws_tls *t, struct buf *plain)
{
	while (t->is_open) {
		char *room = buf_reserve(plain, RECORD_BYTES);
		int n = SSL_read(t->ssl, room, RECORD_BYTES);
		if (n <= 0)
			return is_hungry(t, n) || SSL_get_error(t->ssl, n) ==
						      SSL_ERROR_ZERO_RETURN;
		plain->len += (size_t)n;
	}
	return true;
}

struct ws_tls *ws_tls_new(
    const struct ws_trust *trust, const char *host, struct buf *wire)
{
	struct ws_tls *t = mem_zero(sizeof *t);

	t->ssl = SSL_new(trust->context);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (!t->ssl || !t->in || !t->out || !expect_host(t->ssl, host))
		fatal("tls: out of memory");
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	(void)go_on(t); /* it has nothing to read yet */
	ship(t, wire);
	return t;
}

void ws_tls_free(struct ws_tls **t)
{
	if (!*t)
		return;
	SSL_free((*t)->ssl);
	free(*t);
	*t = NULL;
}

int ws_tls_feed(struct ws_tls *t, const void *bytes, size_t n,
    struct buf *plain, struct buf *wire, const char **why)
{
	ERR_clear_error();
	if (n > INT_MAX || BIO_write(t->in, bytes, (int)n) != (int)n)
		fatal("tls: out of memory");
	bool is_good = go_on(t) && read_plain(t, plain);
	if (!is_good)
		note_failure(t);
	ERR_clear_error();
	ship(t, wire); /* or an alert that says what is wrong */
	*why = is_good ? NULL : t->why;
	return is_good ? 0 : -1;
}

bool ws_tls_is_open(const struct ws_tls *t)
{
	return t->is_open;
}

void ws_tls_put(struct ws_tls *t, const void *bytes, size_t n, struct buf *wire)
{
	size_t taken = 0;

	ERR_clear_error();
	/* A BIO in memory takes all; a session that failed takes nothing. */
	if (n)
		(void)SSL_write_ex(t->ssl, bytes, n, &taken);
	ERR_clear_error();
	ship(t, wire);
}

void ws_tls_finish(struct ws_tls *t, struct buf *wire)
{
	ERR_clear_error();
	(void)SSL_shutdown(t->ssl);
	ERR_clear_error();
	ship(t, wire);
}
