/* SPDX-License-Identifier: MIT */
/* What of Linux's drivers no device sees: virtio's three calls, vgem's fences, programs' memory. */
#include <linux/dma-resv.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/udmabuf.h>
#include <linux/virtio_dma_buf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dma/machine.h"
#include "host/file.h"
#include "tests/ktap.h"
#include "upstream/drivers/rig.h"
#include "vgem_drv.h"

struct rig {
	struct machine *machine;
	struct device *dev;
};

static struct rig rig_open(void)
{
	struct rig rig = { .machine = machine_create(&machine_types[0], 0) };

	rig.dev = machine_add_device(rig.machine, "device", true);
	return rig;
}

static void rig_close(struct rig *rig)
{
	machine_remove_device(rig->dev);
	machine_destroy(rig->machine);
}

/* --- virtio ----------------------------------------------------------------------------------- */

static const uuid_t uuid = { .b = { 1, 2, 3 } };
static int attaches, refuse;

static struct sg_table *no_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	return ERR_PTR(-ENODEV);
}

static void no_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		     enum dma_data_direction dir)
{
}

static void no_release(struct dma_buf *dmabuf)
{
}

static int device_attach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	attaches++;
	return refuse;
}

static int get_uuid(struct dma_buf *dmabuf, uuid_t *out)
{
	*out = uuid;
	return 0;
}

static struct virtio_dma_buf_ops virtio_ops = {
	.ops = {
		.attach = virtio_dma_buf_attach,
		.map_dma_buf = no_map,
		.unmap_dma_buf = no_unmap,
		.release = no_release,
	},
	.device_attach = device_attach,
	.get_uuid = get_uuid,
};

static struct dma_buf *virtio_export(void)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.ops = &virtio_ops.ops;
	info.size = PAGE_SIZE;
	info.priv = &virtio_ops;
	return virtio_dma_buf_export(&info);
}

static void virtio_buffers_have_a_uuid(struct ktap *t)
{
	struct dma_buf *dmabuf = virtio_export();
	uuid_t seen = {};

	KT_ASSERT(t, !IS_ERR(dmabuf));
	KT_CHECK(t, is_virtio_dma_buf(dmabuf));
	KT_EQ(t, virtio_dma_buf_get_uuid(dmabuf, &seen), 0);
	KT_EQ(t, memcmp(&seen, &uuid, sizeof(uuid)), 0);
	dma_buf_put(dmabuf);
}

static void virtio_asks_the_device_at_attach(struct ktap *t)
{
	struct dma_buf *dmabuf = virtio_export();
	struct dma_buf_attachment *attach;
	struct rig rig = rig_open();

	attaches = 0;
	refuse = -EPERM;
	attach = dma_buf_attach(dmabuf, rig.dev);
	KT_EQ(t, PTR_ERR(attach), -EPERM);
	refuse = 0;
	attach = dma_buf_attach(dmabuf, rig.dev);
	KT_CHECK(t, !IS_ERR(attach));
	KT_CHECK(t, attaches >= 2);
	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	rig_close(&rig);
}

static void virtio_refuses_what_is_none(struct ktap *t)
{
	struct exported buffer = {};
	struct rig rig = rig_open();
	uuid_t seen;

	virtio_ops.get_uuid = NULL;
	KT_EQ(t, PTR_ERR(virtio_export()), -EINVAL);
	virtio_ops.get_uuid = get_uuid;

	KT_EQ(t, linux_exporters[0].open(&buffer, rig.dev, PAGE_SIZE), 0);
	KT_CHECK(t, !is_virtio_dma_buf(buffer.dmabuf));
	KT_EQ(t, virtio_dma_buf_get_uuid(buffer.dmabuf, &seen), -EINVAL);
	linux_exporters[0].close(&buffer);
	rig_close(&rig);
}

/* --- vgem's fences ---------------------------------------------------------------------------- */

struct vgem {
	struct rig rig;
	struct gem_device *gem;
	struct vgem_file file;
	u32 handle;
	int fd; /* of the buffer */
};

static void vgem_open(struct vgem *v)
{
	v->rig = rig_open();
	v->gem = gem_device_create(v->rig.dev);
	vgem_fence_open(&v->file);
	gem_device_file(v->gem)->driver_priv = &v->file;
	gem_device_new(v->gem, PAGE_SIZE, &v->handle);
	v->fd = gem_device_export(v->gem, v->handle);
}

static void vgem_close(struct vgem *v)
{
	vgem_fence_close(&v->file);
	host_close(v->fd);
	gem_device_delete(v->gem, v->handle);
	gem_device_destroy(v->gem);
	rig_close(&v->rig);
}

static int fence_attach(struct vgem *v, struct drm_vgem_fence_attach *arg)
{
	return vgem_fence_attach_ioctl(gem_device_drm(v->gem), arg, gem_device_file(v->gem));
}

static int fence_signal(struct vgem *v, u32 fence, u32 flags)
{
	struct drm_vgem_fence_signal arg = { .fence = fence, .flags = flags };

	return vgem_fence_signal_ioctl(gem_device_drm(v->gem), &arg, gem_device_file(v->gem));
}

static void a_vgem_fence_holds_the_buffer_back(struct ktap *t)
{
	struct drm_vgem_fence_attach arg = { .flags = VGEM_FENCE_WRITE };
	struct drm_vgem_fence_attach read = {};
	struct vgem v;

	vgem_open(&v);
	KT_ASSERT(t, v.fd >= 0);
	arg.handle = read.handle = v.handle;
	KT_EQ(t, host_poll(v.fd, EPOLLIN, 0), EPOLLIN);
	KT_EQ(t, fence_attach(&v, &arg), 0);
	KT_CHECK(t, arg.out_fence > 0);
	KT_EQ(t, host_poll(v.fd, EPOLLIN, 0), 0);
	KT_EQ(t, fence_attach(&v, &read), -EBUSY);
	KT_EQ(t, fence_signal(&v, arg.out_fence, 0), 0);
	KT_EQ(t, host_poll(v.fd, EPOLLIN, 0), EPOLLIN);

	/* One that only reads holds writers back. */
	KT_EQ(t, fence_attach(&v, &read), 0);
	KT_EQ(t, host_poll(v.fd, EPOLLIN, 0), EPOLLIN);
	KT_EQ(t, host_poll(v.fd, EPOLLOUT, 0), 0);
	vgem_close(&v);
}

static void vgem_refuses(struct ktap *t)
{
	struct drm_vgem_fence_attach arg = {};
	struct vgem v;

	vgem_open(&v);
	arg.handle = v.handle + 1;
	KT_EQ(t, fence_attach(&v, &arg), -ENOENT);
	arg.handle = v.handle;
	arg.flags = 2;
	KT_EQ(t, fence_attach(&v, &arg), -EINVAL);
	arg.flags = 0;
	arg.pad = 1;
	KT_EQ(t, fence_attach(&v, &arg), -EINVAL);
	KT_EQ(t, fence_signal(&v, 1, 0), -ENOENT);
	KT_EQ(t, fence_signal(&v, 1, 1), -EINVAL);
	arg.pad = 0;
	KT_EQ(t, fence_attach(&v, &arg), 0);
	KT_EQ(t, fence_signal(&v, arg.out_fence, 0), 0);
	KT_EQ(t, fence_signal(&v, arg.out_fence, 0), -ENOENT);
	vgem_close(&v);
}

/* --- handles ---------------------------------------------------------------------------------- */

static void a_buffer_that_comes_back_is_the_same_object(struct ktap *t)
{
	u32 again = 0, other = 0;
	struct gem_device *b;
	struct vgem v;

	vgem_open(&v);
	KT_EQ(t, gem_device_import(v.gem, v.fd, &again), 0);
	KT_EQ(t, again, v.handle);

	b = gem_device_create(v.rig.dev);
	KT_EQ(t, gem_device_import(b, v.fd, &other), 0);
	KT_CHECK(t, gem_device_table(b, other) != NULL);
	KT_EQ(t, gem_device_import(b, v.fd, &again), 0);
	KT_EQ(t, again, other);
	gem_device_delete(b, other);
	gem_device_destroy(b);
	vgem_close(&v);
}

/* --- udmabuf ---------------------------------------------------------------------------------- */

/* A program's memory as a buffer: what each of the two writes is there for the other. */
static void udmabuf_is_the_programs_memory(struct ktap *t)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = 4 * PAGE_SIZE };
	int node = host_open("/dev/udmabuf", O_RDWR), fd;
	u8 *program, *at;

	create.memfd = memfd_create("program", MFD_ALLOW_SEALING);
	KT_EQ(t, ftruncate(create.memfd, create.size), 0);
	KT_EQ(t, fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	program = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, create.memfd, 0);
	fd = host_ioctl(node, UDMABUF_CREATE, (unsigned long)&create);
	KT_ASSERT(t, fd >= 0);
	close(create.memfd);
	host_close(node);
	at = host_mmap(fd, NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KT_ASSERT(t, !IS_ERR(at));
	program[3 * PAGE_SIZE + 1] = 5;
	KT_EQ(t, at[3 * PAGE_SIZE + 1], 5);
	at[2] = 6;
	KT_EQ(t, program[2], 6);
	KT_EQ(t, host_munmap(at, create.size), 0);
	host_close(fd);
	munmap(program, create.size);
}

static long udmabuf_of(int memfd, u64 offset, u64 size)
{
	struct udmabuf_create create = { .memfd = memfd, .offset = offset, .size = size };
	int node = host_open("/dev/udmabuf", O_RDWR);
	long ret = host_ioctl(node, UDMABUF_CREATE, (unsigned long)&create);

	host_close(node);
	return ret;
}

static void udmabuf_refuses(struct ktap *t)
{
	int memfd = memfd_create("program", MFD_ALLOW_SEALING);

	KT_EQ(t, ftruncate(memfd, PAGE_SIZE), 0);
	KT_EQ(t, udmabuf_of(memfd, 0, PAGE_SIZE), -EINVAL); /* it may shrink */
	KT_EQ(t, fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	KT_EQ(t, udmabuf_of(memfd, 0, PAGE_SIZE - 1), -EINVAL);
	KT_EQ(t, udmabuf_of(memfd, 1, PAGE_SIZE), -EINVAL);
	KT_EQ(t, udmabuf_of(memfd, 0, 0), -EINVAL);
	KT_EQ(t, udmabuf_of(memfd, 0, 2 * PAGE_SIZE), -EINVAL);
	KT_EQ(t, udmabuf_of(memfd, 0, 65ull << 20), -EINVAL); /* size_limit_mb */
	KT_EQ(t, fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	KT_EQ(t, udmabuf_of(memfd, 0, PAGE_SIZE), -EINVAL);
	close(memfd);
	KT_EQ(t, udmabuf_of(memfd, 0, PAGE_SIZE), -EBADFD);
}

/* --- programs' mappings ----------------------------------------------------------------------- */

static void map_one(struct ktap *t, const struct linux_exporter *exporter, struct device *dev)
{
	const size_t size = 3 * PAGE_SIZE;
	struct exported buffer = {};
	struct iosys_map map;
	u8 *at, *part;
	int fd;

	KT_ASSERT(t, !exporter->open(&buffer, dev, size));
	get_dma_buf(buffer.dmabuf);
	fd = dma_buf_fd(buffer.dmabuf, O_CLOEXEC);
	KT_ASSERT(t, fd >= 0);
	at = host_mmap(fd, NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	part = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, PAGE_SIZE);
	KT_ASSERT(t, !IS_ERR(at) && !IS_ERR(part));
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, 4 * PAGE_SIZE, PROT_READ, MAP_SHARED, 0)), -EINVAL);

	KT_EQ(t, dma_buf_vmap_unlocked(buffer.dmabuf, &map), 0);
	at[PAGE_SIZE + 7] = 99;
	KT_EQ(t, ((u8 *)map.vaddr)[PAGE_SIZE + 7], 99);
	((u8 *)map.vaddr)[PAGE_SIZE + 8] = 98;
	((u8 *)map.vaddr)[8] = 97;
	/* A finding: videobuf2-vmalloc.c maps the first page whatever offset was asked for. */
	KT_EQ(t, part[8], strcmp(exporter->name, "videobuf2-vmalloc") ? 98 : 97);
	dma_buf_vunmap_unlocked(buffer.dmabuf, &map);

	/* A mapping keeps the memory when all else has gone, and a part of it does. */
	host_close(fd);
	exporter->close(&buffer);
	KT_EQ(t, host_munmap(part, PAGE_SIZE), 0);
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	KT_EQ(t, at[PAGE_SIZE + 8], 98);
	KT_EQ(t, host_munmap(at + PAGE_SIZE, 2 * PAGE_SIZE), 0);
}

static void programs_map_what_linux_exports(struct ktap *t)
{
	struct rig rig = rig_open();

	for (const struct linux_exporter *e = linux_exporters; e->name; e++)
		map_one(t, e, rig.dev);
	rig_close(&rig);
}

KTAP_MAIN(KTAP_CASE(virtio_buffers_have_a_uuid), KTAP_CASE(virtio_asks_the_device_at_attach),
	  KTAP_CASE(virtio_refuses_what_is_none), KTAP_CASE(a_vgem_fence_holds_the_buffer_back),
	  KTAP_CASE(vgem_refuses), KTAP_CASE(udmabuf_is_the_programs_memory),
	  KTAP_CASE(udmabuf_refuses), KTAP_CASE(a_buffer_that_comes_back_is_the_same_object),
	  KTAP_CASE(programs_map_what_linux_exports))
