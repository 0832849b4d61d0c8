/* SPDX-License-Identifier: MIT */
/*
 * program-api.c - include/libdmabuf.h on top of the kernel's API
 *
 * It lies among the drivers because it is one: it makes machines (dma/), exports from the heaps
 * (drivers/exporters/) and imports as any importer does; nothing below knows of it.
 *
 * Invariants
 *   PR1  Every open handle is on its list, so that libdmabuf_fini() finds it.
 *   PR2  A buffer handle and an attachment each own one reference to the dma-buf, so handles may be
 *        given back in any order.
 *   PR3  No call writes, or lets a device write, a buffer whose file is not opened for writing; none
 *        reads one that is not opened for reading.  Mappings are shared with drivers and may allow
 *        more, so each access asks the file.
 *   PR4  owner is the process that opened the first handle or heap: another one is its child.
 */
#include <linux/dma-buf.h>
#include <linux/dma-cost.h>
#include <linux/err.h>
#include <linux/libdmabuf.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <uapi/linux/dma-heap.h>
#include <unistd.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/heaps.h"
#include "drivers/exporters/system-heap.h"
#include "drivers/program-version.h"
#include "host/file.h"
#include "host/memory.h"
#include "host/task.h"
#include "include/libdmabuf.h"

struct libdmabuf_machine {
	struct machine *machine;
	struct list_head node; /* guarded by handles_lock */
};

struct libdmabuf_device {
	struct libdmabuf_machine *machine;
	struct device *dev;
	struct list_head node; /* guarded by handles_lock */
};

struct libdmabuf_buffer {
	struct dma_buf *dmabuf;
	void *read_only; /* where a program reads what it may not write; NULL: not asked yet */
	struct list_head node; /* guarded by handles_lock */
};

struct libdmabuf_attachment {
	struct libdmabuf_device *device;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt; /* NULL: not mapped */
	enum dma_data_direction dir;
	struct list_head node; /* guarded by handles_lock */
};

static DEFINE_MUTEX(handles_lock);

/* guarded by handles_lock */
static LIST_HEAD(machines);
static LIST_HEAD(devices);
static LIST_HEAD(buffers);
static LIST_HEAD(attachments);
static pid_t owner;

/* Caller holds handles_lock. */
static void own(void)
{
	if (!owner)
		owner = getpid();
}

static void handle_open(struct list_head *node, struct list_head *list)
{
	mutex_lock(&handles_lock);
	own();
	list_add_tail(node, list);
	mutex_unlock(&handles_lock);
}

static void handle_close(struct list_head *node)
{
	mutex_lock(&handles_lock);
	list_del(node);
	mutex_unlock(&handles_lock);
}

/* What a device does when somebody accesses: DMA_NONE for what is no access. */
static enum dma_data_direction device_direction(enum libdmabuf_access access)
{
	switch (access) {
	case LIBDMABUF_READ:
		return DMA_TO_DEVICE;
	case LIBDMABUF_WRITE:
		return DMA_FROM_DEVICE;
	case LIBDMABUF_READ_WRITE:
		return DMA_BIDIRECTIONAL;
	}
	return DMA_NONE;
}

/* The CPU reads what devices wrote. */
static enum dma_data_direction cpu_direction(enum libdmabuf_access access)
{
	switch (access) {
	case LIBDMABUF_READ:
		return DMA_FROM_DEVICE;
	case LIBDMABUF_WRITE:
		return DMA_TO_DEVICE;
	case LIBDMABUF_READ_WRITE:
		return DMA_BIDIRECTIONAL;
	}
	return DMA_NONE;
}

const char *libdmabuf_version(void)
{
	return LIBDMABUF_VERSION;
}

const char *libdmabuf_error_text(int err)
{
	switch (-err) {
	case 0:
		return "no error";
	case ENOENT:
		return "there is no heap of this name";
	case EACCES:
		return "the buffer's descriptor is not opened for this access";
	case ENOTTY:
		return "the descriptor does not know this request";
	case EINVAL:
		return "an argument is not what the call takes, or the wrong state for it";
	case ENOMEM:
		return "no memory, addresses or bounce slots left";
	case EBADF:
		return "not an open descriptor of this library's";
	case EMFILE:
		return "the process has no descriptor left";
	case ENFILE:
		return "the system has no descriptor left";
	case EBUSY:
		return "in use";
	case EFAULT:
		return "DMA fault: the mapping does not allow this access; or an address that is "
		       "none";
	case ENODEV:
		return "the device or the exporter has gone";
	case EINTR:
	case ERESTARTSYS:
		return "interrupted; try again";
	case EAGAIN:
		return "not now; try again";
	}
	return "an error of the exporter's own";
}

/* --- machines and devices --------------------------------------------------------------------- */

const char *libdmabuf_machine_name(unsigned int index)
{
	const struct machine_type *type = machine_types;

	while (type->name && index--)
		type++;
	return type->name;
}

int libdmabuf_machine_create(const char *name, struct libdmabuf_machine **machine)
{
	const struct machine_type *type = name ? machine_type_find(name) : NULL;
	struct libdmabuf_machine *m;
	int ret;

	if (!machine)
		return -EINVAL;
	*machine = NULL;
	if (!type)
		return -EINVAL;
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->machine = machine_create(type, 0);
	if (IS_ERR(m->machine)) {
		ret = PTR_ERR(m->machine);
		kfree(m);
		return ret;
	}
	handle_open(&m->node, &machines);
	*machine = m;
	return 0;
}

/* The first device of @machine, or NULL. */
static struct libdmabuf_device *machine_device(struct libdmabuf_machine *machine)
{
	struct libdmabuf_device *device, *found = NULL;

	mutex_lock(&handles_lock);
	list_for_each_entry(device, &devices, node)
		if (device->machine == machine) {
			found = device;
			break;
		}
	mutex_unlock(&handles_lock);
	return found;
}

void libdmabuf_machine_destroy(struct libdmabuf_machine *machine)
{
	struct libdmabuf_device *device;

	if (!machine)
		return;
	while ((device = machine_device(machine)))
		libdmabuf_device_remove(device);
	handle_close(&machine->node);
	machine_destroy(machine->machine);
	kfree(machine);
}

int libdmabuf_device_add(struct libdmabuf_machine *machine, const char *name,
			 enum libdmabuf_snooping snooping, struct libdmabuf_device **device)
{
	bool coherent = snooping == LIBDMABUF_SNOOPING_ON;
	struct libdmabuf_device *d;
	int ret;

	if (!device)
		return -EINVAL;
	*device = NULL;
	if (!machine || !name || (unsigned int)snooping > LIBDMABUF_SNOOPING_OFF)
		return -EINVAL;
	if (snooping == LIBDMABUF_SNOOPING_DEFAULT)
		coherent = machine_type_of(machine->machine)->coherent;
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return -ENOMEM;
	d->machine = machine;
	d->dev = machine_add_device(machine->machine, name, coherent);
	if (IS_ERR(d->dev)) {
		ret = PTR_ERR(d->dev);
		kfree(d);
		return ret;
	}
	handle_open(&d->node, &devices);
	*device = d;
	return 0;
}

static struct libdmabuf_attachment *device_attachment(struct libdmabuf_device *device)
{
	struct libdmabuf_attachment *attachment, *found = NULL;

	mutex_lock(&handles_lock);
	list_for_each_entry(attachment, &attachments, node)
		if (attachment->device == device) {
			found = attachment;
			break;
		}
	mutex_unlock(&handles_lock);
	return found;
}

void libdmabuf_device_remove(struct libdmabuf_device *device)
{
	struct libdmabuf_attachment *attachment;

	if (!device)
		return;
	while ((attachment = device_attachment(device)))
		libdmabuf_detach(attachment);
	handle_close(&device->node);
	machine_remove_device(device->dev);
	kfree(device);
}

struct device *libdmabuf_device_of(struct libdmabuf_device *device)
{
	return device ? device->dev : NULL;
}

/* --- buffers ---------------------------------------------------------------------------------- */

int libdmabuf_policy_set(enum libdmabuf_policy policy)
{
	switch (policy) {
	case LIBDMABUF_POLICY_CACHED:
		dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
		return 0;
	case LIBDMABUF_POLICY_REMAP:
		dma_buf_set_policy(DMA_BUF_POLICY_REMAP);
		return 0;
	}
	return -EINVAL;
}

enum libdmabuf_policy libdmabuf_policy_get(void)
{
	return dma_buf_get_policy() == DMA_BUF_POLICY_REMAP ? LIBDMABUF_POLICY_REMAP
							    : LIBDMABUF_POLICY_CACHED;
}

/* Takes over the caller's reference to @dmabuf, also when it fails. */
static int buffer_open(struct dma_buf *dmabuf, struct libdmabuf_buffer **buffer)
{
	struct libdmabuf_buffer *b;

	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b) {
		dma_buf_put(dmabuf);
		return -ENOMEM;
	}
	b->dmabuf = dmabuf;
	handle_open(&b->node, &buffers);
	*buffer = b;
	return 0;
}

int libdmabuf_buffer_create(size_t bytes, struct libdmabuf_buffer **buffer)
{
	if (!buffer)
		return -EINVAL;
	*buffer = NULL;
	return buffer_open(system_heap_allocate(bytes), buffer);
}

int libdmabuf_buffer_import(int fd, struct libdmabuf_buffer **buffer)
{
	if (!buffer)
		return -EINVAL;
	*buffer = NULL;
	return buffer_open(dma_buf_get(fd), buffer);
}

int libdmabuf_buffer_fd(struct libdmabuf_buffer *buffer)
{
	int fd;

	if (!buffer)
		return -EINVAL;
	get_dma_buf(buffer->dmabuf);
	fd = dma_buf_fd(buffer->dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(buffer->dmabuf);
	return fd;
}

int libdmabuf_fd_close(int fd)
{
	return host_close(fd);
}

size_t libdmabuf_buffer_size(const struct libdmabuf_buffer *buffer)
{
	return buffer ? buffer->dmabuf->size : 0;
}

void libdmabuf_buffer_close(struct libdmabuf_buffer *buffer)
{
	if (!buffer)
		return;
	handle_close(&buffer->node);
	vunmap(buffer->read_only);
	dma_buf_put(buffer->dmabuf);
	kfree(buffer);
}

/* --- heaps ------------------------------------------------------------------------------------ */

int libdmabuf_heap_open(const char *name)
{
	char *path;
	int ret;

	if (!name)
		return -EINVAL;
	mutex_lock(&handles_lock);
	own();
	mutex_unlock(&handles_lock);
	ret = heaps_register();
	if (ret)
		return ret;
	path = kasprintf(GFP_KERNEL, "/dev/dma_heap/%s", name);
	if (!path)
		return -ENOMEM;
	ret = host_open(path, O_RDWR | O_CLOEXEC);
	kfree(path);
	return ret;
}

int libdmabuf_fd_ioctl(int fd, unsigned long request, void *argument)
{
	return host_ioctl(fd, request, (unsigned long)argument);
}

int libdmabuf_fd_poll(int fd, short events, int timeout_ms)
{
	return host_poll(fd, (unsigned short)events, timeout_ms);
}

int libdmabuf_buffer_create_from(const char *name, size_t bytes, struct libdmabuf_buffer **buffer)
{
	struct dma_heap_allocation_data data = { .len = bytes, .fd_flags = O_RDWR | O_CLOEXEC };
	int heap, ret;

	if (!buffer)
		return -EINVAL;
	*buffer = NULL;
	heap = libdmabuf_heap_open(name);
	if (heap < 0)
		return heap;
	ret = libdmabuf_fd_ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	host_close(heap);
	if (ret)
		return ret;
	ret = libdmabuf_buffer_import(data.fd, buffer);
	host_close(data.fd);
	return ret;
}

/* --- who may access --------------------------------------------------------------------------- */

static bool opened_for(const struct dma_buf *dmabuf, enum libdmabuf_access access)
{
	fmode_t mode = dmabuf->file->f_mode;

	return (!(access & LIBDMABUF_READ) || mode & FMODE_READ) &&
	       (!(access & LIBDMABUF_WRITE) || mode & FMODE_WRITE);
}

/* --- a device's accesses ---------------------------------------------------------------------- */

int libdmabuf_attach(struct libdmabuf_device *device, struct libdmabuf_buffer *buffer,
		     struct libdmabuf_attachment **attachment)
{
	struct libdmabuf_attachment *a;
	int ret;

	if (!attachment)
		return -EINVAL;
	*attachment = NULL;
	if (!device || !buffer)
		return -EINVAL;
	a = kzalloc(sizeof(*a), GFP_KERNEL);
	if (!a)
		return -ENOMEM;
	a->device = device;
	a->dmabuf = buffer->dmabuf;
	a->attach = dma_buf_attach(a->dmabuf, device->dev);
	if (IS_ERR(a->attach)) {
		ret = PTR_ERR(a->attach);
		kfree(a);
		return ret;
	}
	get_dma_buf(a->dmabuf);
	handle_open(&a->node, &attachments);
	*attachment = a;
	return 0;
}

void libdmabuf_detach(struct libdmabuf_attachment *attachment)
{
	if (!attachment)
		return;
	if (attachment->sgt)
		libdmabuf_unmap(attachment);
	handle_close(&attachment->node);
	dma_buf_detach(attachment->dmabuf, attachment->attach);
	dma_buf_put(attachment->dmabuf);
	kfree(attachment);
}

int libdmabuf_map(struct libdmabuf_attachment *attachment, enum libdmabuf_access access)
{
	enum dma_data_direction dir = device_direction(access);
	struct sg_table *sgt;

	if (!attachment || dir == DMA_NONE)
		return -EINVAL;
	if (!opened_for(attachment->dmabuf, access))
		return -EACCES;
	if (attachment->sgt)
		return -EBUSY;
	sgt = dma_buf_map_attachment_unlocked(attachment->attach, dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	attachment->sgt = sgt;
	attachment->dir = dir;
	return 0;
}

int libdmabuf_unmap(struct libdmabuf_attachment *attachment)
{
	if (!attachment || !attachment->sgt)
		return -EINVAL;
	dma_buf_unmap_attachment_unlocked(attachment->attach, attachment->sgt, attachment->dir);
	attachment->sgt = NULL;
	return 0;
}

int libdmabuf_device_read(struct libdmabuf_attachment *attachment, size_t offset, void *to,
			  size_t bytes)
{
	if (!attachment || !attachment->sgt || !to)
		return -EINVAL;
	if (!opened_for(attachment->dmabuf, LIBDMABUF_READ))
		return -EACCES;
	return dma_engine_read(attachment->device->dev, attachment->sgt, offset, to, bytes);
}

int libdmabuf_device_write(struct libdmabuf_attachment *attachment, size_t offset, const void *from,
			   size_t bytes)
{
	if (!attachment || !attachment->sgt || !from)
		return -EINVAL;
	if (!opened_for(attachment->dmabuf, LIBDMABUF_WRITE))
		return -EACCES;
	return dma_engine_write(attachment->device->dev, attachment->sgt, offset, from, bytes);
}

/* --- the CPU's accesses ----------------------------------------------------------------------- */

int libdmabuf_cpu_begin(struct libdmabuf_buffer *buffer, enum libdmabuf_access access)
{
	if (!buffer || cpu_direction(access) == DMA_NONE)
		return -EINVAL;
	if (!opened_for(buffer->dmabuf, access))
		return -EACCES;
	return dma_buf_begin_cpu_access(buffer->dmabuf, cpu_direction(access));
}

int libdmabuf_cpu_end(struct libdmabuf_buffer *buffer, enum libdmabuf_access access)
{
	if (!buffer || cpu_direction(access) == DMA_NONE)
		return -EINVAL;
	if (!opened_for(buffer->dmabuf, access))
		return -EACCES;
	return dma_buf_end_cpu_access(buffer->dmabuf, cpu_direction(access));
}

static bool range_fits(const struct libdmabuf_buffer *buffer, size_t offset, size_t bytes)
{
	return buffer && offset <= buffer->dmabuf->size && bytes <= buffer->dmabuf->size - offset;
}

int libdmabuf_cpu_begin_range(struct libdmabuf_buffer *buffer, enum libdmabuf_access access,
			      size_t offset, size_t bytes)
{
	if (!range_fits(buffer, offset, bytes) || cpu_direction(access) == DMA_NONE)
		return -EINVAL;
	if (!opened_for(buffer->dmabuf, access))
		return -EACCES;
	return dma_buf_begin_cpu_access_partial(buffer->dmabuf, cpu_direction(access), offset,
						bytes);
}

int libdmabuf_cpu_end_range(struct libdmabuf_buffer *buffer, enum libdmabuf_access access,
			    size_t offset, size_t bytes)
{
	if (!range_fits(buffer, offset, bytes) || cpu_direction(access) == DMA_NONE)
		return -EINVAL;
	if (!opened_for(buffer->dmabuf, access))
		return -EACCES;
	return dma_buf_end_cpu_access_partial(buffer->dmabuf, cpu_direction(access), offset, bytes);
}

void *libdmabuf_buffer_vaddr(struct libdmabuf_buffer *buffer, size_t offset, size_t *bytes)
{
	size_t ignored;
	void *vaddr;

	if (!bytes)
		bytes = &ignored;
	*bytes = 0;
	vaddr = buffer ? heaps_vaddr(buffer->dmabuf, offset, bytes) : NULL;
	if (!vaddr || opened_for(buffer->dmabuf, LIBDMABUF_WRITE))
		return vaddr;

	*bytes = 0;
	if (!buffer->read_only)
		buffer->read_only = heaps_map_read_only(buffer->dmabuf);
	if (!buffer->read_only)
		return NULL;
	*bytes = buffer->dmabuf->size - offset;
	return buffer->read_only + offset;
}

/* --- costs ------------------------------------------------------------------------------------ */

const char *libdmabuf_cost_name(unsigned int index)
{
	return index < DMA_COST_NR ? dma_cost_name(index) : NULL;
}

unsigned int libdmabuf_costs(uint64_t *count, unsigned int room)
{
	struct dma_costs costs;

	dma_cost_read(&costs);
	for (unsigned int i = 0; count && i < room && i < DMA_COST_NR; i++)
		count[i] = costs.count[i];
	return DMA_COST_NR;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void close_handles(void)
{
	while (!list_empty(&attachments))
		libdmabuf_detach(list_first_entry(&attachments, struct libdmabuf_attachment, node));
	while (!list_empty(&buffers))
		libdmabuf_buffer_close(list_first_entry(&buffers, struct libdmabuf_buffer, node));
	while (!list_empty(&machines))
		libdmabuf_machine_destroy(
			list_first_entry(&machines, struct libdmabuf_machine, node));
}

int libdmabuf_fini(void)
{
	if (owner && owner != getpid()) {
		host_close_all(true);
		host_memory_fini(true);
		return 0;
	}
	close_handles();
	host_close_all(false);
	heaps_unregister();
	rcu_barrier();
	host_workers_stop();
	rcu_barrier();
	host_workers_stop();
	owner = 0;
	return host_memory_fini(false) ? 0 : -EBUSY;
}
