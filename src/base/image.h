/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_IMAGE_H
#define BASE_IMAGE_H

/* Telling images from other files. Pure function. */
#include <stddef.h>

/*
 * Returns the media type that the first bytes tell: PNG, JPEG, GIF, BMP or WebP;
 * NULL for anything else.
 */
const char *image_type(const void *data, size_t len);

#endif
