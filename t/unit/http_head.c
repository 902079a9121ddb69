/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Which heads of requests two readers could take differently. */
#include "net/http_head.h"

#include "t/unit/tap.h"

#include <string.h>

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: h\r\n"

int main(void)
{
	static const struct {
		const char *head;
		bool is_1_0;
		const char *fault;
	} cases[] = {
	    {GET HOST "\r\n", false, NULL},
	    {"\r\n" GET HOST "\r\n", false, NULL},
	    {"GET / HTTP/1.1\nhost:h\n\n", false, NULL},
	    {GET HOST "Content-Length: 5\r\n\r\n", false, NULL},
	    {GET HOST "content-length:\t5 \r\n\r\n", false, NULL},
	    {GET HOST "Transfer-Encoding: Chunked\r\n\r\n", false, NULL},
	    {GET HOST "X-Content-Length: a\r\nHosts: b\r\n\r\n", false, NULL},
	    {GET HOST "\r\nHost: in the body\r\n\r\n", false, NULL},
	    {GET "\r\n", true, NULL},
	    {GET "\r\n", false, "Host is missing"},
	    {GET "X: y\r\n\r\nHost: in the body\r\n", false, "Host is missing"},
	    {GET HOST HOST "\r\n", false, "Host is there twice"},
	    {GET HOST "HOST: b\r\n\r\n", true, "Host is there twice"},
	    {GET HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", false,
		"Content-Length is there twice"},
	    {GET HOST "Content-Length: 5\r\nX: y\r\ncontent-length: 6\r\n\r\n",
		false, "Content-Length is there twice"},
	    {GET HOST "Content-Length: 5, 5\r\n\r\n", false,
		"Content-Length is no number"},
	    {GET HOST "Content-Length: +5\r\n\r\n", false,
		"Content-Length is no number"},
	    {GET HOST "Content-Length:\r\n\r\n", false,
		"Content-Length is no number"},
	    {GET HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		false, "Content-Length is there beside Transfer-Encoding"},
	    {GET HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", false,
		"Transfer-Encoding is not chunked"},
	    {GET HOST "Transfer-Encoding: identity\r\n\r\n", false,
		"Transfer-Encoding is not chunked"},
	    {GET HOST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"
		      "\r\n\r\n",
		false, "Transfer-Encoding is not chunked"},
	    {GET HOST "Transfer-Encoding: chunked\r\n\r\n", true,
		"HTTP/1.0 has no Transfer-Encoding"},
	    {GET HOST "Transfer-Encoding:\r\n chunked\r\n\r\n", false,
		"a header goes on in a second line"},
	    {GET HOST "Transfer-Encoding : chunked\r\n\r\n", false,
		"a header has a space before its colon"},
	    {GET HOST ": x\r\n\r\n", false,
		"a header has a space before its colon"},
	    {GET HOST "word\r\n\r\n", false, "a header has no colon"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_str(http_head_fault(cases[i].head, strlen(cases[i].head),
			   cases[i].is_1_0),
		    cases[i].fault, "head %zu is %s", i,
		    cases[i].fault ? cases[i].fault : "fine");
	return done();
}
