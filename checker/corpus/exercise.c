/* SPDX-License-Identifier: MIT */
/*
 * exercise.c - the test that a driver's author writes: it uses the driver once, as it is meant
 *
 * One computer whose device snoops and reaches all memory, as a PC; one buffer; nothing fails.  A
 * driver is driven through the same door as by `dmabuf check` (libdmabuf-check.h), so the same
 * source runs in both.  Compiled with a sanitizer and linked with a core, Linux's for one, this is
 * what the checker is compared with.
 *
 * Exit status: 0; 1 a call failed or bytes were wrong, and a line says so; 3 it hung.  A sanitizer
 * ends it with a status of its own.
 *
 * Deliberately not here: other machines, failures, order, two users of anything.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/linux/dma-heap.h>

#include <libdmabuf-check.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/system-heap.h"
#include "host/file.h"

#define BYTES (4 * PAGE_SIZE)
#define SECONDS 5

extern const struct check_adapter dmabuf_check_adapters[] __attribute__((__weak__));

static struct device *dev;
static int failures;
static u8 want[BYTES], got[BYTES];

static void fill(unsigned int salt)
{
	for (size_t i = 0; i < BYTES; i++)
		want[i] = (i * 7 + i / 251 + salt * 89) ^ 0x5a;
}

/* Has @what succeeded? */
static bool ok(const char *what, int ret)
{
	if (!ret)
		return true;
	fprintf(stderr, "exercise: %s: %d\n", what, ret);
	failures++;
	return false;
}

static void expect_bytes(const char *who)
{
	if (!memcmp(want, got, BYTES))
		return;
	fprintf(stderr, "exercise: %s reads other bytes\n", who);
	failures++;
}

/* --- what drivers call ------------------------------------------------------------------------ */

int check_device_runs(struct check_import *import, const struct sg_table *sgt)
{
	int ret = 0;

	if (import->dir != DMA_FROM_DEVICE)
		ret = dma_engine_read(import->dev, sgt, 0, got, BYTES);
	if (!ret && import->dir != DMA_FROM_DEVICE)
		expect_bytes("the device");
	if (!ret && import->dir != DMA_TO_DEVICE)
		ret = dma_engine_write(import->dev, sgt, 0, want, BYTES);
	return ret;
}

int check_cpu_copies(struct check_import *import, void *vaddr)
{
	if (import->dir != DMA_FROM_DEVICE) {
		memcpy(got, vaddr, BYTES);
		expect_bytes("the driver's CPU");
	}
	if (import->dir != DMA_TO_DEVICE)
		memcpy(vaddr, want, BYTES);
	return 0;
}

/* --- a buffer --------------------------------------------------------------------------------- */

/* The CPU writes what is wanted into the buffer, or compares. */
static void cpu(struct dma_buf *dmabuf, bool write)
{
	enum dma_data_direction dir = write ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
	struct iosys_map map;

	if (!ok("begin_cpu_access", dma_buf_begin_cpu_access(dmabuf, dir)))
		return;
	if (ok("vmap", dma_buf_vmap_unlocked(dmabuf, &map))) {
		memcpy(write ? map.vaddr : got, write ? want : map.vaddr, BYTES);
		dma_buf_vunmap_unlocked(dmabuf, &map);
		if (!write)
			expect_bytes("the CPU");
	}
	ok("end_cpu_access", dma_buf_end_cpu_access(dmabuf, dir));
}

/* The device reads or writes the buffer. */
static void device(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	struct check_import import = { .dev = dev, .dir = dir };
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *sgt;

	if (!ok("attach", PTR_ERR_OR_ZERO(attach)))
		return;
	sgt = dma_buf_map_attachment_unlocked(attach, dir);
	if (ok("map", PTR_ERR_OR_ZERO(sgt))) {
		ok("the device's access", check_device_runs(&import, sgt));
		dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
	}
	dma_buf_detach(dmabuf, attach);
}

static void use_exporter(struct dma_buf *dmabuf)
{
	fill(1);
	cpu(dmabuf, true);
	device(dmabuf, DMA_TO_DEVICE);
	fill(2);
	device(dmabuf, DMA_FROM_DEVICE);
	cpu(dmabuf, false);
}

static void try_heap(const char *name)
{
	struct dma_heap_allocation_data data = { .len = BYTES, .fd_flags = O_RDWR | O_CLOEXEC };
	struct dma_buf *dmabuf;
	char path[80];
	int heap;

	snprintf(path, sizeof(path), "/dev/dma_heap/%s", name);
	heap = host_open(path, O_RDWR);
	if (heap == -ENOENT && dmabuf_check_adapters)
		return;
	if (!ok(path, min(heap, 0)))
		return;
	if (ok("allocate", host_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, (unsigned long)&data))) {
		dmabuf = dma_buf_get(data.fd);
		host_close(data.fd);
		use_exporter(dmabuf);
		dma_buf_put(dmabuf);
	}
	host_close(heap);
}

/* --- adapters --------------------------------------------------------------------------------- */

static void try_exporter(const struct check_adapter *adapter)
{
	struct check_export buffer = { .dev = dev, .size = BYTES };

	if (!ok("export", adapter->export(&buffer)))
		return;
	use_exporter(buffer.dmabuf);
	adapter->release(&buffer);
}

static void job(const struct check_adapter *adapter, struct check_import *import)
{
	if (!adapter->access)
		ok("the job", import->vaddr ? check_cpu_copies(import, import->vaddr)
					    : check_device_runs(import, import->sgt));
	else
		ok("the job", adapter->access(import));
	if (import->fence) {
		dma_fence_wait(import->fence, false);
		dma_fence_put(import->fence);
		import->fence = NULL;
	}
	dma_resv_wait_timeout(import->dmabuf->resv, DMA_RESV_USAGE_READ, false,
			      MAX_SCHEDULE_TIMEOUT);
}

static void try_importer(const struct check_adapter *adapter, enum dma_data_direction dir)
{
	struct dma_buf *dmabuf = system_heap_allocate(BYTES);
	struct check_import import = { .dmabuf = dmabuf, .dev = dev, .dir = dir };

	fill(3);
	cpu(dmabuf, true);
	if (ok("open", adapter->open(&import))) {
		job(adapter, &import);
		if (dir != DMA_TO_DEVICE)
			fill(4);
		if (dir != DMA_BIDIRECTIONAL)
			job(adapter, &import);
		adapter->close(&import);
		if (dir == DMA_FROM_DEVICE)
			cpu(dmabuf, false);
	}
	dma_buf_put(dmabuf);
}

static void try_run(const struct check_adapter *adapter)
{
	struct dma_buf *dmabuf = system_heap_allocate(BYTES);

	ok("run", adapter->run(dev, dmabuf));
	dma_buf_put(dmabuf);
}

static void try_adapter(const struct check_adapter *adapter)
{
	if (adapter->export)
		try_exporter(adapter);
	if (adapter->run)
		try_run(adapter);
	if (!adapter->open)
		return;
	for (int dir = DMA_BIDIRECTIONAL; dir <= DMA_FROM_DEVICE; dir++) {
		if (!adapter->dirs || adapter->dirs & CHECK_DIR(dir))
			try_importer(adapter, dir);
	}
}

static void hung(int signal)
{
	static const char line[] = "exercise: it hangs\n";
	ssize_t written = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)written;
	_exit(3);
}

int main(int argc, char **argv)
{
	const struct check_adapter *adapter = dmabuf_check_adapters;
	struct machine *machine = machine_create(machine_type_find("pc"), 0);

	signal(SIGALRM, hung);
	alarm(SECONDS);
	dev = machine_add_device(machine, "device", true);
	try_heap(argv[argc - 1]);
	for (; adapter && adapter->name; adapter++)
		try_adapter(adapter);
	flush_delayed_fput();
	rcu_barrier();
	machine_remove_device(dev);
	machine_destroy(machine);
	return failures ? 1 : 0;
}
