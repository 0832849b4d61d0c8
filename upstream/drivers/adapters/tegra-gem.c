/* SPDX-License-Identifier: MIT */
/*
 * tegra-gem.c - Linux's tegra/gem.c, on its drm_prime.c, under `dmabuf check`
 *
 * Twice: a device whose addresses the DMA API gives, whose objects are coherent memory; and one with
 * an IOMMU that the driver itself fills in, whose objects are pages. That IOMMU is a counter here:
 * other drivers' devices have their own. A job of host1x pins an object for its direction.
 */
#include "drivers/gpu/drm/drm_prime.c"
#include "drivers/gpu/drm/tegra/gem.c"

#include <libdmabuf-check.h>

#include "upstream/drivers/gem-pages.c"
#include "upstream/drivers/gem.c"

/* --- what is not in these files --------------------------------------------------------------- */

int drm_mm_insert_node_generic(struct drm_mm *mm, struct drm_mm_node *node, u64 size, u64 alignment,
			       unsigned long color, enum drm_mm_insert_mode mode)
{
	node->start = mm->start;
	node->size = size;
	mm->start += size;
	return 0;
}

void drm_mm_remove_node(struct drm_mm_node *node)
{
}

ssize_t iommu_map_sgtable(struct iommu_domain *domain, unsigned long iova, struct sg_table *sgt,
			  int prot)
{
	struct scatterlist *sg;
	ssize_t size = 0;
	unsigned int i;

	for_each_sgtable_sg(sgt, sg, i)
		size += sg->length;
	return size;
}

size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t size)
{
	return size;
}

void host1x_bo_clear_cached_mappings(struct host1x_bo *bo)
{
}

pgprot_t vm_get_page_prot(unsigned long vm_flags)
{
	return PAGE_KERNEL;
}

/* --- the device ------------------------------------------------------------------------------- */

struct iommu_domain {
	int of_its_own;
};

static const struct file_operations fops;
static const struct drm_driver driver = { .fops = &fops };

struct tegra {
	struct drm_device drm;
	struct tegra_drm tegra;
	struct inode inode;
	struct iommu_domain domain;
	struct drm_gem_object *gem; /* that it imported */
};

static struct tegra *tegra_new(struct device *dev, bool domain)
{
	struct tegra *new = kzalloc(sizeof(*new), GFP_KERNEL);

	if (!new)
		return NULL;
	new->drm.dev = dev;
	new->drm.driver = &driver;
	new->drm.dev_private = &new->tegra;
	new->drm.anon_inode = &new->inode;
	mutex_init(&new->drm.object_name_lock);
	new->tegra.drm = &new->drm;
	new->tegra.domain = domain ? &new->domain : NULL;
	mutex_init(&new->tegra.mm_lock);
	return new;
}

static void tegra_free(struct tegra *tegra)
{
	mutex_destroy(&tegra->tegra.mm_lock);
	mutex_destroy(&tegra->drm.object_name_lock);
	kfree(tegra);
}

/* --- as exporter ------------------------------------------------------------------------------ */

static int export(struct check_export *buffer, bool domain)
{
	struct tegra *tegra = tegra_new(buffer->dev, domain);
	struct dma_buf *dmabuf;
	struct tegra_bo *bo;

	if (!tegra)
		return -ENOMEM;
	bo = tegra_bo_create(&tegra->drm, buffer->size, 0);
	if (IS_ERR(bo)) {
		tegra_free(tegra);
		return PTR_ERR(bo);
	}
	dmabuf = tegra_gem_prime_export(&bo->gem, O_RDWR | O_CLOEXEC);
	drm_gem_object_put(&bo->gem); /* the buffer has one */
	if (IS_ERR(dmabuf)) {
		tegra_free(tegra);
		return PTR_ERR(dmabuf);
	}
	buffer->dmabuf = dmabuf;
	buffer->own = tegra;
	return 0;
}

static int export_coherent(struct check_export *buffer)
{
	return export(buffer, false);
}

static int export_pages(struct check_export *buffer)
{
	return export(buffer, true);
}

static void check_release(struct check_export *buffer)
{
	dma_buf_put(buffer->dmabuf);
	flush_delayed_fput();
	tegra_free(buffer->own);
}

/* --- as importer ------------------------------------------------------------------------------ */

static int check_open(struct check_import *import)
{
	struct tegra *tegra = tegra_new(import->dev, false);

	if (!tegra)
		return -ENOMEM;
	tegra->gem = tegra_gem_prime_import(&tegra->drm, import->dmabuf);
	if (IS_ERR(tegra->gem)) {
		int ret = PTR_ERR(tegra->gem);

		tegra_free(tegra);
		return ret;
	}
	import->own = tegra;
	return 0;
}

static int check_access(struct check_import *import)
{
	struct tegra *tegra = import->own;
	struct host1x_bo *bo = &to_tegra_bo(tegra->gem)->base;
	struct host1x_bo_mapping *map = bo->ops->pin(import->dev, bo, import->dir);
	int ret;

	if (IS_ERR(map))
		return PTR_ERR(map);
	ret = check_device_runs(import, map->sgt);
	bo->ops->unpin(map);
	return ret;
}

static void check_close(struct check_import *import)
{
	struct tegra *tegra = import->own;

	drm_gem_object_put(tegra->gem);
	tegra_free(tegra);
}

/* The last ends with a crash. */
DMABUF_CHECK({ .name = "tegra, pages", .export = export_pages, .release = check_release },
	     { .name = "tegra", .open = check_open, .access = check_access, .close = check_close },
	     { .name = "tegra, coherent", .export = export_coherent, .release = check_release });
