/* SPDX-License-Identifier: MIT */
/*
 * driver-scenarios.c - what two threads may do at once with a driver that nobody wrote for this
 *
 * As in <libdmabuf-check.h>, but two at a time: devices and programs of an exporter, each with what it
 * has attached or exported itself; imports of an importer, each with its own.
 *
 * Devices snoop and have no IOMMU, so a mapping is its table: who uses it reads all of it.
 *
 * Deliberately not here: bytes, which `dmabuf check` without --schedules looks at.
 */
#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <libdmabuf-check.h>

#include "checker/schedules/driver.h"
#include "dma/machine.h"
#include "host/file.h"

#define BYTES (2 * PAGE_SIZE)

struct driver_tried *driver_tried;

static struct machine *machine;
static struct device *devices[2];
static struct check_export exported[2];
static struct check_import imports[2];
static struct dma_buf *dmabuf; /* that is imported */

/* --- before and behind a schedule ------------------------------------------------------------- */

static void nothing(struct work_struct *work)
{
}

static DECLARE_WORK(ready, nothing);

static void settle(void)
{
	flush_delayed_fput();
	flush_workqueue(system_wq);
	rcu_barrier();
}

/* One after the other: what is made at the first use, and stays, is no leak. */
static void once(void)
{
	const struct scenario *s = driver_tried->scenario;

	s->setup();
	for (int i = 0; i < SCHEDULE_THREADS && s->threads[i].run; i++)
		s->threads[i].run();
	s->finish();
}

static void no_setup(void)
{
}

static void first(void)
{
	dma_buf_set_policy(driver_tried->remaps ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
	schedule_work(&ready);
	flush_work(&ready);
	machine = machine_create(machine_type_find("pc"), 0);
	schedule_check(!IS_ERR(machine), "no machine");
	devices[0] = machine_add_device(machine, "device", true);
	devices[1] = machine_add_device(machine, "other", true);
	if (driver_tried->init)
		driver_tried->error = driver_tried->init();
	schedule_check(!driver_tried->error, "module_init() fails");
	once();
}

static void must(int error, const char *what)
{
	driver_tried->error = error;
	schedule_check(!error, what);
}

/* --- an exporter ------------------------------------------------------------------------------ */

static void export_one(unsigned int i)
{
	exported[i] = (struct check_export){ .dev = devices[0], .size = BYTES };
	must(driver_tried->adapter->export(&exported[i]), "export() fails");
}

static void setup_exported(void)
{
	export_one(0);
}

static void finish_exported(void)
{
	driver_tried->adapter->release(&exported[0]);
	settle();
}

static int use(const struct sg_table *sgt)
{
	struct scatterlist *sg;
	size_t bytes = 0;
	unsigned int i;

	for_each_sgtable_dma_sg(sgt, sg, i)
		bytes += sg_dma_address(sg) ? sg_dma_len(sg) : 0;
	return bytes < BYTES ? -EINVAL : 0;
}

static void map_once(struct dma_buf *buf, struct device *dev)
{
	struct dma_buf_attachment *attach = dma_buf_attach(buf, dev);
	struct sg_table *sgt;

	schedule_check(!IS_ERR(attach), "attach fails");
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	schedule_check(!IS_ERR(sgt), "map_dma_buf() fails");
	schedule_check(!use(sgt), "a mapped table is not of the whole buffer");
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);
	dma_buf_detach(buf, attach);
}

static void device(void)
{
	map_once(exported[0].dmabuf, devices[0]);
}

static void other_device(void)
{
	map_once(exported[0].dmabuf, devices[1]);
}

static void cpu(void)
{
	struct dma_buf *buf = exported[0].dmabuf;

	schedule_check(!dma_buf_begin_cpu_access(buf, DMA_BIDIRECTIONAL),
		       "begin_cpu_access() fails");
	schedule_check(!dma_buf_end_cpu_access(buf, DMA_BIDIRECTIONAL), "end_cpu_access() fails");
}

static void setup_shared(void)
{
	export_one(0);
	get_dma_buf(exported[0].dmabuf);
}

static void device_puts(void)
{
	struct dma_buf *buf = exported[0].dmabuf;

	map_once(buf, devices[0]);
	dma_buf_put(buf);
}

static void program_releases(void)
{
	driver_tried->adapter->release(&exported[0]);
}

static void program(unsigned int i)
{
	export_one(i);
	map_once(exported[i].dmabuf, devices[i]);
	driver_tried->adapter->release(&exported[i]);
}

static void one_program(void)
{
	program(0);
}

static void another_program(void)
{
	program(1);
}

static void exporter_moves(void)
{
	int ret = driver_tried->adapter->move(&exported[0]);

	schedule_check(!ret || ret == -EBUSY, "move() fails");
}

/* --- an importer ------------------------------------------------------------------------------ */

struct pages_buffer {
	struct page *pages;
};

static struct sg_table *pages_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct pages_buffer *buffer = attach->dmabuf->priv;
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);

	if (!sgt || sg_alloc_table(sgt, 1, GFP_KERNEL))
		goto free_table;
	sg_set_page(sgt->sgl, buffer->pages, BYTES, 0);
	if (!dma_map_sgtable(attach->dev, sgt, dir, 0))
		return sgt;
	sg_free_table(sgt);
free_table:
	kfree(sgt);
	return ERR_PTR(-ENOMEM);
}

static void pages_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
			enum dma_data_direction dir)
{
	dma_unmap_sgtable(attach->dev, sgt, dir, 0);
	sg_free_table(sgt);
	kfree(sgt);
}

static void pages_release(struct dma_buf *buf)
{
	struct pages_buffer *buffer = buf->priv;

	__free_pages(buffer->pages, get_order(BYTES));
	kfree(buffer);
}

static int pages_vmap(struct dma_buf *buf, struct iosys_map *map)
{
	struct pages_buffer *buffer = buf->priv;

	iosys_map_set_vaddr(map, page_address(buffer->pages));
	return 0;
}

static const struct dma_buf_ops pages_ops = {
	.map_dma_buf = pages_map,
	.unmap_dma_buf = pages_unmap,
	.vmap = pages_vmap,
	.release = pages_release,
};

static void setup_importable(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct pages_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	buffer->pages = alloc_pages(GFP_KERNEL, get_order(BYTES));
	info.ops = &pages_ops;
	info.priv = buffer;
	info.size = BYTES;
	info.flags = O_RDWR;
	dmabuf = dma_buf_export(&info);
	schedule_check(!IS_ERR(dmabuf), "no buffer");
}

static void finish_importable(void)
{
	dma_buf_put(dmabuf);
	settle();
}

static void import(unsigned int i)
{
	const struct check_adapter *adapter = driver_tried->adapter;
	struct check_import *one = &imports[i];
	enum dma_data_direction dir = DMA_BIDIRECTIONAL;

	while (adapter->dirs && !(adapter->dirs & CHECK_DIR(dir)))
		dir++;
	*one = (struct check_import){ .dmabuf = dmabuf, .dev = devices[i], .dir = dir };
	must(adapter->open(one), "open() fails");
	if (adapter->access)
		must(adapter->access(one), "access() fails");
	else if (one->sgt)
		must(use(one->sgt), "a mapped table is not of the whole buffer");
	if (one->fence) {
		dma_fence_wait(one->fence, false);
		dma_fence_put(one->fence);
	}
	adapter->close(one);
}

static void one_import(void)
{
	import(0);
}

static void another_import(void)
{
	import(1);
}

/* Shadows the checker's of the same name: no bytes are moved. */
int check_device_runs(struct check_import *one, const struct sg_table *sgt)
{
	return use(sgt);
}

int check_cpu_copies(struct check_import *one, void *vaddr)
{
	return 0;
}

int check_fd(struct check_import *one)
{
	int fd;

	get_dma_buf(one->dmabuf);
	fd = dma_buf_fd(one->dmabuf, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(one->dmabuf);
	return fd;
}

void check_fd_close(int fd)
{
	host_close(fd);
}

/* --- all -------------------------------------------------------------------------------------- */

#define BEFORE .first = first

const struct driver_scenario driver_scenarios[] = {
	{ { "two-devices",
	    "two devices attach, map, unmap and detach",
	    BEFORE,
	    setup_exported,
	    { { "device", device }, { "other", other_device } },
	    finish_exported },
	  .exports = true },
	{ { "device-and-cpu",
	    "a device maps and unmaps beside a CPU access",
	    BEFORE,
	    setup_exported,
	    { { "device", device }, { "cpu", cpu } },
	    finish_exported },
	  .exports = true },
	{ { "release-beside",
	    "a device maps, unmaps and puts the buffer while its program lets go of it",
	    BEFORE,
	    setup_shared,
	    { { "device", device_puts }, { "program", program_releases } },
	    settle },
	  .exports = true },
	{ { "two-programs",
	    "two programs export a buffer each, have it mapped and let go of it",
	    BEFORE,
	    no_setup,
	    { { "program", one_program }, { "another", another_program } },
	    settle },
	  .exports = true },
	{ { "device-and-move",
	    "a device maps and unmaps beside a move",
	    BEFORE,
	    setup_exported,
	    { { "device", device }, { "move", exporter_moves } },
	    finish_exported },
	  .exports = true,
	  .moves = true },
	{ { "two-imports",
	    "two imports of a buffer: open, access, close",
	    BEFORE,
	    setup_importable,
	    { { "import", one_import }, { "another", another_import } },
	    finish_importable },
	  .imports = true },
	{},
};

const char *driver_choose(const struct check_adapter *adapters, int nr)
{
	driver_tried->adapter = &adapters[nr];
	return adapters[nr].name;
}

bool driver_fits(const struct driver_scenario *s)
{
	const struct check_adapter *adapter = driver_tried->adapter;

	return (!s->exports || adapter->export) && (!s->imports || adapter->open) &&
	       (!s->moves || adapter->move);
}

void *driver_pages(size_t *bytes)
{
	struct page *block = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);

	if (!block)
		return NULL;
	memset(page_address(block), 0x5a, PAGE_SIZE << MAX_PAGE_ORDER);
	__free_pages(block, MAX_PAGE_ORDER);
	*bytes = sizeof(struct page) << MAX_PAGE_ORDER;
	return block;
}
