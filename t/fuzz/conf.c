/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes as host.yaml: they are refused with a reason, or are settings that
 * can be checked and handed on to a child, which then has the same.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/conf.h"
#include "core/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static void on_warning(const char *text, void *arg)
{
	(void)arg;
	expect(*text != 0);
}

static void check_handing_on(const struct conf *c)
{
	struct conf copy;
	struct err err;
	int fd = memfd_create("conf", MFD_CLOEXEC);

	conf_init(&copy);
	expect(conf_save(c, fd) == 0);
	expect(conf_load(&copy, fd, &err) == 0);
	expect(copy.port == c->port && copy.workers == c->workers);
	expect(strcmp(copy.trust, c->trust) == 0);
	expect(strcmp(copy.name, c->name) == 0);
	expect(strcmp(copy.agent, c->agent) == 0);
	expect(strcmp(copy.relay_url, c->relay_url) == 0);
	expect(strcmp(copy.examples, c->examples) == 0);
	expect(strcmp(copy.permissions, c->permissions) == 0);
	conf_fini(&copy);
	(void)close(fd); /* only memory */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf c;
	struct err err = {.code = ERR_OK, .text = ""};
	char path[64];
	int fd = memfd_create("host.yaml", MFD_CLOEXEC);

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	expect(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	conf_init(&c);
	if (conf_read_yaml(&c, path, on_warning, NULL, &err) == 0) {
		if (conf_check(&c, &err) != 0)
			expect(err.code == ERR_CONFIG);
		check_handing_on(&c);
	} else {
		expect(err.code == ERR_CONFIG);
		expect(strncmp(err.text, path, strlen(path)) == 0);
	}
	conf_fini(&c);
	(void)close(fd); /* only memory */
	return 0;
}
