/* SPDX-License-Identifier: MIT */
/*
 * device.c - /dev/dmabuf-cache, and the module's beginning and end
 *
 * The module stays for as long as a wrap lives, for each wrap's dma-buf names it as its owner.  What
 * else could call into it ends in cache_exit().
 */
#include <linux/device.h>
#include <linux/device/bus.h>
#include <linux/dma-buf.h>
#include <linux/fcntl.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/uaccess.h>

#include "dmabuf-cache.h"
#include "listing.h"
#include "set.h"
#include "wrap.h"

static long wrap_fd(int fd, u32 flags)
{
	struct dma_buf *dmabuf, *wrapped;
	int ret;

	if (flags & ~(DMABUF_CACHE_DYNAMIC | DMABUF_CACHE_CLOEXEC))
		return -EINVAL;
	dmabuf = dma_buf_get(fd);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	wrapped = wrap_get(dmabuf, flags & DMABUF_CACHE_DYNAMIC);
	dma_buf_put(dmabuf);
	if (IS_ERR(wrapped))
		return PTR_ERR(wrapped);
	ret = dma_buf_fd(wrapped, flags & DMABUF_CACHE_CLOEXEC ? O_CLOEXEC : 0);
	if (ret < 0)
		dma_buf_put(wrapped);
	return ret;
}

static long cache_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	struct dmabuf_cache_wrap wrap;

	if (command != DMABUF_CACHE_WRAP)
		return -ENOTTY;
	if (copy_from_user(&wrap, (void __user *)argument, sizeof(wrap)))
		return -EFAULT;
	return wrap_fd(wrap.fd, wrap.flags);
}

static const struct file_operations cache_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = cache_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice cache_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dmabuf-cache",
	.fops = &cache_fops,
	.mode = 0660,
};

/* --- devices that go -------------------------------------------------------------------------- */

/*
 * Before its driver's remove a device can still be unmapped for; after it come those whom the
 * driver was still attached for.
 */
static int device_goes(struct notifier_block *block, unsigned long event, void *dev)
{
	if (event == BUS_NOTIFY_UNBIND_DRIVER || event == BUS_NOTIFY_UNBOUND_DRIVER)
		sets_device_gone(dev);
	return NOTIFY_OK;
}

static struct {
	const struct bus_type *type;
	struct notifier_block block;
} buses[] = {
	{ &platform_bus_type, { .notifier_call = device_goes } },
#ifdef CONFIG_PCI
	{ &pci_bus_type, { .notifier_call = device_goes } },
#endif
};

static void unwatch_buses(unsigned int n)
{
	while (n--)
		bus_unregister_notifier(buses[n].type, &buses[n].block);
}

static int watch_buses(void)
{
	unsigned int n;
	int ret;

	for (n = 0; n < ARRAY_SIZE(buses); n++) {
		ret = bus_register_notifier(buses[n].type, &buses[n].block);
		if (ret) {
			unwatch_buses(n);
			return ret;
		}
	}
	return 0;
}

static int __init cache_init(void)
{
	int ret;

	ret = idle_init();
	if (ret)
		return ret;
	ret = watch_buses();
	if (ret)
		goto idle;
	ret = misc_register(&cache_device);
	if (ret)
		goto buses;
	listing_init();
	return 0;

buses:
	unwatch_buses(ARRAY_SIZE(buses));
idle:
	idle_exit();
	return ret;
}

/* No wrap lives, so nothing is kept. */
static void __exit cache_exit(void)
{
	listing_exit();
	misc_deregister(&cache_device);
	unwatch_buses(ARRAY_SIZE(buses));
	idle_exit();
}

module_init(cache_init);
module_exit(cache_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("dma-bufs whose mappings are cached and coherent");
MODULE_IMPORT_NS(DMA_BUF);
