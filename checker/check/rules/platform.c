/* SPDX-License-Identifier: MIT */
/* platform.c - a platform driver whose misc device gives a program memory of the device's; it breaks nothing */
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include <libdmabuf-check.h>

#include "drivers/exporters/system-heap.h"

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#error "whose version is that?"
#endif

struct frames {
	struct miscdevice misc;
	void *table; /* that the device reads */
	dma_addr_t table_addr;
	int irq;
};

static irqreturn_t frames_irq(int irq, void *data)
{
	return IRQ_HANDLED;
}

static long frames_ioctl(struct file *file, unsigned int request, unsigned long argument)
{
	struct dma_buf *dmabuf;
	u64 bytes;
	int fd;

	if (get_user(bytes, (u64 __user *)argument))
		return -EFAULT;
	dmabuf = system_heap_allocate_flags(bytes, O_RDWR | O_CLOEXEC);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (fd < 0)
		dma_buf_put(dmabuf);
	return fd;
}

static const struct file_operations frames_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = frames_ioctl,
};

static int frames_probe(struct platform_device *pdev)
{
	struct frames *frames = devm_kzalloc(&pdev->dev, sizeof(*frames), GFP_KERNEL);
	int ret;

	if (!frames)
		return -ENOMEM;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	frames->irq = platform_get_irq(pdev, 0);
	if (frames->irq < 0)
		return frames->irq;
	ret = devm_request_irq(&pdev->dev, frames->irq, frames_irq, 0, "frames", frames);
	if (ret)
		return ret;
	frames->table = dma_alloc_coherent(&pdev->dev, SZ_4K, &frames->table_addr, GFP_KERNEL);
	if (!frames->table)
		return -ENOMEM;
	frames->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = "frames",
		.fops = &frames_fops,
		.parent = &pdev->dev,
	};
	ret = misc_register(&frames->misc);
	if (ret) {
		dma_free_coherent(&pdev->dev, SZ_4K, frames->table, frames->table_addr);
		return ret;
	}
	platform_set_drvdata(pdev, frames);
	return 0;
}

static void frames_remove(struct platform_device *pdev)
{
	struct frames *frames = platform_get_drvdata(pdev);

	misc_deregister(&frames->misc);
	dma_free_coherent(&pdev->dev, SZ_4K, frames->table, frames->table_addr);
}

static const struct of_device_id frames_of_ids[] = { { .compatible = "test,frames" }, {} };
MODULE_DEVICE_TABLE(of, frames_of_ids);

static struct platform_driver frames_driver = {
	.probe = frames_probe,
	.remove = frames_remove,
	.driver = {
		.name = "frames",
		.of_match_table = of_match_ptr(frames_of_ids),
	},
};
module_platform_driver(frames_driver);

MODULE_LICENSE("Dual MIT/GPL");

DMABUF_CHECK_IOCTLS({
	.node = "frames",
	.request = _IOW('f', 1, u64),
	.argument = sizeof(u64),
	.size = { 0, sizeof(u64) },
});
