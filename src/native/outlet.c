/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "native/outlet.h"

#include "base/write_all.h"

void outlet_init(struct outlet *o, int fd)
{
	o->fd = fd;
	(void)pthread_mutex_init(&o->lock, NULL);
}

void outlet_write(struct outlet *o, struct buf *line)
{
	buf_char(line, '\n');
	(void)pthread_mutex_lock(&o->lock);
	(void)write_all(o->fd, line->data, line->len); /* or it is gone */
	(void)pthread_mutex_unlock(&o->lock);
}
