/* SPDX-License-Identifier: MIT */
/*
 * matrix.c - each of Linux's exporters with each of its importers on each machine
 *
 *	matrix		a case in TAP for each, under each policy
 *	matrix table	the same as a table
 *
 * Real bytes go through a software device: the CPU fills the buffer, the importer's device reads it;
 * the CPU changes a part while the importer keeps its mapping, the device reads again.  And the other
 * way: the device writes, the CPU reads, twice, and once more when the importer has gone.  The CPU's
 * accesses are bracketed, as Linux documents.  Where the importer copies (videobuf2-vmalloc) a plain
 * device, which maps for each access, is in the CPU's place.
 *
 * A cell is "exact"; or the errno that a program is told; or a finding: the first step whose bytes
 * were stale.  A case fails unless its cell is what the table of findings expects: nothing may get
 * worse, and a finding that has gone is one too many.
 *
 * Policy `remap` maps for each map as Linux does, so what is wrong under it is wrong in Linux on
 * such a machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "host/warn.h"
#include "upstream/drivers/rig.h"

/* Odd, so that buddies leave a last page by itself. */
#define PAGES 19
#define SIZE (PAGES * PAGE_SIZE)
#define PART_START (3 * PAGE_SIZE - 40)
#define PART_SIZE (PAGE_SIZE + 72)

#define EXACT "exact"

static u8 bytes[SIZE], seen[SIZE];
static unsigned int warnings;

/* --- what is expected ------------------------------------------------------------------------- */

#define DEVICE_STALE "the device reads stale bytes"
#define DEVICE_STALE_LATER "the device reads stale bytes the second time"
#define CPU_STALE "the CPU reads stale bytes"
#define CPU_STALE_LATER "the CPU reads stale bytes the second time"
#define CPU_STALE_AFTER "the CPU reads stale bytes after the end"

/* What is wrong with a driver, or why it refuses. */
struct finding {
	const char *name;
	const char *why;
};

static const struct finding not_in_one_piece = {
	"-EFAULT",
	"The importer needs one piece; without an IOMMU scattered pages are not one.",
};
static const struct finding no_pages = {
	"-EINVAL",
	"The exporter's coherent memory is bounce slots, for this machine has none a device of 32 "
	"bits "
	"reaches. They have no pages to share, and VIDIOC_EXPBUF says so.",
};
static const struct finding skips_sync = {
	"skips-sync",
	"The exporter maps with DMA_ATTR_SKIP_CPU_SYNC and has no begin_cpu_access: nothing moves.",
};
static const struct finding skips_slots = {
	"skips-slots",
	"The exporter maps with DMA_ATTR_SKIP_CPU_SYNC, and its begin_cpu_access and "
	"end_cpu_access sync its own device's mapping: nothing moves to or from an importer's "
	"slots.",
};
static const struct finding own_device_only = {
	"own-device-only",
	"The exporter's begin_cpu_access and end_cpu_access sync its own device's mapping, no "
	"importer's.",
};
static const struct finding no_cpu_access = {
	"no-cpu-access",
	"The exporter has no begin_cpu_access: what the CPU writes while the buffer is mapped "
	"stays with it.",
};
static const struct finding unbracketed = {
	"unbracketed",
	"The importer reads by vmap without begin_cpu_access, and the exporter syncs no more at "
	"unmap.",
};
static const struct finding own_slot = {
	"own-slot",
	"The exporter's begin_cpu_access copies its own device's bounce slot, which is older, over "
	"memory.",
};
static const struct finding *const findings[] = {
	&not_in_one_piece, &no_pages,      &skips_sync,  &skips_slots,
	&own_device_only,  &no_cpu_access, &unbracketed, &own_slot,
};

/* The first that matches; NULL: any.  Words are separated by spaces. */
struct expectation {
	const char *policy, *exporters, *importers, *machines;
	const char *result;
	const struct finding *finding;
};

static const struct expectation expectations[] = {
	{ NULL, "videobuf2-dma-contig", NULL, "bounce", "-EINVAL", &no_pages },
	{ NULL, "system_heap udmabuf drm_prime videobuf2-dma-sg videobuf2-vmalloc",
	  "videobuf2-dma-contig", "pc arm-direct", "-EFAULT", &not_in_one_piece },

	{ "remap", "drm_prime", NULL, "arm arm-direct bounce", DEVICE_STALE, &skips_sync },
	{ "remap", "udmabuf", NULL, "bounce", DEVICE_STALE, &skips_slots },
	{ "remap", "udmabuf videobuf2-dma-sg videobuf2-vmalloc", "videobuf2-vmalloc",
	  "arm arm-direct bounce", DEVICE_STALE, &unbracketed },
	{ "remap", "videobuf2-dma-sg", NULL, "bounce", DEVICE_STALE_LATER, &own_device_only },
	{ "remap", "videobuf2-vmalloc", NULL, "arm arm-direct bounce", DEVICE_STALE_LATER,
	  &no_cpu_access },

	{ "cached", "videobuf2-dma-sg", "videobuf2-vmalloc", "bounce", CPU_STALE_AFTER, &own_slot },

	{ NULL, NULL, NULL, NULL, EXACT, NULL },
};

static bool has_word(const char *words, const char *word)
{
	size_t len;

	if (!words)
		return true;
	for (; *words; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		if (len == strlen(word) && !strncmp(words, word, len))
			return true;
	}
	return false;
}

static const struct expectation *expected(const char *policy, const char *exporter,
					  const char *importer, const char *machine)
{
	const struct expectation *e = expectations;

	while (!has_word(e->policy, policy) || !has_word(e->exporters, exporter) ||
	       !has_word(e->importers, importer) || !has_word(e->machines, machine))
		e++;
	return e;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void count_warning(const char *file, int line, const char *text)
{
	warnings++;
	fprintf(stderr, "# %s:%d: %s\n", file, line, text);
}

/* New bytes at [@start, @start + @len) of what the buffer must hold. */
static void change(unsigned int seed, size_t start, size_t len)
{
	for (size_t i = start; i < start + len; i++)
		bytes[i] = (i * 7 + i / 251 + seed * 89) ^ 0x5a;
}

static bool same(void)
{
	return !memcmp(bytes, seen, SIZE);
}

/* The CPU writes what the buffer must hold into it, or reads all of it. */
static bool cpu(struct dma_buf *dmabuf, bool write, size_t start, size_t len)
{
	enum dma_data_direction dir = write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	struct iosys_map map;
	bool done = false;

	if (dma_buf_begin_cpu_access(dmabuf, dir))
		return false;
	if (!dma_buf_vmap_unlocked(dmabuf, &map)) {
		if (write)
			memcpy((u8 *)map.vaddr + start, bytes + start, len);
		else
			memcpy(seen, map.vaddr, SIZE);
		dma_buf_vunmap_unlocked(dmabuf, &map);
		done = true;
	}
	return !dma_buf_end_cpu_access(dmabuf, dir) && done;
}

/* --- a cell ----------------------------------------------------------------------------------- */

struct cell {
	const struct linux_importer *importer;
	struct device *dev;
	struct dma_buf *dmabuf;
	struct imported in;

	/* The plain device beside an importer that copies. */
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
};

/* The importer's device accesses all of the buffer, or writes a part. */
static bool device_reads(struct cell *c)
{
	if (c->importer->cpu)
		memcpy(seen, c->in.vaddr, SIZE);
	else if (dma_engine_read(c->dev, c->in.table, 0, seen, SIZE))
		return false;
	return same();
}

static bool device_writes(struct cell *c, size_t start, size_t len)
{
	if (c->importer->cpu)
		memcpy((u8 *)c->in.vaddr + start, bytes + start, len);
	else
		return !dma_engine_write(c->dev, c->in.table, start, bytes + start, len);
	return true;
}

/* The other side: the CPU, or the plain device of an importer that is the CPU. */
static bool peer(struct cell *c, bool write, size_t start, size_t len)
{
	enum dma_data_direction dir = write ? DMA_FROM_DEVICE : DMA_TO_DEVICE;
	struct sg_table *sgt;
	int ret;

	if (!c->importer->cpu)
		return cpu(c->dmabuf, write, start, len);
	sgt = dma_buf_map_attachment_unlocked(c->attach, dir);
	if (IS_ERR(sgt))
		return false;
	ret = write ? dma_engine_write(c->dev, sgt, start, bytes + start, len)
		    : dma_engine_read(c->dev, sgt, 0, seen, SIZE);
	dma_buf_unmap_attachment_unlocked(c->attach, sgt, dir);
	return !ret;
}

/* The peer has written, the importer's device reads. */
static const char *reads(struct cell *c)
{
	if (!device_reads(c))
		return DEVICE_STALE;
	change(2, PART_START, PART_SIZE);
	if (!peer(c, true, PART_START, PART_SIZE))
		return "no access";
	return device_reads(c) ? EXACT : DEVICE_STALE_LATER;
}

/* The importer's device writes, the peer reads. */
static const char *writes(struct cell *c)
{
	change(3, 0, SIZE);
	if (!device_writes(c, 0, SIZE) || !peer(c, false, 0, SIZE))
		return "no access";
	if (!same())
		return CPU_STALE;
	change(4, PART_START, PART_SIZE);
	if (!device_writes(c, PART_START, PART_SIZE) || !peer(c, false, 0, SIZE))
		return "no access";
	return same() ? EXACT : CPU_STALE_LATER;
}

static const char *errno_name(int ret)
{
	switch (ret) {
	case -EFAULT:
		return "-EFAULT";
	case -EINVAL:
		return "-EINVAL";
	default:
		fprintf(stderr, "# %d\n", ret);
		return "another errno";
	}
}

/* One way through the importer, which comes and goes for it. */
static const char *one_way(struct cell *c, enum dma_data_direction dir)
{
	const char *result;
	int ret;

	change(1, 0, SIZE);
	if (dir == DMA_TO_DEVICE && !peer(c, true, 0, SIZE))
		return "no access";
	ret = c->importer->open(&c->in, c->dmabuf, c->dev, dir);
	if (ret)
		return errno_name(ret);
	result = dir == DMA_TO_DEVICE ? reads(c) : writes(c);
	c->importer->close(&c->in);
	return result;
}

static const char *through(struct cell *c)
{
	const char *result = one_way(c, DMA_TO_DEVICE);

	if (result == EXACT)
		result = one_way(c, DMA_FROM_DEVICE);
	if (result != EXACT)
		return result;
	return cpu(c->dmabuf, false, 0, SIZE) && same() ? EXACT : CPU_STALE_AFTER;
}

static const char *try_cell(const struct linux_exporter *exporter,
			    const struct linux_importer *importer, struct device *owner,
			    struct device *dev)
{
	struct cell c = { .importer = importer, .dev = dev };
	struct exported buffer = {};
	const char *result;
	int ret;

	ret = exporter->open(&buffer, owner, SIZE);
	if (ret)
		return errno_name(ret);
	c.dmabuf = buffer.dmabuf;
	if (importer->cpu) {
		c.attach = dma_buf_attach(c.dmabuf, dev);
		ret = PTR_ERR_OR_ZERO(c.attach);
	}
	result = ret ? errno_name(ret) : through(&c);
	if (importer->cpu && !ret)
		dma_buf_detach(c.dmabuf, c.attach);
	exporter->close(&buffer);
	return result;
}

/*
 * Every second of these pages stays taken, so single pages that are handed out later are no
 * neighbours.
 */
static struct page *scattered[512];

static void scatter(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(scattered); i++)
		scattered[i] = alloc_page(GFP_KERNEL | __GFP_NOFAIL);
	for (size_t i = 0; i < ARRAY_SIZE(scattered); i += 2)
		__free_page(scattered[i]);
}

static void gather(void)
{
	for (size_t i = 1; i < ARRAY_SIZE(scattered); i += 2)
		__free_page(scattered[i]);
}

static const char *run_cell(const struct linux_exporter *exporter,
			    const struct linux_importer *importer, const struct machine_type *type,
			    enum dma_buf_policy policy)
{
	struct machine *machine = machine_create(type, 0);
	struct device *owner, *dev;
	const char *result;

	owner = machine_add_device(machine, "exporter", type->coherent);
	dev = machine_add_device(machine, "importer", type->coherent);
	dma_buf_set_policy(policy);
	warnings = 0;
	result = try_cell(exporter, importer, owner, dev);
	machine_remove_device(dev);
	machine_remove_device(owner);
	machine_destroy(machine);
	return warnings && result == EXACT ? "a WARN" : result;
}

/* --- cases and the table ---------------------------------------------------------------------- */

static const char *const policies[] = {
	[DMA_BUF_POLICY_CACHED] = "cached",
	[DMA_BUF_POLICY_REMAP] = "remap",
};
static unsigned int cases, failures;

/* Returns what the table calls it. */
static const char *run_case(bool table, const struct linux_exporter *exporter,
			    const struct linux_importer *importer, const struct machine_type *type,
			    enum dma_buf_policy policy)
{
	const struct expectation *want =
		expected(policies[policy], exporter->name, importer->name, type->name);
	const char *result = run_cell(exporter, importer, type, policy);
	const char *name = want->finding ? want->finding->name : EXACT;
	bool right = !strcmp(result, want->result);

	failures += !right;
	cases++;
	if (!table)
		printf("%sok %u - %s to %s on %s, %s: %s%s%s%s\n", right ? "" : "not ", cases,
		       exporter->name, importer->name, type->name, policies[policy], result,
		       want->finding ? " (" : "", want->finding ? name : "",
		       want->finding ? ")" : "");
	return right ? name : result;
}

static void table_head(void)
{
	printf("\n# Linux 6.12's drivers, unchanged, on this library\n\n");
	printf("Bytes through each exporter, each importer and each machine: "
	       "upstream/drivers/matrix.c.\n\n");
	printf("| exporter | importer |");
	for (const struct machine_type *m = machine_types; m->name; m++)
		printf(" %s |", m->name);
	printf("\n|---|---|");
	for (const struct machine_type *m = machine_types; m->name; m++)
		printf("---|");
	printf("\n");
}

static void run_pair(bool table, const struct linux_exporter *e, const struct linux_importer *i)
{
	if (table)
		printf("| %s | %s |", e->name, i->name);
	for (const struct machine_type *m = machine_types; m->name; m++) {
		const char *cached = run_case(table, e, i, m, DMA_BUF_POLICY_CACHED);
		const char *remap = run_case(table, e, i, m, DMA_BUF_POLICY_REMAP);

		if (table && !strcmp(cached, remap))
			printf(" %s |", cached);
		else if (table)
			printf(" %s / %s |", cached, remap);
	}
	if (table)
		printf("\n");
}

int main(int argc, char **argv)
{
	bool table = argc == 2 && !strcmp(argv[1], "table");

	host_set_warn_hook(count_warning);
	scatter();
	if (table)
		table_head();
	for (const struct linux_exporter *e = linux_exporters; e->name; e++)
		for (const struct linux_importer *i = linux_importers; i->name; i++)
			run_pair(table, e, i);
	gather();
	rcu_barrier();
	if (table) {
		printf("\nWhere two words stand, the first is under policy `cached`, the second "
		       "under `remap`.\n\n");
		for (size_t i = 0; i < ARRAY_SIZE(findings); i++)
			printf("* %s: %s\n", findings[i]->name, findings[i]->why);
	} else {
		printf("1..%u\n", cases);
	}
	return failures != 0;
}
