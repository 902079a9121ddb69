/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_DOCS_PAGE_H
#define API_DOCS_PAGE_H

/*
 * The page of GET /docs: docs.html as converted to C by scripts/embed at build
 * time.
 */
#include <stddef.h>

/* Its text, NUL-terminated. */
extern const char docs_page_html[];

/* Its length in bytes, without the NUL. */
extern const size_t docs_page_size;

#endif
