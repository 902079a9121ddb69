/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "socketio/eio_request.h"

#include "base/buf.h"

static bool span_is(struct span s, const char *text)
{
	return s.text && s.len == strlen(text) &&
	       memcmp(s.text, text, s.len) == 0;
}

struct span eio_query_find(const char *query, const char *key)
{
	size_t len = strlen(key);
	for (const char *at = query; *at;) {
		size_t pair = strcspn(at, "&");
		if (pair >= len && memcmp(at, key, len) == 0) {
			if (pair == len)
				return (struct span){at + len, 0};
			if (at[len] == '=')
				return (struct span){
				    at + len + 1, pair - len - 1};
		}
		at += pair;
		at += *at == '&';
	}
	return (struct span){0};
}

/* Returns false if there is no transport of this name. */
static bool read_transport(
    enum eio_transport *transport, const struct eio_request *request)
{
	struct span name = eio_query_find(request->query, "transport");
	*transport = request->is_websocket ? EIO_WEBSOCKET : EIO_POLLING;
	if (!name.text)
		return true;
	*transport = span_is(name, "websocket") ? EIO_WEBSOCKET : EIO_POLLING;
	return *transport == EIO_WEBSOCKET || span_is(name, "polling");
}

enum eio_error eio_request_read(
    struct eio_wish *wish, const struct eio_request *request)
{
	struct span version = eio_query_find(request->query, "EIO");
	wish->sid = eio_query_find(request->query, "sid");
	if (!read_transport(&wish->transport, request))
		return EIO_TRANSPORT_UNKNOWN;
	if (!wish->sid.text && !request->is_get)
		return EIO_BAD_METHOD;
	if ((wish->transport == EIO_WEBSOCKET) != request->is_websocket)
		return EIO_BAD_REQUEST;
	if (!wish->sid.text && !span_is(version, "4"))
		return EIO_BAD_VERSION;
	return EIO_FINE;
}

static const char *const messages[] = {
    [EIO_TRANSPORT_UNKNOWN] = "Transport unknown",
    [EIO_SESSION_UNKNOWN] = "Session ID unknown",
    [EIO_BAD_METHOD] = "Bad handshake method",
    [EIO_BAD_REQUEST] = "Bad request",
    [EIO_FORBIDDEN] = "Forbidden",
    [EIO_BAD_VERSION] = "Unsupported protocol version",
};

int eio_error_status(enum eio_error error)
{
	return error == EIO_FORBIDDEN ? 403 : 400;
}

void eio_put_error(struct buf *out, enum eio_error error)
{
	buf_printf(out, "{\"code\":%d,\"message\":\"%s\"}", (int)error,
	    messages[error]);
}
