/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_PAGE_ASSETS_H
#define API_PAGE_ASSETS_H

/*
 * The files of the page that people use, sorted by path. web/build.mjs makes
 * page_assets.c of web/ at build time; a build without the page has none.
 */
#include "net/http_asset.h"

#include <stddef.h>

extern const struct http_asset page_assets[];
extern const size_t page_assets_n;

/* A short text that changes with any of them; "" if there are none. */
extern const char page_assets_build[];

#endif
