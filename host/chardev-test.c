/* SPDX-License-Identifier: MIT */
/* Character devices: numbers, who serves them, names, and opening. */
#include <errno.h>
#include <sys/resource.h>
#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/slab.h>
#include "host/file.h"
#include "host/port.h"
#include "tests/ktap.h"
#include "tests/threads.h"

struct gadget {
	struct cdev cdev;
	int refuse; /* of ->open() */
	int opens, releases;
	bool slow;
	struct completion begun, go;
};

static int gadget_open(struct inode *inode, struct file *file)
{
	struct gadget *gadget = container_of(inode->i_cdev, struct gadget, cdev);

	if (gadget->refuse)
		return gadget->refuse;
	file->private_data = gadget;
	if (gadget->slow) {
		complete(&gadget->begun);
		wait_for_completion(&gadget->go);
	}
	gadget->opens++;
	return 0;
}

static int gadget_release(struct inode *inode, struct file *file)
{
	((struct gadget *)file->private_data)->releases++;
	return 0;
}

static long gadget_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return iminor(file_inode(file)) + cmd;
}

static const struct file_operations gadget_fops = {
	.open = gadget_open,
	.release = gadget_release,
	.unlocked_ioctl = gadget_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static void numbers_are_reserved_once(struct ktap *t)
{
	dev_t a, b;

	KT_EQ(t, alloc_chrdev_region(&a, 3, 4, "a"), 0);
	KT_EQ(t, MINOR(a), 3);
	KT_EQ(t, alloc_chrdev_region(&b, 0, 1, "b"), 0);
	KT_CHECK(t, MAJOR(a) != MAJOR(b));
	KT_EQ(t, register_chrdev_region(a + 3, 1, "c"), -EBUSY);
	KT_EQ(t, register_chrdev_region(a + 4, 1, "c"), 0);
	unregister_chrdev_region(a + 4, 1);
	unregister_chrdev_region(a, 4);
	KT_EQ(t, register_chrdev_region(a + 3, 1, "c"), 0);
	unregister_chrdev_region(a + 3, 1);
	unregister_chrdev_region(b, 1);
	ktap_expect_warn(t, "is not reserved");
	unregister_chrdev_region(b, 1);
	KT_EQ(t, register_chrdev_region(a, 0, "none"), -EINVAL);
	KT_EQ(t, alloc_chrdev_region(&a, MINORMASK, 2, "over"), -EINVAL);
	KT_EQ(t, a, 0);
	KT_EQ(t, alloc_chrdev_region(&a, MINORMASK + 1, 1, "over"), -EINVAL);
}

static void majors_run_out(struct ktap *t)
{
	dev_t dev[64];
	int n = 0, ret;

	while (!(ret = alloc_chrdev_region(&dev[n], 0, 1, "many")))
		n++;
	KT_EQ(t, ret, -EBUSY);
	KT_EQ(t, dev[n], 0);
	while (n)
		unregister_chrdev_region(dev[--n], 1);
}

static void a_device_is_opened_by_its_name(struct ktap *t)
{
	struct gadget gadget = {};
	struct class *class = class_create("gadget");
	struct device *dev;
	dev_t devt;
	int fd;

	KT_EQ(t, alloc_chrdev_region(&devt, 0, 8, "gadget"), 0);
	dev = device_create(class, NULL, devt + 5, &gadget, "gadget%d", 5);
	KT_ASSERT(t, !IS_ERR(dev));
	KT_CHECK(t, dev_get_drvdata(dev) == &gadget);
	KT_EQ(t, host_open("/dev/gadget5", O_RDWR), -ENXIO);
	cdev_init(&gadget.cdev, &gadget_fops);
	KT_EQ(t, cdev_add(&gadget.cdev, devt, 8), 0);
	KT_EQ(t, host_open("/dev/gadget4", O_RDWR), -ENOENT);
	KT_EQ(t, host_open("gadget5", O_RDWR), -ENOENT);
	fd = host_open("/dev/gadget5", O_RDONLY | O_CLOEXEC);
	KT_ASSERT(t, fd >= 0);
	KT_EQ(t, fcntl(fd, F_GETFD), FD_CLOEXEC);
	KT_EQ(t, gadget.opens, 1);
	KT_EQ(t, host_ioctl(fd, 100, 0), 105);
	KT_EQ(t, host_lseek(fd, 7, SEEK_SET), 0);

	/* What goes does not take open files with it. */
	device_destroy(class, devt + 5);
	cdev_del(&gadget.cdev);
	unregister_chrdev_region(devt, 8);
	class_destroy(class);
	KT_EQ(t, host_open("/dev/gadget5", O_RDWR), -ENOENT);
	KT_EQ(t, host_ioctl(fd, 100, 0), 105);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, gadget.releases, 1);
}

static void a_refused_open_is_not_released(struct ktap *t)
{
	struct gadget gadget = { .refuse = -EPERM };
	const struct class class = { .name = "gadget" };

	cdev_init(&gadget.cdev, &gadget_fops);
	KT_EQ(t, cdev_add(&gadget.cdev, MKDEV(60, 0), 1), 0);
	KT_CHECK(t, !IS_ERR(device_create(&class, NULL, MKDEV(60, 0), NULL, "gadget")));
	KT_EQ(t, host_open("/dev/gadget", O_RDWR), -EPERM);
	KT_EQ(t, gadget.releases, 0);
	device_destroy(&class, MKDEV(60, 0));
	cdev_del(&gadget.cdev);
}

static void two_may_not_serve_one_number(struct ktap *t)
{
	struct cdev a, b;

	cdev_init(&a, &gadget_fops);
	cdev_init(&b, &gadget_fops);
	KT_EQ(t, cdev_add(&a, MKDEV(60, 4), 4), 0);
	KT_EQ(t, cdev_add(&b, MKDEV(60, 7), 1), -EBUSY);
	KT_EQ(t, cdev_add(&b, MKDEV(60, 8), 0), -EINVAL);
	KT_EQ(t, cdev_add(&b, MKDEV(60, 8), 1), 0);
	cdev_del(&a);
	cdev_del(&b);
	ktap_expect_warn(t, "not added");
	cdev_del(&b);
}

static void two_may_not_have_one_name(struct ktap *t)
{
	const struct class class = { .name = "gadget" };

	KT_CHECK(t, !IS_ERR(device_create(&class, NULL, MKDEV(60, 0), NULL, "same")));
	KT_EQ(t, PTR_ERR(device_create(&class, NULL, MKDEV(60, 1), NULL, "same")), -EEXIST);
	KT_EQ(t, PTR_ERR(device_create(&class, NULL, MKDEV(60, 1), NULL, "%s", "")), -EINVAL);
	device_destroy(&class, MKDEV(60, 0));
	ktap_expect_warn(t, "no device");
	device_destroy(&class, MKDEV(60, 0));
}

static int open_thread(void *data)
{
	return host_open("/dev/slow", O_RDWR);
}

static int delete_thread(void *data)
{
	cdev_del(data);
	return 0;
}

static void deleting_waits_for_who_is_opening(struct ktap *t)
{
	struct gadget gadget = { .slow = true };
	const struct class class = { .name = "gadget" };
	struct task_struct *opener, *deleter;
	int fd;

	init_completion(&gadget.begun);
	init_completion(&gadget.go);
	cdev_init(&gadget.cdev, &gadget_fops);
	KT_EQ(t, cdev_add(&gadget.cdev, MKDEV(60, 0), 1), 0);
	KT_CHECK(t, !IS_ERR(device_create(&class, NULL, MKDEV(60, 0), NULL, "slow")));
	opener = test_thread_start(open_thread, NULL);
	wait_for_completion(&gadget.begun);
	deleter = test_thread_start(delete_thread, &gadget.cdev);
	test_thread_asleep(deleter);
	KT_EQ(t, gadget.opens, 0);
	complete(&gadget.go);
	KT_EQ(t, test_thread_end(deleter), 0);
	KT_EQ(t, gadget.opens, 1);
	fd = test_thread_end(opener);
	KT_EQ(t, host_close(fd), 0);
	device_destroy(&class, MKDEV(60, 0));
}

/* --- misc ------------------------------------------------------------------------------------- */

static int misc_opens;

static int tool_open(struct inode *inode, struct file *file)
{
	struct miscdevice *misc = file->private_data;

	misc_opens++;
	return iminor(inode) == misc->minor ? 0 : -EIO;
}

static const struct file_operations tool_fops = {
	.open = tool_open,
	.unlocked_ioctl = gadget_ioctl,
};
static const struct file_operations plain_fops = { .unlocked_ioctl = gadget_ioctl };

static void misc_devices(struct ktap *t)
{
	struct miscdevice tool = { .minor = MISC_DYNAMIC_MINOR,
				   .name = "tool",
				   .fops = &tool_fops };
	struct miscdevice plain = {
		.minor = 7, .name = "plain", .nodename = "folder/plain", .fops = &plain_fops
	};
	struct miscdevice same = { .minor = MISC_DYNAMIC_MINOR,
				   .name = "tool",
				   .fops = &plain_fops };
	struct miscdevice taken = { .minor = 7, .name = "taken", .fops = &plain_fops };
	struct miscdevice none = { .minor = 8, .name = "none" };
	int fd;

	KT_EQ(t, misc_register(&tool), 0);
	KT_EQ(t, misc_register(&plain), 0);
	KT_EQ(t, misc_register(&same), -EEXIST);
	KT_EQ(t, same.minor, MISC_DYNAMIC_MINOR);
	KT_EQ(t, misc_register(&taken), -EBUSY);
	KT_EQ(t, misc_register(&none), -EINVAL);
	KT_CHECK(t, tool.minor != MISC_DYNAMIC_MINOR);

	fd = host_open("/dev/tool", O_RDWR);
	KT_ASSERT(t, fd >= 0);
	KT_EQ(t, misc_opens, 1);
	KT_EQ(t, host_ioctl(fd, 1, 0), tool.minor + 1);
	misc_deregister(&tool);
	KT_EQ(t, host_ioctl(fd, 1, 0), tool.minor + 1);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, host_open("/dev/tool", O_RDWR), -ENOENT);

	fd = host_open("/dev/folder/plain", O_RDWR);
	KT_ASSERT(t, fd >= 0);
	KT_EQ(t, host_ioctl(fd, 1, 0), 8);
	KT_EQ(t, host_close(fd), 0);
	misc_deregister(&plain);
	ktap_expect_warn(t, "is not registered");
	misc_deregister(&plain);
}

/* --- failures --------------------------------------------------------------------------------- */

static void every_failure_leaves_nothing(struct ktap *t)
{
	struct miscdevice tool = { .minor = MISC_DYNAMIC_MINOR,
				   .name = "tool",
				   .fops = &tool_fops };
	int ret, fd, nth;

	for (nth = 1, ret = -1; ret; nth++) {
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		ret = misc_register(&tool);
		KT_CHECK(t, !ret || ret == -ENOMEM);
	}
	KT_CHECK(t, nth > 3);
	for (nth = 1, fd = -1; fd < 0; nth++) {
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		fd = host_open("/dev/tool", O_RDWR);
		KT_CHECK(t, fd >= 0 || fd == -ENOMEM || fd == -EMFILE);
	}
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, host_close(fd), 0);
	misc_deregister(&tool);
}

static void no_descriptor_left(struct ktap *t)
{
	struct miscdevice tool = { .minor = MISC_DYNAMIC_MINOR,
				   .name = "tool",
				   .fops = &tool_fops };
	struct rlimit before, none;
	int fd;

	misc_opens = 0;
	KT_EQ(t, misc_register(&tool), 0);
	getrlimit(RLIMIT_NOFILE, &before);
	none = before;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	fd = host_open("/dev/tool", O_RDWR);
	setrlimit(RLIMIT_NOFILE, &before);
	KT_EQ(t, fd, -EMFILE);
	KT_EQ(t, misc_opens, 0);
	misc_deregister(&tool);
}

KTAP_MAIN(KTAP_CASE(numbers_are_reserved_once), KTAP_CASE(majors_run_out),
	  KTAP_CASE(a_device_is_opened_by_its_name), KTAP_CASE(a_refused_open_is_not_released),
	  KTAP_CASE(two_may_not_serve_one_number), KTAP_CASE(two_may_not_have_one_name),
	  KTAP_CASE(deleting_waits_for_who_is_opening), KTAP_CASE(misc_devices),
	  KTAP_CASE(every_failure_leaves_nothing), KTAP_CASE(no_descriptor_left))
