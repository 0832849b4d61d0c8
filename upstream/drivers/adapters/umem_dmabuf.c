/* SPDX-License-Identifier: MIT */
/*
 * umem_dmabuf.c - Linux's umem_dmabuf.c under `dmabuf check`: an RDMA device registers memory
 *
 * Pinned, as for a device that cannot fault pages in; once the whole buffer, once a part that begins
 * and ends within pages, as ibv_reg_dmabuf_mr() takes it.
 */
#include "drivers/infiniband/core/umem_dmabuf.c"

#include <linux/file.h>
#include <linux/slab.h>

#include <libdmabuf-check.h>

#include "host/file.h"

struct region {
	struct ib_device ib;
	struct ib_umem_dmabuf *umem;
};

static int register_region(struct region **new, struct device *dev, struct dma_buf *dmabuf,
			   unsigned long offset, size_t size, int access)
{
	struct region *region = kzalloc(sizeof(*region), GFP_KERNEL);
	int fd, ret;

	if (!region)
		return -ENOMEM;
	region->ib.dma_device = dev;
	get_dma_buf(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(dmabuf);
		ret = fd;
		goto free_region;
	}
	region->umem = ib_umem_dmabuf_get_pinned(&region->ib, offset, size, fd, access);
	host_close(fd);
	if (IS_ERR(region->umem)) {
		ret = PTR_ERR(region->umem);
		goto free_region;
	}
	*new = region;
	return 0;

free_region:
	kfree(region);
	return ret;
}

static void deregister_region(struct region *region)
{
	ib_umem_release(&region->umem->umem);
	kfree(region);
}

static int check_open(struct check_import *import)
{
	struct region *region;
	int ret = register_region(&region, import->dev, import->dmabuf, 0, import->dmabuf->size,
				  import->dir == DMA_TO_DEVICE ? 0 : IB_ACCESS_LOCAL_WRITE);

	if (ret)
		return ret;
	import->own = region;
	import->sgt = &region->umem->umem.sgt_append.sgt;
	return 0;
}

static void check_close(struct check_import *import)
{
	deregister_region(import->own);
}

/* From the second page to within the one before the last. */
static int check_part(struct device *dev, struct dma_buf *dmabuf)
{
	struct region *region;
	int ret = register_region(&region, dev, dmabuf, PAGE_SIZE + 64,
				  dmabuf->size - 3 * PAGE_SIZE, IB_ACCESS_LOCAL_WRITE);

	if (!ret)
		deregister_region(region);
	return ret;
}

DMABUF_CHECK({ .name = "umem_dmabuf", .open = check_open, .close = check_close },
	     { .name = "umem_dmabuf of a part", .run = check_part });
