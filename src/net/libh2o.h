/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_LIBH2O_H
#define NET_LIBH2O_H

/*
 * The HTTP library, and the differences between its releases: 2.2.5, which
 * Debian 12 has, and upstream's current sources (library version 0.16);
 * configure tells them apart (HAVE_H2O_SENDVEC). Private to net/, which
 * includes h2o only through this header.
 *
 * The releases have no common way from a request to its socket: http_conn_of()
 * finds our connection by the list of hosts that it was accepted with.
 */
/*
 * Selects the event loop that libh2o-evloop was built with; without these the
 * headers describe a different library.
 */
#define H2O_USE_EPOLL 1
#define H2O_USE_LIBUV 0
#include <h2o.h>
#include <h2o/http1.h>
#include <h2o/version.h>

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>

/* One piece of a reply on its way through a filter. */
#ifdef HAVE_H2O_SENDVEC
typedef h2o_sendvec_t libh2o_piece;
#else
typedef h2o_iovec_t libh2o_piece;
#endif

/* Returns a piece with these bytes, which must outlive the reply. */
static inline libh2o_piece libh2o_piece_of(const char *bytes, size_t len)
{
#ifdef HAVE_H2O_SENDVEC
	h2o_sendvec_t piece;
	h2o_sendvec_init_raw(&piece, bytes, len);
	return piece;
#else
	return h2o_iovec_init(bytes, len);
#endif
}

/* Allocate memory that is freed with the request. */
static inline void *libh2o_alloc(h2o_req_t *q, size_t size)
{
#ifdef HAVE_H2O_SENDVEC
	return h2o_mem_alloc_pool_aligned(&q->pool, alignof(max_align_t), size);
#else
	return h2o_mem_alloc_pool(&q->pool, size);
#endif
}

/*
 * Add a filter to this request's reply; its struct begins with an
 * h2o_ostream_t.
 */
static inline void *libh2o_add_ostream(
    h2o_req_t *q, size_t size, h2o_ostream_t **slot)
{
#ifdef HAVE_H2O_SENDVEC
	return h2o_add_ostream(q, alignof(max_align_t), size, slot);
#else
	return h2o_add_ostream(q, size, slot);
#endif
}

/*
 * Whether the writer of a reply of unknown length has to frame its chunks: the
 * filter of 2.2.5 would delay the head until the first byte of the body.
 */
static inline bool libh2o_leaves_chunks_to_us(const h2o_req_t *q)
{
#ifdef HAVE_H2O_SENDVEC
	(void)q;
	return false;
#else
	return q->version >= 0x101;
#endif
}

/*
 * Returns the bytes that followed the head of an upgrade request and are not in
 * the socket's buffer; they live as long as the request.
 */
static inline h2o_iovec_t libh2o_early_bytes(const h2o_req_t *q)
{
#ifdef HAVE_H2O_SENDVEC
	return q->entity;
#else
	(void)q;
	return h2o_iovec_init(NULL, 0);
#endif
}

/*
 * Returns the bytes that a request began with, its head and more, while its
 * handler is being called; {NULL, 0} if they are gone. Upstream's release has
 * dropped them by then if a body came, or something that may be one, as after
 * an upgrade.
 */
static inline h2o_iovec_t libh2o_head(
    const h2o_req_t *q, const h2o_socket_t *sock)
{
#ifdef HAVE_H2O_SENDVEC
	/* The body's reader stays there until the reply has been sent. */
	if (q->write_req.cb || q->is_tunnel_req)
		return h2o_iovec_init(NULL, 0);
#else
	(void)q;
#endif
	return h2o_iovec_init(sock->input->bytes, sock->input->size);
}

/*
 * Returns how many bytes of an incomplete body are not in the socket's buffer.
 * Upstream's release moves them out of it as they come.
 */
static inline size_t libh2o_body_bytes(const h2o_req_t *q)
{
#ifdef HAVE_H2O_SENDVEC
	/* A generator exists once the reply has begun. */
	return q->_generator ? 0 : q->req_body_bytes_received;
#else
	(void)q;
	return 0;
#endif
}

/*
 * Whether a reply was made by a handler and not by the library. 2.2.5 does not
 * tell, and sends its own replies through the fallback path, which has no
 * handler.
 */
static inline bool libh2o_is_handled(const h2o_req_t *q)
{
#ifdef HAVE_H2O_SENDVEC
	return q->handler != NULL;
#else
	(void)q;
	return false;
#endif
}

/* Call fn for the request, begun or awaited, of each HTTP/1 connection. */
static inline void libh2o_each_request(
    h2o_context_t *context, int (*fn)(h2o_req_t *q, void *arg), void *arg)
{
#ifdef HAVE_H2O_SENDVEC
	H2O_CONN_LIST_FOREACH(h2o_conn_t * conn,
	    ({&context->_conns.active, &context->_conns.idle}),
	    { (void)conn->callbacks->foreach_request(conn, fn, arg); });
#else
	(void)context->globalconf->http1.callbacks.foreach_request(
	    context, fn, arg);
#endif
}

#endif
