/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/fake_backend.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 64
#define REQUEST_SIZE 65536

struct fake_backend {
	int listener;
	int stop[2]; /* a pipe; its end closes everything */
	char url[64];
	SSL_CTX *tls;
	pthread_t thread;
	pthread_mutex_t lock;
	char *answers[MOST];
	size_t n_answers, n_given;
	char *requests[MOST];
	size_t n_requests;
};

/* A connection, plain or not. */
struct line {
	int fd;
	SSL *ssl;
};

static void must(bool is_good)
{
	if (!is_good)
		abort();
}

/* ---- one connection ---- */

static ssize_t line_read(const struct line *l, char *to, size_t n)
{
	return l->ssl ? SSL_read(l->ssl, to, (int)n) : read(l->fd, to, n);
}

static void line_write(const struct line *l, const char *text)
{
	size_t left = strlen(text);
	while (left) {
		ssize_t n = l->ssl ? SSL_write(l->ssl, text, (int)left)
				   : send(l->fd, text, left, MSG_NOSIGNAL);
		if (n <= 0)
			return; /* the client has left */
		text += n;
		left -= (size_t)n;
	}
}

static bool is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *length = strcasestr(request, "\r\ncontent-length:");
	size_t need = length ? strtoul(length + 17, NULL, 10) : 0;
	return end && strlen(end + 4) >= need;
}

/* The whole request (free()), or NULL. */
static char *read_request(const struct line *l)
{
	char *text = calloc(1, REQUEST_SIZE);
	size_t len = 0;
	must(text != NULL);
	while (!is_whole(text)) {
		ssize_t n = line_read(l, text + len, REQUEST_SIZE - 1 - len);
		if (n <= 0) {
			free(text);
			return NULL;
		}
		len += (size_t)n;
	}
	return text;
}

/* Keep the request; the answer to it (free()), or NULL. */
static char *exchange(struct fake_backend *b, char *request)
{
	char *answer = NULL;
	must(pthread_mutex_lock(&b->lock) == 0);
	must(b->n_requests < MOST);
	b->requests[b->n_requests++] = request;
	if (b->n_given < b->n_answers)
		answer = strdup(b->answers[b->n_given++]);
	must(pthread_mutex_unlock(&b->lock) == 0);
	return answer;
}

/* False: the test is over. */
static bool wait_for(const struct fake_backend *b, int fd)
{
	struct pollfd fds[] = {
	    {.fd = fd, .events = POLLIN}, {.fd = b->stop[0], .events = POLLIN}};
	must(poll(fds, 2, -1) > 0);
	return fds[1].revents == 0;
}

static void talk(struct fake_backend *b, struct line *l)
{
	char *request = read_request(l);
	char *answer = request ? exchange(b, request) : NULL;
	if (answer)
		line_write(l, answer);
	else if (request)
		(void)wait_for(b, l->fd); /* the client leaves */
	free(answer);
}

static void serve(struct fake_backend *b, int fd)
{
	struct line l = {.fd = fd};
	if (b->tls) {
		l.ssl = SSL_new(b->tls);
		must(l.ssl && SSL_set_fd(l.ssl, fd) == 1);
	}
	if (!l.ssl || SSL_accept(l.ssl) == 1)
		talk(b, &l);
	SSL_free(l.ssl);
	(void)close(fd); /* only a client could mind */
}

static void *run(void *arg)
{
	struct fake_backend *b = arg;
	while (wait_for(b, b->listener)) {
		int fd = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve(b, fd);
	}
	return NULL;
}

/* ---- life ---- */

static void make_certificate(SSL_CTX *tls)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	must(key && cert);
	X509_NAME *name = X509_get_subject_name(cert);
	must(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1);
	must(X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL);
	must(X509_gmtime_adj(X509_getm_notAfter(cert), 3600) != NULL);
	must(X509_set_pubkey(cert, key) == 1);
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		 (const unsigned char *)"127.0.0.1", -1, -1, 0) == 1);
	must(X509_set_issuer_name(cert, name) == 1);
	must(X509_sign(cert, key, EVP_sha256()) > 0);
	must(SSL_CTX_use_certificate(tls, cert) == 1);
	must(SSL_CTX_use_PrivateKey(tls, key) == 1);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void open_listener(struct fake_backend *b)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(b->listener >= 0);
	must(bind(b->listener, (struct sockaddr *)&at, len) == 0);
	must(listen(b->listener, MOST) == 0);
	must(getsockname(b->listener, (struct sockaddr *)&at, &len) == 0);
	(void)snprintf(b->url, sizeof b->url, "http%s://127.0.0.1:%d",
	    b->tls ? "s" : "", ntohs(at.sin_port));
}

struct fake_backend *fake_backend(bool is_tls)
{
	struct fake_backend *b = calloc(1, sizeof *b);
	must(b && pipe(b->stop) == 0);
	must(pthread_mutex_init(&b->lock, NULL) == 0);
	if (is_tls) {
		b->tls = SSL_CTX_new(TLS_server_method());
		must(b->tls != NULL);
		make_certificate(b->tls);
	}
	open_listener(b);
	must(pthread_create(&b->thread, NULL, run, b) == 0);
	return b;
}

void fake_backend_free(struct fake_backend **bp)
{
	struct fake_backend *b = *bp;
	*bp = NULL;
	(void)close(b->stop[1]);
	must(pthread_join(b->thread, NULL) == 0);
	(void)close(b->stop[0]);
	(void)close(b->listener);
	for (size_t i = 0; i < b->n_answers; i++)
		free(b->answers[i]);
	for (size_t i = 0; i < b->n_requests; i++)
		free(b->requests[i]);
	SSL_CTX_free(b->tls);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

const char *fake_backend_url(const struct fake_backend *b)
{
	return b->url;
}

void fake_backend_answer(struct fake_backend *b, const char *answer)
{
	must(pthread_mutex_lock(&b->lock) == 0);
	must(b->n_answers < MOST);
	b->answers[b->n_answers++] = strdup(answer);
	must(pthread_mutex_unlock(&b->lock) == 0);
}

void fake_backend_json(struct fake_backend *b, const char *body)
{
	char *answer;
	must(asprintf(&answer,
		 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		 "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
		 strlen(body), body) > 0);
	fake_backend_answer(b, answer);
	free(answer);
}

size_t fake_backend_count(struct fake_backend *b)
{
	must(pthread_mutex_lock(&b->lock) == 0);
	size_t n = b->n_requests;
	must(pthread_mutex_unlock(&b->lock) == 0);
	return n;
}

const char *fake_backend_request(struct fake_backend *b, size_t n)
{
	must(pthread_mutex_lock(&b->lock) == 0);
	const char *text = n < b->n_requests ? b->requests[n] : "";
	must(pthread_mutex_unlock(&b->lock) == 0);
	return text;
}
