/* SPDX-License-Identifier: MIT */
/*
 * tegra-vde.c - Linux's tegra-vde/dmabuf-cache.c under `dmabuf check`: a decoder that keeps mappings
 *
 * Each frame maps its buffer and lets go of it again; the cache keeps the mapping, as long as the
 * device's file is open. The device has the bus's addresses and takes buffers in one piece.
 */
#include "drivers/media/platform/nvidia/tegra-vde/dmabuf-cache.c"

#include <libdmabuf-check.h>

int tegra_vde_iommu_map(struct tegra_vde *vde, struct sg_table *sgt, struct iova **iovap,
			size_t size)
{
	return -ENODEV;
}

void tegra_vde_iommu_unmap(struct tegra_vde *vde, struct iova *iova)
{
}

/* The cache is the device's: all imports have it, and it is emptied when the last has gone. */
static struct tegra_vde vde;
static unsigned int users;

static void vde_get(struct device *dev)
{
	if (users++)
		return;
	vde.dev = dev;
	mutex_init(&vde.map_lock);
	INIT_LIST_HEAD(&vde.map_list);
}

static void vde_put(void)
{
	if (--users)
		return;
	tegra_vde_dmabuf_cache_unmap_all(&vde);
	mutex_destroy(&vde.map_lock);
}

/* One frame for the device: it maps, finds its address and lets go. */
static int frame(struct check_import *import, bool runs)
{
	struct dma_buf_attachment *attach;
	struct scatterlist piece;
	dma_addr_t addr;
	int ret;

	/* The cache owns the reference it is given, unless it fails. */
	get_dma_buf(import->dmabuf);
	ret = tegra_vde_dmabuf_cache_map(&vde, import->dmabuf, import->dir, &attach, &addr);
	if (ret) {
		dma_buf_put(import->dmabuf);
		return ret;
	}
	sg_init_table(&piece, 1);
	piece.dma_address = addr;
	piece.dma_length = import->dmabuf->size;
	if (runs)
		ret = check_device_runs(import, &(struct sg_table){ .sgl = &piece, .nents = 1 });
	tegra_vde_dmabuf_cache_unmap(&vde, attach, !runs);
	return ret;
}

static int check_open(struct check_import *import)
{
	int ret;

	vde_get(import->dev);
	ret = frame(import, false);
	if (ret)
		vde_put();
	return ret;
}

static int check_access(struct check_import *import)
{
	return frame(import, true);
}

static void check_close(struct check_import *import)
{
	vde_put();
}

DMABUF_CHECK(
	{ .name = "tegra-vde", .open = check_open, .access = check_access, .close = check_close });
