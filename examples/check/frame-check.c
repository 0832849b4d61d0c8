/* SPDX-License-Identifier: MIT */
/* frame-check.c - an exporter: how a program gets a buffer of it, and ends that */
#include "frame.c"
#include <libdmabuf-check.h>

static int check_export(struct check_export *buffer)
{
	buffer->dmabuf = frame_create(buffer->size);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

static void check_release(struct check_export *buffer)
{
	dma_buf_put(buffer->dmabuf);
}

DMABUF_CHECK({ .name = "frame", .export = check_export, .release = check_release });
