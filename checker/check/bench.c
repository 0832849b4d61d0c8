/* SPDX-License-Identifier: MIT */
/* bench.c - see bench.h */
#include "checker/check/own.h"

#include <linux/dma-mapping.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "checker/check/bench.h"
#include "host/port.h"

struct bench bench;

/* Where a buffer was before it moved: whoever still goes there finds nothing of use. */
struct place {
	struct list_head node;
	struct page *pages[BENCH_PAGES];
};

struct buffer {
	/* guarded by the reservation */
	struct page *pages[BENCH_PAGES]; /* constant but for a move */
	unsigned int pins;
	struct list_head left; /* struct place */

	/* guarded by lock */
	struct mutex lock;
	struct list_head mapped; /* struct mapping */
};

struct mapping {
	struct list_head node;
	struct sg_table sgt;
	struct device *dev;
	enum dma_data_direction dir;
};

static atomic_t buffers = ATOMIC_INIT(0);

/* --- machine and bytes ------------------------------------------------------------------------ */

bool bench_create(const char *machine, unsigned long seed)
{
	bench.type = machine_type_find(machine);
	if (!bench.type)
		return false;
	bench.seed = seed;
	bench.machine = machine_create(bench.type, 0);
	bench.dev = machine_add_device(bench.machine, "device", bench.type->coherent);
	bench.other = machine_add_device(bench.machine, "other", bench.type->coherent);
	return true;
}

void bench_destroy(void)
{
	machine_remove_device(bench.other);
	machine_remove_device(bench.dev);
	machine_destroy(bench.machine);
}

void bench_fill(u8 *bytes, size_t size, unsigned int salt)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = i * 7 + i / 251 + (salt + bench.seed) * 89;
}

size_t bench_differ(const u8 *got, const u8 *want, size_t size)
{
	size_t i = 0;

	while (i < size && got[i] == want[i])
		i++;
	return i;
}

unsigned int bench_buffers(void)
{
	return atomic_read(&buffers);
}

/* --- pages ------------------------------------------------------------------------------------ */

static void free_pages_of(struct page **pages)
{
	for (unsigned int i = 0; i < BENCH_PAGES; i++)
		if (pages[i])
			__free_page(pages[i]);
}

static int alloc_contiguous(struct page **pages)
{
	unsigned int order = get_order(BENCH_BYTES);
	struct page *first = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);

	if (!first)
		return -ENOMEM;
	split_page(first, order);
	for (unsigned int i = 0; i < 1u << order; i++)
		if (i < BENCH_PAGES)
			pages[i] = first + i;
		else
			__free_page(first + i);
	return 0;
}

/* One page between two of the buffer's is freed again. */
static int alloc_pages_of(struct page **pages)
{
	struct page *between[BENCH_PAGES] = {};

	if (bench.contiguous)
		return alloc_contiguous(pages);
	memset(pages, 0, BENCH_PAGES * sizeof(*pages));
	for (unsigned int i = 0; i < BENCH_PAGES; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		between[i] = alloc_page(GFP_KERNEL);
	}
	free_pages_of(between);
	for (unsigned int i = 0; i < BENCH_PAGES; i++) {
		if (pages[i])
			continue;
		free_pages_of(pages);
		return -ENOMEM;
	}
	return 0;
}

/* --- the exporter ----------------------------------------------------------------------------- */

static int bench_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	return -port_failure(PORT_FAULT_CALLBACK);
}

static struct sg_table *bench_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct buffer *buffer = attach->dmabuf->priv;
	int ret = -port_failure(PORT_FAULT_CALLBACK);
	struct mapping *mapping = ret ? NULL : kzalloc(sizeof(*mapping), GFP_KERNEL);

	if (!mapping)
		return ERR_PTR(ret ?: -ENOMEM);
	/* Neighbours become one entry. */
	ret = sg_alloc_table_from_pages(&mapping->sgt, buffer->pages, BENCH_PAGES, 0, BENCH_BYTES,
					GFP_KERNEL);
	if (ret)
		goto free_mapping;
	ret = dma_map_sgtable(attach->dev, &mapping->sgt, dir, 0);
	if (ret)
		goto free_table;
	mapping->dev = attach->dev;
	mapping->dir = dir;
	mutex_lock(&buffer->lock);
	list_add_tail(&mapping->node, &buffer->mapped);
	mutex_unlock(&buffer->lock);
	return &mapping->sgt;

free_table:
	sg_free_table(&mapping->sgt);
free_mapping:
	kfree(mapping);
	return ERR_PTR(ret);
}

static void bench_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	struct buffer *buffer = attach->dmabuf->priv;
	struct mapping *mapping = container_of(sgt, struct mapping, sgt);

	mutex_lock(&buffer->lock);
	list_del(&mapping->node);
	mutex_unlock(&buffer->lock);
	dma_unmap_sgtable(mapping->dev, sgt, mapping->dir, 0);
	sg_free_table(sgt);
	kfree(mapping);
}

static int bench_pin(struct dma_buf_attachment *attach)
{
	struct buffer *buffer = attach->dmabuf->priv;
	int ret = -port_failure(PORT_FAULT_CALLBACK);

	if (!ret)
		buffer->pins++;
	return ret;
}

static void bench_unpin(struct dma_buf_attachment *attach)
{
	struct buffer *buffer = attach->dmabuf->priv;

	buffer->pins--;
}

static int bench_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct buffer *buffer = dmabuf->priv;
	int ret = -port_failure(PORT_FAULT_CALLBACK);
	struct mapping *mapping;

	if (ret)
		return ret;
	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mapped, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int bench_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct buffer *buffer = dmabuf->priv;
	struct mapping *mapping;

	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mapped, node)
		dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&buffer->lock);
	return 0;
}

static int bench_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct buffer *buffer = dmabuf->priv;
	int ret = -port_failure(PORT_FAULT_CALLBACK);
	void *vaddr;

	if (ret)
		return ret;
	vaddr = vmap(buffer->pages, BENCH_PAGES, VM_MAP, PAGE_KERNEL);
	if (!vaddr)
		return -ENOMEM;
	buffer->pins++;
	iosys_map_set_vaddr(map, vaddr);
	return 0;
}

static void bench_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct buffer *buffer = dmabuf->priv;

	vunmap(map->vaddr);
	buffer->pins--;
}

static int bench_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct buffer *buffer = dmabuf->priv;
	unsigned long first = vma->vm_pgoff;
	int ret = 0;

	for (unsigned long i = 0; !ret && i < vma_pages(vma); i++)
		ret = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE, buffer->pages[first + i]);
	return ret;
}

static void bench_release(struct dma_buf *dmabuf)
{
	struct buffer *buffer = dmabuf->priv;
	struct place *place, *next;

	list_for_each_entry_safe(place, next, &buffer->left, node) {
		free_pages_of(place->pages);
		kfree(place);
	}
	free_pages_of(buffer->pages);
	mutex_destroy(&buffer->lock);
	kfree(buffer);
	atomic_dec(&buffers);
}

#define BENCH_OPS                                                                         \
	.attach = bench_attach, .map_dma_buf = bench_map, .unmap_dma_buf = bench_unmap,   \
	.begin_cpu_access = bench_begin, .end_cpu_access = bench_end, .vmap = bench_vmap, \
	.vunmap = bench_vunmap, .mmap = bench_mmap, .release = bench_release
static const struct dma_buf_ops static_ops = { BENCH_OPS };
static const struct dma_buf_ops moving_ops = { BENCH_OPS, .pin = bench_pin, .unpin = bench_unpin };

struct dma_buf *bench_export(bool moves)
{
	struct buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	struct dma_buf_export_info info = {
		.exp_name = moves ? "checker-moves" : "checker",
		.ops = moves ? &moving_ops : &static_ops,
		.size = BENCH_BYTES,
		.flags = O_RDWR | O_CLOEXEC,
		.priv = buffer,
	};
	struct dma_buf *dmabuf;
	int ret;

	if (!buffer)
		return ERR_PTR(-ENOMEM);
	ret = alloc_pages_of(buffer->pages);
	if (ret)
		goto free_buffer;
	mutex_init(&buffer->lock);
	INIT_LIST_HEAD(&buffer->mapped);
	INIT_LIST_HEAD(&buffer->left);
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto free_pages;
	}
	atomic_inc(&buffers);
	return dmabuf;

free_pages:
	free_pages_of(buffer->pages);
	mutex_destroy(&buffer->lock);
free_buffer:
	kfree(buffer);
	return ERR_PTR(ret);
}

void bench_cpu_copy(struct dma_buf *dmabuf, bool write, u8 *bytes)
{
	struct buffer *buffer = dmabuf->priv;

	for (unsigned int i = 0; i < BENCH_PAGES; i++)
		if (write)
			memcpy(page_address(buffer->pages[i]), bytes + i * PAGE_SIZE, PAGE_SIZE);
		else
			memcpy(bytes + i * PAGE_SIZE, page_address(buffer->pages[i]), PAGE_SIZE);
}

int bench_cpu_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return dma_buf_begin_cpu_access(dmabuf, dir);
}

void bench_cpu_end(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	dma_buf_end_cpu_access(dmabuf, dir);
}

/* The old place keeps its memory, with other bytes, until the buffer goes. */
static void leave(struct buffer *buffer, struct place *place)
{
	struct mapping *mapping;

	mutex_lock(&buffer->lock);
	list_for_each_entry(mapping, &buffer->mapped, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt, mapping->dir);
	for (unsigned int i = 0; i < BENCH_PAGES; i++) {
		swap(place->pages[i], buffer->pages[i]);
		memcpy(page_address(buffer->pages[i]), page_address(place->pages[i]), PAGE_SIZE);
		memset(page_address(place->pages[i]), 0xdb, PAGE_SIZE);
	}
	list_for_each_entry(mapping, &buffer->mapped, node)
		dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&buffer->lock);
	list_add(&place->node, &buffer->left);
}

bool bench_fences_signal(struct dma_resv *resv, unsigned int turns)
{
	while (turns &&
	       dma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, false, BENCH_TURN) <= 0)
		turns--;
	return turns;
}

int bench_move(struct dma_buf *dmabuf, void (*meanwhile)(void *data), void *data)
{
	struct buffer *buffer = dmabuf->priv;
	struct place *place = kzalloc(sizeof(*place), GFP_KERNEL);
	int ret;

	if (!place)
		return -ENOMEM;
	ret = alloc_pages_of(place->pages);
	if (ret)
		goto free_place;
	dma_resv_lock(dmabuf->resv, NULL);
	if (buffer->pins) {
		ret = -EBUSY;
		goto free_pages;
	}
	if (meanwhile)
		meanwhile(data);
	dma_buf_move_notify(dmabuf);
	if (!bench_fences_signal(dmabuf->resv, BENCH_TURNS)) {
		ret = -ETIME;
		goto free_pages;
	}
	leave(buffer, place);
	dma_resv_unlock(dmabuf->resv);
	return 0;

free_pages:
	dma_resv_unlock(dmabuf->resv);
	free_pages_of(place->pages);
free_place:
	kfree(place);
	return ret;
}
