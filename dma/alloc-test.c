/* SPDX-License-Identifier: MIT */
/*
 * alloc-test.c - memory that CPU and device use at the same time, on every machine
 */
#include <sys/mman.h>
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include "dma/test-bed.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/port.h"

static void nobody_syncs(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		unsigned int way;

		for (way = 0; way < 2; way++) {
			unsigned long attrs = way ? DMA_ATTR_WRITE_COMBINE : 0;
			size_t size = 3 * PAGE_SIZE - 10;
			struct dma_costs before, delta;
			struct scatterlist sg;
			struct sg_table table = { .sgl = &sg, .nents = 1 };
			dma_addr_t addr;
			unsigned int i;
			u8 *cpu, byte;

			dma_cost_read(&before);
			cpu = dma_alloc_attrs(bed->dev, size, &addr, GFP_KERNEL, attrs);
			KT_ASSERT(t, cpu);
			sg_init_table(&sg, 1);
			sg_dma_address(&sg) = addr;
			sg_dma_len(&sg) = size;
			cache_adversary(3);
			for (i = 0; i < size; i += 61) {
				KT_EQ(t, cpu[i], 0);
				KT_EQ(t, dma_engine_read(bed->dev, &table, i, &byte, 1), 0);
				KT_EQ(t, byte, 0);
				cpu[i] = i + 1;
				KT_EQ(t, dma_engine_read(bed->dev, &table, i, &byte, 1), 0);
				KT_EQ(t, byte, (u8)(i + 1));
				byte = i + 2;
				KT_EQ(t, dma_engine_write(bed->dev, &table, i, &byte, 1), 0);
				KT_EQ(t, cpu[i], (u8)(i + 2));
			}
			cache_adversary(0);
			dma_free_attrs(bed->dev, size, cpu, addr, attrs);
			KT_EQ(t, dma_engine_read(bed->dev, &table, 0, &byte, 1), -EFAULT);
			dma_cost_since(&before, &delta);
			KT_EQ(t,
			      delta.count[DMA_COST_BYTES_CLEANED] +
				      delta.count[DMA_COST_BYTES_INVALIDATED] +
				      delta.count[DMA_COST_BYTES_BOUNCED],
			      0);
		}
		bed_down(bed);
	}
}

static void wrong_sizes_and_frees(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		dma_addr_t addr;
		void *cpu;

		ktap_expect_warn(t, "nothing is allocated");
		KT_CHECK(t, !dma_alloc_coherent(bed->dev, 0, &addr, GFP_KERNEL));
		KT_CHECK(t, !dma_alloc_coherent(bed->dev, SIZE_MAX, &addr, GFP_KERNEL));
		KT_EQ(t, addr, DMA_MAPPING_ERROR);
		cpu = dma_alloc_coherent(bed->dev, PAGE_SIZE, &addr, GFP_KERNEL);
		KT_ASSERT(t, cpu);
		ktap_expect_warn(t, "free of what was not allocated");
		dma_free_coherent(bed->dev, PAGE_SIZE, (char *)cpu + 1, addr);
		ktap_expect_warn(t, "free of what was not allocated");
		dma_free_coherent(bed->dev, PAGE_SIZE, cpu, 0x1000);
		dma_free_coherent(bed->dev, PAGE_SIZE, NULL, addr);
		dma_free_coherent(bed->dev, PAGE_SIZE, cpu, addr);
		bed_down(bed);
	}
}

/* What a narrower mask for such memory cannot reach is not given out. */
static void coherent_mask_is_kept(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("pc"), 0);
	dma_addr_t addr;

	KT_EQ(t, dma_set_coherent_mask(bed->dev, DMA_BIT_MASK(32)), 0);
	KT_CHECK(t, !dma_alloc_coherent(bed->dev, PAGE_SIZE, &addr, GFP_KERNEL));
	bed_down(bed);
}

static void each_failing_allocation_is_undone(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct host_memory_stats before, after;
		void *cpu = NULL;
		dma_addr_t addr;
		unsigned int k;

		host_memory_stats(&before);
		for (k = 1; !cpu && k < 100; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			cpu = dma_alloc_coherent(bed->dev, PAGE_SIZE, &addr, GFP_KERNEL);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
		}
		KT_CHECK(t, k > 3 && k < 100);
		dma_free_coherent(bed->dev, PAGE_SIZE, cpu, addr);
		host_memory_stats(&after);
		KT_EQ(t, after.pages_used, before.pages_used);
		bed_down(bed);
	}
}

/* --- handed on -------------------------------------------------------------------------------- */

static void memory_as_a_list_of_pages(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct sg_table sgt = {};
		dma_addr_t addr;
		u8 *cpu = dma_alloc_coherent(bed->dev, 3 * PAGE_SIZE, &addr, GFP_KERNEL);
		int ret = dma_get_sgtable(bed->dev, &sgt, cpu, addr, 3 * PAGE_SIZE - 5);

		KT_ASSERT(t, cpu);
		if (!strcmp(type->name, "bounce")) {
			KT_EQ(t, ret, -ENXIO);
		} else {
			KT_EQ(t, ret, 0);
			KT_EQ(t, sgt.orig_nents, 1);
			KT_EQ(t, sgt.sgl->length, 3 * PAGE_SIZE);
			if (type->coherent) {
				cpu[2 * PAGE_SIZE] = 7;
				KT_EQ(t, ((u8 *)sg_virt(sgt.sgl))[2 * PAGE_SIZE], 7);
			}
			sg_free_table(&sgt);
		}
		KT_EQ(t, dma_get_sgtable(bed->dev, &sgt, cpu, addr, PAGE_SIZE), -ENXIO);
		KT_EQ(t, dma_get_sgtable(bed->dev, &sgt, cpu, 0x1000, PAGE_SIZE), -ENXIO);
		dma_free_coherent(bed->dev, 3 * PAGE_SIZE, cpu, addr);
		bed_down(bed);
	}
}

static void the_list_may_fail(struct ktap *t)
{
	struct bed *bed = bed_up(t, machine_type_find("pc"), 0);
	struct sg_table sgt = {};
	dma_addr_t addr;
	void *cpu = dma_alloc_coherent(bed->dev, PAGE_SIZE, &addr, GFP_KERNEL);

	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, dma_get_sgtable(bed->dev, &sgt, cpu, addr, PAGE_SIZE), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	dma_free_coherent(bed->dev, PAGE_SIZE, cpu, addr);
	bed_down(bed);
}

/* A file that is memory of either kind. */
struct shared {
	struct device *dev;
	void *cpu;
	dma_addr_t addr;
	struct sg_table *sgt; /* NULL: of dma_alloc_coherent() */
	size_t size;
};

static int shared_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct shared *s = file->private_data;

	if (s->sgt)
		return dma_mmap_noncontiguous(s->dev, vma, s->size, s->sgt);
	return dma_mmap_coherent(s->dev, vma, s->cpu, s->addr, s->size);
}

static const struct file_operations shared_fops = { .mmap = shared_mmap };

/* Maps the second page, where that is possible. */
static void map_second_page(struct ktap *t, struct shared *s, u8 *cpu)
{
	int fd = anon_inode_getfd("shared", &shared_fops, s, O_RDWR);
	int prot = PROT_READ | PROT_WRITE;
	u8 *at;

	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, 4 * PAGE_SIZE, prot, MAP_SHARED, 0)), -ENXIO);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, prot, MAP_SHARED, 3 * PAGE_SIZE)), -ENXIO);
	at = host_mmap(fd, NULL, PAGE_SIZE, prot, MAP_SHARED, PAGE_SIZE);
	KT_ASSERT(t, !IS_ERR(at));
	cpu[PAGE_SIZE + 1] = 5;
	KT_EQ(t, at[1], 5);
	at[2] = 6;
	KT_EQ(t, cpu[PAGE_SIZE + 2], 6);
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	host_close(fd);
}

static void memory_in_a_program(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct shared s = { .dev = bed->dev, .size = 3 * PAGE_SIZE };
		int fd;

		s.cpu = dma_alloc_coherent(s.dev, s.size, &s.addr, GFP_KERNEL);
		KT_ASSERT(t, s.cpu);
		if (type->coherent && strcmp(type->name, "bounce")) {
			map_second_page(t, &s, s.cpu);
		} else {
			fd = anon_inode_getfd("shared", &shared_fops, &s, O_RDWR);
			KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0)),
			      -ENXIO);
			host_close(fd);
		}
		dma_free_coherent(s.dev, s.size, s.cpu, s.addr);
		bed_down(bed);
	}
}

/* --- memory that is synced -------------------------------------------------------------------- */

static void synced_memory(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct shared s = { .dev = bed->dev, .size = 3 * PAGE_SIZE };
		u8 *cpu, byte = 1;

		s.sgt = dma_alloc_noncontiguous(s.dev, s.size - 7, DMA_BIDIRECTIONAL, GFP_KERNEL,
						DMA_ATTR_ALLOC_SINGLE_PAGES);
		KT_ASSERT(t, s.sgt);
		KT_EQ(t, s.sgt->nents, 1);
		cpu = dma_vmap_noncontiguous(s.dev, s.size, s.sgt);
		KT_EQ(t, dma_engine_read(s.dev, s.sgt, s.size - 1, &byte, 1), 0);
		KT_EQ(t, byte, 0);
		dma_sync_sgtable_for_cpu(s.dev, s.sgt, DMA_BIDIRECTIONAL);
		cpu[PAGE_SIZE] = 9;
		dma_sync_sgtable_for_device(s.dev, s.sgt, DMA_BIDIRECTIONAL);
		KT_EQ(t, dma_engine_read(s.dev, s.sgt, PAGE_SIZE, &byte, 1), 0);
		KT_EQ(t, byte, 9);
		byte = 10;
		KT_EQ(t, dma_engine_write(s.dev, s.sgt, 2 * PAGE_SIZE, &byte, 1), 0);
		dma_sync_sgtable_for_cpu(s.dev, s.sgt, DMA_BIDIRECTIONAL);
		KT_EQ(t, cpu[2 * PAGE_SIZE], 10);
		map_second_page(t, &s, cpu);
		dma_vunmap_noncontiguous(s.dev, cpu);
		ktap_expect_warn(t, "free of what was not allocated");
		dma_free_noncontiguous(s.dev, s.size, s.sgt, DMA_TO_DEVICE);
		ktap_expect_warn(t, "free of what was not allocated");
		dma_free_noncontiguous(s.dev, PAGE_SIZE, s.sgt, DMA_BIDIRECTIONAL);
		dma_free_noncontiguous(s.dev, s.size, s.sgt, DMA_BIDIRECTIONAL);
		bed_down(bed);
	}
}

static void each_failing_synced_allocation_is_undone(struct ktap *t)
{
	const struct machine_type *type;

	for_each_machine(type)
	{
		struct bed *bed = bed_up(t, type, 0);
		struct host_memory_stats before, after;
		struct sg_table *sgt = NULL;
		unsigned int k;

		host_memory_stats(&before);
		for (k = 1; !sgt && k < 100; k++) {
			port_fail_nth(PORT_FAULT_ALLOC, k);
			sgt = dma_alloc_noncontiguous(bed->dev, PAGE_SIZE, DMA_TO_DEVICE,
						      GFP_KERNEL, 0);
			port_fail_nth(PORT_FAULT_ALLOC, 0);
		}
		KT_CHECK(t, k > 4 && k < 100);
		dma_free_noncontiguous(bed->dev, PAGE_SIZE, sgt, DMA_TO_DEVICE);
		host_memory_stats(&after);
		KT_EQ(t, after.pages_used, before.pages_used);
		bed_down(bed);
	}
}

KTAP_MAIN(KTAP_CASE(nobody_syncs), KTAP_CASE(wrong_sizes_and_frees),
	  KTAP_CASE(coherent_mask_is_kept), KTAP_CASE(each_failing_allocation_is_undone),
	  KTAP_CASE(memory_as_a_list_of_pages), KTAP_CASE(the_list_may_fail),
	  KTAP_CASE(memory_in_a_program), KTAP_CASE(synced_memory),
	  KTAP_CASE(each_failing_synced_allocation_is_undone))
