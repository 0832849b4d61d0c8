/* SPDX-License-Identifier: MIT */
/* mock_dmabuf.c - the exporter of Linux's i915 tests under `dmabuf check` */
#include "drivers/gpu/drm/i915/gem/selftests/mock_dmabuf.c"

#include <libdmabuf-check.h>

static int check_export(struct check_export *buffer)
{
	buffer->dmabuf = mock_dmabuf(buffer->size >> PAGE_SHIFT);
	return PTR_ERR_OR_ZERO(buffer->dmabuf);
}

static void check_release(struct check_export *buffer)
{
	dma_buf_put(buffer->dmabuf);
}

DMABUF_CHECK({ .name = "mock_dmabuf", .export = check_export, .release = check_release });
