/* SPDX-License-Identifier: MIT */
/*
 * importer.c - see importer.h
 *
 * A device without an engine of its own has the CPU copy in its place, at the address it was given:
 * through an IOMMU's page table, into a bounce slot, as the device would.
 */
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/iommu-dma.h>
#include <linux/iommu.h>
#include <linux/iosys-map.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "importer.h"
#include "tools.h"

#define HANDLES 64
#define CHUNK 4096
/* QEMU's edu takes the last byte of its 4 KiB for one past the end. */
#define ENGINE_CHUNK 2048

struct handle {
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct iosys_map vmap;
	bool mapped_for_cpu;
	unsigned int moves; /* guarded by the reservation */
	enum importer_device device;
};

struct session {
	struct mutex lock;
	struct handle handles[HANDLES];
};

struct device *importer_devices[IMPORTER_DEVICES];

/* --- edu's engine ----------------------------------------------------------------------------- */

#define EDU_SOURCE 0x80
#define EDU_TARGET 0x88
#define EDU_COUNT 0x90
#define EDU_COMMAND 0x98
#define EDU_RUN 1
#define EDU_TO_MEMORY 2
#define EDU_BUFFER 0x40000

static struct engine {
	void __iomem *registers;
	void *bytes; /* CHUNK, coherent, at dma */
	dma_addr_t dma;
} engines[IMPORTER_DEVICES];

static int edu_move(struct engine *engine, u64 source, u64 target, size_t size, u32 command)
{
	writeq(source, engine->registers + EDU_SOURCE);
	writeq(target, engine->registers + EDU_TARGET);
	writeq(size, engine->registers + EDU_COUNT);
	writeq(command | EDU_RUN, engine->registers + EDU_COMMAND);
	for (int i = 0; i < 2000; i++) {
		if (!(readq(engine->registers + EDU_COMMAND) & EDU_RUN))
			return 0;
		usleep_range(500, 1000);
	}
	return -ETIMEDOUT;
}

static int engine_write(struct engine *engine, dma_addr_t to, const void *bytes, size_t size)
{
	int ret;

	memcpy(engine->bytes, bytes, size);
	ret = edu_move(engine, engine->dma, EDU_BUFFER, size, 0);
	return ret ?: edu_move(engine, EDU_BUFFER, to, size, EDU_TO_MEMORY);
}

static int engine_read(struct engine *engine, dma_addr_t from, void *bytes, size_t size)
{
	int ret = edu_move(engine, from, EDU_BUFFER, size, 0);

	ret = ret ?: edu_move(engine, EDU_BUFFER, engine->dma, size, EDU_TO_MEMORY);
	memcpy(bytes, engine->bytes, size);
	return ret;
}

/* --- the CPU in a device's place -------------------------------------------------------------- */

static void *device_view(struct device *dev, dma_addr_t address)
{
	phys_addr_t physical;

	if (use_dma_iommu(dev))
		physical = iommu_iova_to_phys(iommu_get_domain_for_dev(dev), address);
	else
		physical = dma_to_phys(dev, address);
	return physical ? phys_to_virt(physical) : NULL;
}

static int transfer(struct handle *h, struct importer_call *call, u8 *bytes, bool write)
{
	struct device *dev = importer_devices[h->device];
	struct engine *engine = &engines[h->device];
	size_t start = 0, done = 0;
	struct scatterlist *sg;
	unsigned int i;
	int ret;

	if (call->flags & IMPORT_ENGINE && !engine->registers)
		return -EOPNOTSUPP;
	for_each_sgtable_dma_sg(h->sgt, sg, i) {
		size_t at = call->offset + done;

		while (done < call->size && at >= start && at < start + sg_dma_len(sg)) {
			dma_addr_t dma = sg_dma_address(sg) + (at - start);
			size_t size = min3(start + sg_dma_len(sg) - at, call->size - done,
					   PAGE_SIZE - (at & ~PAGE_MASK));

			if (call->flags & IMPORT_ENGINE)
				size = min_t(size_t, size, ENGINE_CHUNK);

			if (call->flags & IMPORT_ENGINE) {
				ret = write ? engine_write(engine, dma, bytes + done, size)
					    : engine_read(engine, dma, bytes + done, size);
				if (ret)
					return ret;
			} else {
				void *view = device_view(dev, dma);

				if (!view)
					return -EFAULT;
				if (write)
					memcpy(view, bytes + done, size);
				else
					memcpy(bytes + done, view, size);
			}
			done += size;
			at += size;
		}
		start += sg_dma_len(sg);
	}
	return done == call->size ? 0 : -ERANGE;
}

/* --- operations ------------------------------------------------------------------------------- */

static void importer_moves(struct dma_buf_attachment *attach)
{
	struct handle *h = attach->importer_priv;

	h->moves++;
}

static const struct dma_buf_attach_ops dynamic_ops = { .move_notify = importer_moves };

static struct handle *handle_of(struct session *session, struct importer_call *call, bool mapped)
{
	struct handle *h = call->handle < HANDLES ? &session->handles[call->handle] : NULL;

	return h && h->attach && (!mapped || h->sgt) ? h : NULL;
}

static int do_attach(struct session *session, struct importer_call *call)
{
	struct dma_buf_attachment *attach;
	struct dma_buf *dmabuf;
	unsigned int i;

	for (i = 0; i < HANDLES && session->handles[i].attach; i++)
		;
	if (i == HANDLES)
		return -EMFILE;
	if (call->device >= IMPORTER_DEVICES || !importer_devices[call->device])
		return -ENODEV;
	dmabuf = dma_buf_get(call->fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (call->flags & IMPORT_DYNAMIC)
		attach = dma_buf_dynamic_attach(dmabuf, importer_devices[call->device],
						&dynamic_ops, &session->handles[i]);
	else
		attach = dma_buf_attach(dmabuf, importer_devices[call->device]);
	if (IS_ERR(attach)) {
		dma_buf_put(dmabuf);
		return PTR_ERR(attach);
	}
	session->handles[i].dmabuf = dmabuf;
	session->handles[i].attach = attach;
	session->handles[i].device = call->device;
	call->handle = i;
	return 0;
}

static int do_detach(struct handle *h)
{
	dma_buf_detach(h->dmabuf, h->attach);
	dma_buf_put(h->dmabuf);
	*h = (struct handle){ 0 };
	return 0;
}

static bool is_bounced(struct device *dev, struct sg_table *sgt)
{
	return sg_page(sgt->sgl) && device_view(dev, sg_dma_address(sgt->sgl)) != sg_virt(sgt->sgl);
}

static int do_map(struct handle *h, struct importer_call *call)
{
	struct sg_table *sgt;

	if (h->sgt)
		return -EBUSY;
	sgt = dma_buf_map_attachment_unlocked(h->attach, call->dir);
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	h->sgt = sgt;
	call->nents = sgt->nents;
	call->orig_nents = sgt->orig_nents;
	call->dma = sg_dma_address(sgt->sgl);
	call->bounced = is_bounced(importer_devices[h->device], sgt);
	return 0;
}

static int do_unmap(struct handle *h, struct importer_call *call)
{
	dma_buf_unmap_attachment_unlocked(h->attach, h->sgt, call->dir);
	h->sgt = NULL;
	return 0;
}

static int do_transfer(struct handle *h, struct importer_call *call, bool write, bool cpu)
{
	u8 *bytes;
	int ret = 0;

	if (!call->size || call->size > CHUNK || call->offset > h->dmabuf->size - call->size)
		return -EINVAL;
	if (cpu && !h->mapped_for_cpu)
		return -EINVAL;
	bytes = kmalloc(CHUNK, GFP_KERNEL);
	if (!bytes)
		return -ENOMEM;
	if (write && copy_from_user(bytes, u64_to_user_ptr(call->bytes), call->size))
		ret = -EFAULT;
	if (!ret && cpu && write)
		iosys_map_memcpy_to(&h->vmap, call->offset, bytes, call->size);
	else if (!ret && cpu)
		iosys_map_memcpy_from(bytes, &h->vmap, call->offset, call->size);
	else if (!ret)
		ret = transfer(h, call, bytes, write);
	if (!ret && !write && copy_to_user(u64_to_user_ptr(call->bytes), bytes, call->size))
		ret = -EFAULT;
	kfree(bytes);
	return ret;
}

static int do_vmap(struct handle *h)
{
	int ret;

	if (h->mapped_for_cpu)
		return -EBUSY;
	ret = dma_buf_vmap_unlocked(h->dmabuf, &h->vmap);
	h->mapped_for_cpu = !ret;
	return ret;
}

static int do_vunmap(struct handle *h)
{
	if (!h->mapped_for_cpu)
		return -EINVAL;
	dma_buf_vunmap_unlocked(h->dmabuf, &h->vmap);
	h->mapped_for_cpu = false;
	return 0;
}

static int do_pin(struct handle *h, bool pin)
{
	int ret = 0;

	dma_resv_lock(h->dmabuf->resv, NULL);
	if (pin)
		ret = dma_buf_pin(h->attach);
	else
		dma_buf_unpin(h->attach);
	dma_resv_unlock(h->dmabuf->resv);
	return ret;
}

static int with_handle(struct session *session, struct importer_call *call)
{
	bool mapped =
		call->op == IMPORT_UNMAP || call->op == IMPORT_WRITE || call->op == IMPORT_READ;
	struct handle *h = handle_of(session, call, mapped);

	if (!h)
		return -EINVAL;
	switch (call->op) {
	case IMPORT_DETACH:
		return do_detach(h);
	case IMPORT_MAP:
		return do_map(h, call);
	case IMPORT_UNMAP:
		return do_unmap(h, call);
	case IMPORT_WRITE:
	case IMPORT_READ:
		return do_transfer(h, call, call->op == IMPORT_WRITE, false);
	case IMPORT_VMAP:
		return do_vmap(h);
	case IMPORT_VUNMAP:
		return do_vunmap(h);
	case IMPORT_CPU_WRITE:
	case IMPORT_CPU_READ:
		return do_transfer(h, call, call->op == IMPORT_CPU_WRITE, true);
	case IMPORT_TOLD:
		call->size = h->moves;
		return 0;
	default:
		return do_pin(h, call->op == IMPORT_PIN);
	}
}

static long importer_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct session *session = file->private_data;
	struct importer_call call;
	long ret;

	if (command != IMPORTER_CALL)
		return -ENOTTY;
	if (copy_from_user(&call, (void __user *)argument, sizeof(call)))
		return -EFAULT;
	mutex_lock(&session->lock);
	switch (call.op) {
	case IMPORT_ATTACH:
		ret = do_attach(session, &call);
		break;
	case IMPORT_DETACH ... IMPORT_TOLD:
		ret = with_handle(session, &call);
		break;
	default:
		ret = tools_call(&call);
	}
	mutex_unlock(&session->lock);
	if (ret >= 0 && copy_to_user((void __user *)argument, &call, sizeof(call)))
		ret = -EFAULT;
	return ret;
}

static int importer_open(struct inode *inode, struct file *file)
{
	struct session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return -ENOMEM;
	mutex_init(&session->lock);
	file->private_data = session;
	return 0;
}

/* As a driver does for a client that dies. */
static int importer_release(struct inode *inode, struct file *file)
{
	struct session *session = file->private_data;

	for (unsigned int i = 0; i < HANDLES; i++) {
		struct handle *h = &session->handles[i];

		if (!h->attach)
			continue;
		if (h->mapped_for_cpu)
			do_vunmap(h);
		if (h->sgt)
			dma_buf_unmap_attachment_unlocked(h->attach, h->sgt, DMA_BIDIRECTIONAL);
		do_detach(h);
	}
	kfree(session);
	return 0;
}

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
	.open = importer_open,
	.release = importer_release,
	.unlocked_ioctl = importer_ioctl,
};

static struct miscdevice importer_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "importer",
	.fops = &importer_fops,
};

/* --- devices ---------------------------------------------------------------------------------- */

static int plain_probe(struct platform_device *device)
{
	bool narrow = device->id == DEVICE_NARROW;

	return dma_coerce_mask_and_coherent(&device->dev, DMA_BIT_MASK(narrow ? 32 : 64));
}

static struct platform_driver plain_driver = {
	.probe = plain_probe,
	.driver = { .name = "importer" },
};

static int edu_probe(struct pci_dev *device, const struct pci_device_id *id)
{
	enum importer_device kind = importer_devices[DEVICE_PCI] ? DEVICE_PCI_NARROW : DEVICE_PCI;
	struct engine *engine = &engines[kind];
	int ret;

	ret = pcim_enable_device(device);
	if (ret)
		return ret;
	pci_set_master(device);
	ret = dma_set_mask_and_coherent(&device->dev, DMA_BIT_MASK(kind == DEVICE_PCI ? 64 : 32));
	if (ret)
		return ret;
	engine->registers = pcim_iomap(device, 0, 0);
	engine->bytes = dmam_alloc_coherent(&device->dev, CHUNK, &engine->dma, GFP_KERNEL);
	if (!engine->registers || !engine->bytes)
		return -ENOMEM;
	importer_devices[kind] = &device->dev;
	return 0;
}

static const struct pci_device_id edu_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) }, {} };
static struct pci_driver edu_driver = {
	.name = "importer-edu",
	.id_table = edu_ids,
	.probe = edu_probe,
};

static struct platform_device *plain[DEVICE_NARROW + 1];

static void plain_remove(unsigned int n)
{
	while (n--)
		platform_device_unregister(plain[n]);
	platform_driver_unregister(&plain_driver);
}

static int __init importer_init(void)
{
	unsigned int i;
	int ret;

	ret = platform_driver_register(&plain_driver);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		plain[i] = platform_device_register_simple("importer", i, NULL, 0);
		if (IS_ERR(plain[i])) {
			ret = PTR_ERR(plain[i]);
			goto devices;
		}
		importer_devices[i] = &plain[i]->dev;
	}
	ret = pci_register_driver(&edu_driver);
	if (ret)
		goto devices;
	ret = misc_register(&importer_misc);
	if (ret)
		goto edu;
	return 0;

edu:
	pci_unregister_driver(&edu_driver);
devices:
	plain_remove(i);
	return ret;
}

static void __exit importer_exit(void)
{
	misc_deregister(&importer_misc);
	tools_exit();
	pci_unregister_driver(&edu_driver);
	plain_remove(ARRAY_SIZE(plain));
}

module_init(importer_init);
module_exit(importer_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("importer and exporter for tests of dmabuf-cache");
MODULE_IMPORT_NS(DMA_BUF);
