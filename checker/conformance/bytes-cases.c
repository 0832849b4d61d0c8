/* SPDX-License-Identifier: MIT */
/*
 * bytes-cases.c - who reads what others wrote, on every machine: coherent devices, those that do
 * not snoop, with an IOMMU and without, and behind bounce buffers
 *
 * Every access is inside a map or a bracket, so the DMA API promises each byte.
 */
#include "world.h"

#define DOC_API "Documentation/core-api/dma-api.rst: Part Id - Streaming DMA mappings"
#define DOC_CPU "drivers/dma-buf/dma-buf.c: DOC: cpu access"
#define DOC_SYNC "include/uapi/linux/dma-buf.h: struct dma_buf_sync"
#define DOC_HOWTO "Documentation/core-api/dma-api-howto.rst: Using Streaming DMA mappings"

/* Each round uses bytes of its own, and later rounds find what earlier ones left. */
#define ROUNDS 3

static void device_writes(struct world *w, struct dma_buf_attachment *attach, u8 salt)
{
	struct sg_table *sgt = world_map(w, attach, DMA_FROM_DEVICE);

	W_ERR(w, sgt, 0);
	W_EQ(w, world_device_writes(attach->dev, sgt, salt), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
}

static void device_reads(struct world *w, struct dma_buf_attachment *attach, u8 salt)
{
	struct sg_table *sgt = world_map(w, attach, DMA_TO_DEVICE);

	W_ERR(w, sgt, 0);
	W_CHECK(w, world_device_reads(attach->dev, sgt, salt));
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
}

static void cpu_writes(struct world *w, struct dma_buf *dmabuf, u8 salt)
{
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	world_cpu_writes(world_bytes(dmabuf), salt);
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
}

static void cpu_reads(struct world *w, struct dma_buf *dmabuf, u8 salt)
{
	W_EQ(w, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	W_CHECK(w, world_cpu_reads(world_bytes(dmabuf), salt));
	W_EQ(w, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
}

static void cpu_to_device(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	for (u8 round = 1; round <= ROUNDS; round++) {
		cpu_writes(w, dmabuf, round);
		device_reads(w, attach, round);
	}
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void device_to_cpu(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

	for (u8 round = 1; round <= ROUNDS; round++) {
		device_writes(w, attach, round);
		cpu_reads(w, dmabuf, round);
	}
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void device_to_device(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *one = world_attach_device(w, dmabuf, w->dev);
	struct dma_buf_attachment *other = world_attach_device(w, dmabuf, w->dev2);

	for (u8 round = 1; round <= ROUNDS; round++) {
		device_writes(w, one, round);
		device_reads(w, other, round);
		device_writes(w, other, round + 100);
		device_reads(w, one, round + 100);
	}
	dma_buf_detach(dmabuf, one);
	dma_buf_detach(dmabuf, other);
	dma_buf_put(dmabuf);
}

static void both_ways(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt;

	for (u8 round = 1; round <= ROUNDS; round++) {
		cpu_writes(w, dmabuf, round);
		sgt = world_map(w, attach, DMA_BIDIRECTIONAL);
		W_CHECK(w, world_device_reads(w->dev, sgt, round));
		W_EQ(w, world_device_writes(w->dev, sgt, round + 100), 0);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
		cpu_reads(w, dmabuf, round + 100);
	}
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static void reattached(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);

	for (u8 round = 1; round <= ROUNDS; round++) {
		struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);

		device_writes(w, attach, round);
		dma_buf_detach(dmabuf, attach);
		cpu_reads(w, dmabuf, round);
		cpu_writes(w, dmabuf, round + 100);
		attach = world_attach(w, dmabuf, false);
		device_reads(w, attach, round + 100);
		dma_buf_detach(dmabuf, attach);
	}
	dma_buf_put(dmabuf);
}

static void dynamic_importer(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, DYNAMIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, true);

	for (u8 round = 1; round <= ROUNDS; round++) {
		device_writes(w, attach, round);
		cpu_reads(w, dmabuf, round);
		cpu_writes(w, dmabuf, round + 100);
		device_reads(w, attach, round + 100);
	}
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

/* The device stays mapped; what brackets do to its table is the exporter's part. */
static void mapped_all_the_time(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct sg_table *sgt = world_map(w, attach, DMA_BIDIRECTIONAL);

	for (u8 round = 1; round <= ROUNDS; round++) {
		cpu_writes(w, dmabuf, round);
		W_CHECK(w, world_device_reads(w->dev, sgt, round));
		W_EQ(w, world_device_writes(w->dev, sgt, round + 100), 0);
		cpu_reads(w, dmabuf, round + 100);
	}
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

static long sync(int fd, u64 flags)
{
	struct dma_buf_sync arg = { .flags = flags };

	return world_ioctl(fd, DMA_BUF_IOCTL_SYNC, &arg);
}

static void program(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	u8 *at = world_mmap(fd, WORLD_BYTES, true, 0);

	W_ERR(w, at, 0);
	for (u8 round = 1; round <= ROUNDS; round++) {
		W_EQ(w, sync(fd, DMA_BUF_SYNC_WRITE | DMA_BUF_SYNC_START), 0);
		world_cpu_writes(at, round);
		W_EQ(w, sync(fd, DMA_BUF_SYNC_WRITE | DMA_BUF_SYNC_END), 0);
		device_reads(w, attach, round);
		device_writes(w, attach, round + 100);
		W_EQ(w, sync(fd, DMA_BUF_SYNC_READ | DMA_BUF_SYNC_START), 0);
		W_CHECK(w, world_cpu_reads(at, round + 100));
		W_EQ(w, sync(fd, DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END), 0);
	}
	world_munmap(at, WORLD_BYTES);
	dma_buf_detach(dmabuf, attach);
	world_close(fd);
}

static void kernel_without_brackets(struct world *w)
{
	struct dma_buf *dmabuf = world_export(w, STATIC_EXPORTER);
	struct dma_buf_attachment *attach = world_attach(w, dmabuf, false);
	struct iosys_map map;

	W_EQ(w, dma_buf_vmap_unlocked(dmabuf, &map), 0);
	for (u8 round = 1; round <= ROUNDS; round++) {
		world_cpu_writes(map.vaddr, round);
		device_reads(w, attach, round);
		device_writes(w, attach, round + 100);
		W_CHECK(w, world_cpu_reads(map.vaddr, round + 100));
	}
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
}

#define WITHOUT_MOVES "7.1 always builds with DMABUF_MOVE_NOTIFY"

#define ON(MACHINE, WHAT, RULE, DOC, RUN, ...)                                               \
	{                                                                                    \
		"bytes." MACHINE "." WHAT, RULE, DOC, RUN, .machine = MACHINE, ##__VA_ARGS__ \
	}
#define ON_EACH(WHAT, RULE, DOC, RUN, ...)                             \
	ON("pc", WHAT, RULE, DOC, RUN, ##__VA_ARGS__),                 \
		ON("pc-iommu", WHAT, RULE, DOC, RUN, ##__VA_ARGS__),   \
		ON("arm", WHAT, RULE, DOC, RUN, ##__VA_ARGS__),        \
		ON("arm-direct", WHAT, RULE, DOC, RUN, ##__VA_ARGS__), \
		ON("bounce", WHAT, RULE, DOC, RUN, ##__VA_ARGS__)

static const struct world_case cases[] = {
	ON_EACH("cpu_to_device", "a device reads what the CPU wrote in a bracket before the map",
		DOC_API, cpu_to_device),
	ON_EACH("device_to_cpu", "the CPU reads in a bracket what a device wrote before its unmap",
		DOC_CPU, device_to_cpu),
	ON_EACH("device_to_device", "a device reads what another wrote before its unmap", DOC_API,
		device_to_device),
	ON_EACH("both_ways", "DMA_BIDIRECTIONAL moves bytes in both directions", DOC_HOWTO,
		both_ways),
	ON_EACH("reattached", "bytes stay when who wrote them has gone", DOC_API, reattached),
	ON_EACH("dynamic_importer", "the same holds for importers that follow moves", DOC_API,
		dynamic_importer, .otherwise = { LINUX_6_12, WITHOUT_MOVES }),
	ON_EACH("mapped_all_the_time",
		"brackets reach a device that stays mapped, if the exporter syncs its table",
		DOC_CPU, mapped_all_the_time),
	ON_EACH("program", "brackets of a program do for its mapping what the kernel's do",
		DOC_SYNC, program),
	ON_EACH("kernel_without_brackets",
		"map and unmap bring the bytes to a device and back from it, brackets or not",
		DOC_API, kernel_without_brackets),
};

const struct world_group bytes_group = { "bytes", cases, ARRAY_SIZE(cases) };
