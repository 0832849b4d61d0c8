/* SPDX-License-Identifier: MIT */
/*
 * cpu-cases.c - the CPU's ways into a buffer: brackets, vmap, mmap
 */
#include "world.h"

#define DOC_BEGIN "drivers/dma-buf/dma-buf.c: dma_buf_begin_cpu_access()"
#define DOC_END "drivers/dma-buf/dma-buf.c: dma_buf_end_cpu_access()"
#define DOC_OP_BEGIN "include/linux/dma-buf.h: struct dma_buf_ops, begin_cpu_access"
#define DOC_OP_END "include/linux/dma-buf.h: struct dma_buf_ops, end_cpu_access"
#define DOC_CPU "drivers/dma-buf/dma-buf.c: DOC: cpu access"
#define DOC_VMAP "drivers/dma-buf/dma-buf.c: dma_buf_vmap()"
#define DOC_VMAP_UNLOCKED "drivers/dma-buf/dma-buf.c: dma_buf_vmap_unlocked()"
#define DOC_VUNMAP "drivers/dma-buf/dma-buf.c: dma_buf_vunmap()"
#define DOC_OP_VMAP "include/linux/dma-buf.h: struct dma_buf_ops, vmap"
#define DOC_IOSYS "include/linux/iosys-map.h: DOC: overview"
#define DOC_MMAP "drivers/dma-buf/dma-buf.c: dma_buf_mmap()"
#define DOC_OP_MMAP "include/linux/dma-buf.h: struct dma_buf_ops, mmap"
#define DOC_LOCKS "drivers/dma-buf/dma-buf.c: DOC: locking convention"
#define DOC_USERSPACE "Documentation/driver-api/dma-buf.rst: Userspace Interface Notes"

#define DIRECTION(d) (&(const enum dma_data_direction){ d })
#define ERRNO(e) (&(const int){ e })

static const char *direction_name(enum dma_data_direction dir)
{
	return dir == DMA_TO_DEVICE ? "to" : dir == DMA_FROM_DEVICE ? "from" : "both";
}

/* --- brackets --------------------------------------------------------------------------------- */

static void begin_passes(struct world *w)
{
	enum dma_data_direction dir = *(const enum dma_data_direction *)w->running->data;
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	char want[32];

	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, dir), 0);
	snprintf(want, sizeof(want), "begin:%s", direction_name(dir));
	W_LOG(w, want);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, dir), 0);
	snprintf(want, sizeof(want), "end:%s", direction_name(dir));
	W_LOG(w, want);
	dma_buf_put(dmabuf);
}

static void begin_refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_fence *fence = world_fence(w);

	world_add_fence(w, dmabuf->resv, fence, DMA_RESV_USAGE_KERNEL);
	w->answer.begin = *(const int *)w->running->data;
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), w->answer.begin);
	/* nor is a fence waited for, nor the access ended */
	W_LOG(w, "begin:from");
	W_CHECK(w, !dma_fence_is_signaled(fence));
	dma_buf_put(dmabuf);
}

static void end_refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	w->answer.end = -EIO;
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), -EIO);
	dma_buf_put(dmabuf);
}

static void begin_null(struct world *w)
{
	world_expect_warn(w);
	W_EQ(w, dma_buf_begin_cpu_access(NULL, DMA_FROM_DEVICE), -EINVAL);
}

static void end_null(struct world *w)
{
	world_expect_warn(w);
	W_EQ(w, dma_buf_end_cpu_access(NULL, DMA_FROM_DEVICE), -EINVAL);
}

static void begin_nests(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	W_LOG(w, "begin:from begin:to end:from end:to");
	dma_buf_put(dmabuf);
}

static void begin_leaves_unlocked(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	/* A device may be attached and the buffer mapped while the CPU is at it. */
	dma_buf_detach(dmabuf, world_attach(w, dmabuf, false));
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	dma_buf_put(dmabuf);
}

/* --- vmap ------------------------------------------------------------------------------------- */

static void vmap_asks_once(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map one, other;

	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &one), 0);
	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &other), 0);
	W_LOG(w, "vmap");
	W_CHECK(w, iosys_map_is_equal(&one, &other));
	dma_buf_vunmap_unlocked(dmabuf, &one);
	W_LOG(w, "");
	W_CHECK(w, !iosys_map_is_null(&other));
	dma_buf_vunmap_unlocked(dmabuf, &other);
	W_LOG(w, "vunmap");
	dma_buf_put(dmabuf);
}

static void vmap_again(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map;

	for (unsigned int i = 0; i < 2; i++) {
		W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
		dma_buf_vunmap_unlocked(dmabuf, &map);
	}
	W_LOG(w, "vmap vunmap vmap vunmap");
	dma_buf_put(dmabuf);
}

static void vmap_is_the_buffer(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map;
	u8 last = 0;

	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	W_CHECK(w, !map.is_iomem);
	iosys_map_memset(&map, WORLD_BYTES - 1, 0x5a, 1);
	W_EQ(w, world_bytes(dmabuf)[WORLD_BYTES - 1], 0x5a);
	iosys_map_memcpy_from(&last, &map, WORLD_BYTES - 1, 1);
	W_EQ(w, last, 0x5a);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_put(dmabuf);
}

static void vmap_of_a_window(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map, other;

	w->answer.vmap_iomem = true;
	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &other), 0);
	W_CHECK(w, map.is_iomem && other.is_iomem);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_vunmap_unlocked(dmabuf, &other);
	dma_buf_put(dmabuf);
}

static void vmap_refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(&map);

	w->answer.vmap = *(const int *)w->running->data;
	if (!otherwise(w))
		world_expect_warn(w);
	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), w->answer.vmap);
	W_CHECK(w, iosys_map_is_null(&map));
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	w->answer.vmap = 0;
	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	W_LOG(w, "vmap vmap vunmap");
	dma_buf_put(dmabuf);
}

static void vmap_without_op(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, BARE_EXPORTER);
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(&map);

	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), -EINVAL);
	W_CHECK(w, iosys_map_is_null(&map));
	dma_buf_put(dmabuf);
}

static void vmap_null_buffer(struct world *w)
{
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(&map);

	world_expect_warn(w);
	W_EQ(w, dma_buf_vmap_unlocked(NULL, &map), -EINVAL);
	W_CHECK(w, iosys_map_is_null(&map));
}

static void vunmap_null_buffer(struct world *w)
{
	struct iosys_map map = IOSYS_MAP_INIT_VADDR(&map);

	world_expect_warn(w);
	dma_buf_vunmap_unlocked(NULL, &map);
}

static void vunmap_too_many(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map;

	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	world_expect_warn(w);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	W_LOG(w, "vmap vunmap");
	dma_buf_put(dmabuf);
}

static void vunmap_of_another_map(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map, wrong = IOSYS_MAP_INIT_VADDR(&wrong);

	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	world_expect_warn(w);
	dma_buf_vunmap_unlocked(dmabuf, &wrong);
	W_LOG(w, "vmap");
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_put(dmabuf);
}

static void vmap_held(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map;

	dma_resv_lock(dmabuf->resv, NULL);
	W_EQ(w, dma_buf_vmap(dmabuf, &map), 0);
	W_CHECK(w, dma_resv_is_locked(dmabuf->resv));
	dma_buf_vunmap(dmabuf, &map);
	W_CHECK(w, dma_resv_is_locked(dmabuf->resv));
	dma_resv_unlock(dmabuf->resv);
	W_LOG(w, "vmap vunmap");
	dma_buf_put(dmabuf);
}

static void vmap_unlocked(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map;

	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	dma_buf_vunmap_unlocked(dmabuf, &map);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	dma_buf_put(dmabuf);
}

static void vmap_waits_for_no_fence(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct iosys_map map;

	/* Who waited for it would hang. */
	world_add_fence(w, dmabuf->resv, world_pending_fence(w), DMA_RESV_USAGE_KERNEL);
	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_put(dmabuf);
}

/* --- mmap ------------------------------------------------------------------------------------- */

struct range {
	unsigned long first, pages;
	int ret;
};

#define RANGE(first, pages, ret) (&(const struct range){ first, pages, ret })

static void mmap_of_a_descriptor(struct world *w)
{
	const struct range *range = w->running->data;
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	void *at = world_mmap(fd, range->pages << PAGE_SHIFT, true, range->first << PAGE_SHIFT);
	char want[32];

	W_ERR(w, at, range->ret);
	snprintf(want, sizeof(want), "mmap:%lu+%lu", range->first, range->pages);
	W_LOG(w, range->ret ? "" : want);
	if (!IS_ERR(at))
		world_munmap(at, range->pages << PAGE_SHIFT);
	world_close(fd);
}

static void mmap_of_another_file(struct world *w)
{
	const struct range *range = w->running->data;
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	char want[32];

	W_EQ(w, world_vma(dmabuf, range->first, range->pages), range->ret);
	snprintf(want, sizeof(want), "mmap:%lu+%lu", range->first, range->pages);
	W_LOG(w, range->ret ? "" : want);
	W_EQ(w, file_count(dmabuf->file), 1);
	dma_buf_put(dmabuf);
}

static void mmap_refused(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	w->answer.mmap = *(const int *)w->running->data;
	W_ERR(w, world_mmap(fd, PAGE_SIZE, true, 0), w->answer.mmap);
	W_EQ(w, world_vma(dmabuf, 1, 1), w->answer.mmap);
	W_LOG(w, "mmap:0+1 mmap:1+1");
	W_EQ(w, file_count(dmabuf->file), 1);
	world_close(fd);
}

static void mmap_without_op(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, BARE_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	W_ERR(w, world_mmap(fd, PAGE_SIZE, true, 0), -EINVAL);
	W_EQ(w, world_vma(dmabuf, 0, 1), -EINVAL);
	world_close(fd);
}

static void mmap_null(struct world *w)
{
	world_expect_warn(w);
	W_EQ(w, world_vma(NULL, 0, 1), -EINVAL);
}

static void mmap_is_the_buffer(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	u8 *at = world_mmap(fd, WORLD_BYTES, true, 0);
	u8 *last = world_mmap(fd, PAGE_SIZE, false, WORLD_BYTES - PAGE_SIZE);

	W_CHECK(w, !IS_ERR(at) && !IS_ERR(last));
	at[WORLD_BYTES - 1] = 0x77;
	W_EQ(w, world_bytes(dmabuf)[WORLD_BYTES - 1], 0x77);
	W_EQ(w, last[PAGE_SIZE - 1], 0x77);
	world_munmap(at, WORLD_BYTES);
	W_EQ(w, last[PAGE_SIZE - 1], 0x77);
	world_munmap(last, PAGE_SIZE);
	world_close(fd);
}

static void mmap_of_a_read_only_file(struct world *w)
{
	struct dma_buf *dmabuf = world_export_resv(w, STATIC_EXPORTER, NULL, O_RDONLY);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	void *at;

	W_ERR(w, world_mmap(fd, WORLD_BYTES, true, 0), -EACCES);
	W_LOG(w, "");
	at = world_mmap(fd, WORLD_BYTES, false, 0);
	W_ERR(w, at, 0);
	world_munmap(at, WORLD_BYTES);
	world_close(fd);
}

static void mmap_leaves_unlocked(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	W_EQ(w, world_vma(dmabuf, 0, WORLD_PAGES), 0);
	W_CHECK(w, !dma_resv_is_locked(dmabuf->resv));
	W_CHECK(w, dma_resv_trylock(dmabuf->resv));
	dma_resv_unlock(dmabuf->resv);
	dma_buf_put(dmabuf);
}

static const struct world_case cases[] = {
	{ "cpu.begin_from", "begin and end pass DMA_FROM_DEVICE to the exporter", DOC_OP_BEGIN,
	  begin_passes, DIRECTION(DMA_FROM_DEVICE) },
	{ "cpu.begin_to", "begin and end pass DMA_TO_DEVICE to the exporter", DOC_OP_BEGIN,
	  begin_passes, DIRECTION(DMA_TO_DEVICE) },
	{ "cpu.begin_both", "begin and end pass DMA_BIDIRECTIONAL to the exporter", DOC_OP_BEGIN,
	  begin_passes, DIRECTION(DMA_BIDIRECTIONAL) },
	{ "cpu.begin_refused_eio", "an errno of begin_cpu_access ends the access before it began",
	  DOC_OP_BEGIN, begin_refused, ERRNO(-EIO) },
	{ "cpu.begin_refused_erestartsys", "-ERESTARTSYS of begin_cpu_access is passed on",
	  DOC_OP_BEGIN, begin_refused, ERRNO(-ERESTARTSYS) },
	{ "cpu.begin_refused_enomem", "-ENOMEM of begin_cpu_access is passed on", DOC_OP_BEGIN,
	  begin_refused, ERRNO(-ENOMEM) },
	{ "cpu.end_refused", "an errno of end_cpu_access is passed on", DOC_OP_END, end_refused },
	{ "cpu.begin_null", "begin of no buffer: a WARN and -EINVAL", DOC_BEGIN, begin_null },
	{ "cpu.end_null", "end of no buffer: a WARN", DOC_END, end_null,
	  .not_on = { LINUX_ALL, "goes on with the buffer that there is not" } },
	{ "cpu.begin_nests", "brackets of several users may overlap; all reach the exporter",
	  DOC_CPU, begin_nests },
	{ "cpu.begin_leaves_unlocked", "an open bracket holds no reservation", DOC_LOCKS,
	  begin_leaves_unlocked },

	{ "cpu.vmap_asks_once",
	  "the exporter's vmap is called for the first user, vunmap after the last", DOC_VMAP,
	  vmap_asks_once },
	{ "cpu.vmap_again", "after the last vunmap the next vmap asks again", DOC_VUNMAP,
	  vmap_again },
	{ "cpu.vmap_is_the_buffer", "a vmap is the whole buffer's memory", DOC_VMAP,
	  vmap_is_the_buffer },
	{ "cpu.vmap_of_a_window", "every user learns that a map is a device's window", DOC_IOSYS,
	  vmap_of_a_window },
	{ "cpu.vmap_refused_enomem", "an errno of the exporter's vmap is passed on, with a WARN",
	  DOC_VMAP, vmap_refused, ERRNO(-ENOMEM),
	  .otherwise = { OURS_CACHED | OURS_REMAP, "an exporter's vmap that fails" } },
	{ "cpu.vmap_refused_ebusy", "after an error there is no map, and the next is new", DOC_VMAP,
	  vmap_refused, ERRNO(-EBUSY),
	  .otherwise = { OURS_CACHED | OURS_REMAP, "an exporter's vmap that fails" } },
	{ "cpu.vmap_without_op", "an exporter without vmap: -EINVAL, and the map is cleared",
	  DOC_OP_VMAP, vmap_without_op },
	{ "cpu.vmap_null_buffer", "no buffer: a WARN and -EINVAL, and the map is cleared", DOC_VMAP,
	  vmap_null_buffer },
	{ "cpu.vunmap_null_buffer", "vunmap of no buffer warns and does nothing", DOC_VUNMAP,
	  vunmap_null_buffer },
	{ "cpu.vunmap_too_many", "a vunmap belongs to a vmap", DOC_VUNMAP, vunmap_too_many,
	  .not_on = { LINUX_ALL, "BUG" } },
	{ "cpu.vunmap_of_another_map", "what vmap gave is what vunmap gets", DOC_VUNMAP,
	  vunmap_of_another_map, .not_on = { LINUX_ALL, "BUG" } },
	{ "cpu.vmap_held", "vmap and vunmap of who holds the reservation leave it held", DOC_LOCKS,
	  vmap_held },
	{ "cpu.vmap_unlocked", "the _unlocked ones leave it not held", DOC_VMAP_UNLOCKED,
	  vmap_unlocked },
	{ "cpu.vmap_waits_for_no_fence", "a vmap waits for no fence: the bracket does", DOC_CPU,
	  vmap_waits_for_no_fence },

	{ "cpu.mmap_whole", "a program maps the whole buffer", DOC_USERSPACE, mmap_of_a_descriptor,
	  RANGE(0, WORLD_PAGES, 0) },
	{ "cpu.mmap_part", "and any run of its pages", DOC_USERSPACE, mmap_of_a_descriptor,
	  RANGE(1, 2, 0) },
	{ "cpu.mmap_last_page", "the last page is the buffer's", DOC_USERSPACE,
	  mmap_of_a_descriptor, RANGE(WORLD_PAGES - 1, 1, 0) },
	{ "cpu.mmap_behind", "the page behind it is not: -EINVAL", DOC_OP_MMAP,
	  mmap_of_a_descriptor, RANGE(WORLD_PAGES, 1, -EINVAL) },
	{ "cpu.mmap_too_long", "a mapping longer than the buffer: -EINVAL", DOC_OP_MMAP,
	  mmap_of_a_descriptor, RANGE(0, WORLD_PAGES + 1, -EINVAL) },
	{ "cpu.mmap_over_the_end", "a mapping that begins inside and ends behind: -EINVAL",
	  DOC_OP_MMAP, mmap_of_a_descriptor, RANGE(1, WORLD_PAGES, -EINVAL) },
	{ "cpu.mmap_far_behind", "one far behind: -EINVAL", DOC_OP_MMAP, mmap_of_a_descriptor,
	  RANGE(1ul << 40, 1, -EINVAL) },
	{ "cpu.dma_buf_mmap_whole", "another file's mapping can be the whole buffer", DOC_MMAP,
	  mmap_of_another_file, RANGE(0, WORLD_PAGES, 0) },
	{ "cpu.dma_buf_mmap_part", "or begin at any page of it", DOC_MMAP, mmap_of_another_file,
	  RANGE(2, 2, 0) },
	{ "cpu.dma_buf_mmap_behind", "a page behind the buffer: -EINVAL", DOC_MMAP,
	  mmap_of_another_file, RANGE(WORLD_PAGES, 1, -EINVAL) },
	{ "cpu.dma_buf_mmap_too_long", "a mapping longer than the buffer: -EINVAL", DOC_MMAP,
	  mmap_of_another_file, RANGE(0, WORLD_PAGES + 1, -EINVAL) },
	{ "cpu.dma_buf_mmap_over_the_end", "one that ends behind: -EINVAL", DOC_MMAP,
	  mmap_of_another_file, RANGE(3, 2, -EINVAL) },
	{ "cpu.dma_buf_mmap_overflow", "an end that is no number: -EOVERFLOW", DOC_MMAP,
	  mmap_of_another_file, RANGE(~0ul, 1, -EOVERFLOW) },
	{ "cpu.dma_buf_mmap_huge", "a number that does not overflow: -EINVAL", DOC_MMAP,
	  mmap_of_another_file, RANGE(~0ul - 1, 1, -EINVAL) },
	{ "cpu.mmap_refused_enomem", "an errno of the exporter's mmap is passed on", DOC_OP_MMAP,
	  mmap_refused, ERRNO(-ENOMEM) },
	{ "cpu.mmap_refused_enxio", "and leaves no reference of the file behind", DOC_OP_MMAP,
	  mmap_refused, ERRNO(-ENXIO) },
	{ "cpu.mmap_without_op", "an exporter without mmap: -EINVAL", DOC_OP_MMAP,
	  mmap_without_op },
	{ "cpu.dma_buf_mmap_null", "no buffer: a WARN and -EINVAL", DOC_MMAP, mmap_null },
	{ "cpu.mmap_is_the_buffer", "all mappings are the same memory", DOC_USERSPACE,
	  mmap_is_the_buffer },
	{ "cpu.mmap_of_a_read_only_file",
	  "a buffer exported O_RDONLY is not mapped for writing: -EACCES",
	  "include/linux/dma-buf.h: struct dma_buf_export_info, flags", mmap_of_a_read_only_file },
	{ "cpu.mmap_leaves_unlocked", "a mapping holds no reservation", DOC_LOCKS,
	  mmap_leaves_unlocked },
};

const struct world_group cpu_group = { "cpu", cases, ARRAY_SIZE(cases) };
