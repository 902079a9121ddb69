/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_LIBH2O_H
#define NET_LIBH2O_H

/*
 * The library, and what differs between its releases: 2.2.5, which Debian 12
 * has, and upstream's current sources (library version 0.16), which configure
 * tells apart (HAVE_H2O_SENDVEC). Private to net/, which includes h2o by this
 * header alone.
 *
 * A request's socket has no common way out of both: http_conn_of() finds our
 * connection by the list of hosts that it was accepted with.
 */
/* The event loop that libh2o-evloop was built with; without these the headers
 * describe another library. */
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

/* A piece of these bytes, which must outlive the reply. */
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

/* Memory that is freed with the request. */
static inline void *libh2o_alloc(h2o_req_t *q, size_t size)
{
#ifdef HAVE_H2O_SENDVEC
	return h2o_mem_alloc_pool_aligned(&q->pool, alignof(max_align_t), size);
#else
	return h2o_mem_alloc_pool(&q->pool, size);
#endif
}

/* A filter of this request's reply; its struct begins with a h2o_ostream_t. */
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
 * Whether a reply of unknown length is framed in chunks by its writer: the
 * filter of 2.2.5 would hold the head back until the first byte of the body.
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
 * What came behind the head of a request that asks for an upgrade and is not in
 * the socket's buffer; it lives as long as the request.
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
 * The bytes that a request began with, its head and more, while its handler is
 * being called; {NULL, 0} when they are gone. Upstream's release has dropped
 * them by then where a body came, or what may be one, as behind an upgrade.
 */
static inline h2o_iovec_t libh2o_head(
    const h2o_req_t *q, const h2o_socket_t *sock)
{
#ifdef HAVE_H2O_SENDVEC
	/* The body's reader is left there until the reply has gone. */
	if (q->write_req.cb || q->is_tunnel_req)
		return h2o_iovec_init(NULL, 0);
#else
	(void)q;
#endif
	return h2o_iovec_init(sock->input->bytes, sock->input->size);
}

/*
 * Bytes of a body on its way that are not in the socket's buffer. Upstream's
 * release moves them from there as they come.
 */
static inline size_t libh2o_body_bytes(const h2o_req_t *q)
{
#ifdef HAVE_H2O_SENDVEC
	/* A generator is there when the reply has begun. */
	return q->_generator ? 0 : q->req_body_bytes_received;
#else
	(void)q;
	return 0;
#endif
}

/*
 * Whether a reply is a handler's, and not the library's own. 2.2.5 does not
 * tell, and sends its own through the fallback path, where no handler is.
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
