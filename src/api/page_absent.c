/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What takes the place of page_assets.c in a build without the page. */
#include "api/page_assets.h"

const struct http_asset page_assets[1];
const size_t page_assets_n = 0;
const char page_assets_build[] = "";
