/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MAIN_HOST_YAML_H
#define MAIN_HOST_YAML_H

/*
 * The sample conf/host.yaml, converted into C by scripts/embed at build time.
 */
#include <stddef.h>

/* Its text, NUL-terminated. */
extern const char host_yaml_text[];

/* Its length in bytes, without the NUL. */
extern const size_t host_yaml_size;

#endif
