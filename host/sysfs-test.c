/* SPDX-License-Identifier: MIT */
/* Attributes of devices: shown, stored, hidden, and gone with their device. */
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "host/file.h"
#include "host/test-path.h"
#include "host/port.h"
#include "tests/ktap.h"

#define ROOT "/sys/devices/"

struct gadget {
	struct device dev;
	int level;
	bool has_secret;
};

static struct gadget *gadget_of(struct device *dev)
{
	return container_of(dev, struct gadget, dev);
}

static ssize_t level_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", gadget_of(dev)->level);
}

static ssize_t level_store(struct device *dev, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	int ret = kstrtoint(buf, 0, &gadget_of(dev)->level);

	return ret ?: (ssize_t)count;
}

static ssize_t kind_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	int len = sysfs_emit(buf, "%s", "blue");

	return len + sysfs_emit_at(buf, len, " gadget\n");
}

static ssize_t secret_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return -EPERM;
}

static DEVICE_ATTR_RW(level);
static DEVICE_ATTR_RO(kind);
static DEVICE_ATTR_RO(secret);
static DEVICE_ATTR(wo, 0200, NULL, level_store);

static struct attribute *gadget_attrs[] = { &dev_attr_level.attr, &dev_attr_kind.attr, NULL };
static struct attribute *more_attrs[] = { &dev_attr_secret.attr, &dev_attr_wo.attr, NULL };

static umode_t more_is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	return n == 0 && !gadget_of(kobj_to_dev(kobj))->has_secret ? 0 : attr->mode;
}

static const struct attribute_group gadget_group = { .attrs = gadget_attrs };
static const struct attribute_group more_group = { .name = "more",
						   .attrs = more_attrs,
						   .is_visible = more_is_visible };
static const struct attribute_group *gadget_groups[] = { &gadget_group, &more_group, NULL };

static void release(struct device *dev)
{
}

static void a_device_has_its_groups(struct ktap *t)
{
	struct gadget gadget = {
		.dev = { .init_name = "gadget", .release = release, .groups = gadget_groups },
		.level = 3,
		.has_secret = true,
	};
	char text[32];
	int fd;

	KT_EQ(t, device_register(&gadget.dev), 0);
	KT_EQ(t, read_path(ROOT "gadget/level", text, sizeof(text)), 2);
	KT_CHECK(t, !strcmp(text, "3\n"));
	KT_EQ(t, write_path(ROOT "gadget/level", "-12\n"), 4);
	KT_EQ(t, gadget.level, -12);
	KT_EQ(t, write_path(ROOT "gadget/level", "high"), -EINVAL);
	KT_EQ(t, read_path(ROOT "gadget/kind", text, sizeof(text)), 12);
	KT_CHECK(t, !strcmp(text, "blue gadget\n"));
	KT_EQ(t, write_path(ROOT "gadget/kind", "red"), -EACCES);
	KT_EQ(t, read_path(ROOT "gadget/more/secret", text, sizeof(text)), -EPERM);
	KT_EQ(t, read_path(ROOT "gadget/more/wo", text, sizeof(text)), -EACCES);
	KT_EQ(t, write_path(ROOT "gadget/more/wo", "5"), 1);
	KT_EQ(t, gadget.level, 5);
	KT_EQ(t, read_path(ROOT "gadget/wo", text, sizeof(text)), -ENOENT);

	fd = host_open(ROOT "gadget/level", O_RDONLY);
	device_unregister(&gadget.dev);
	KT_EQ(t, host_read(fd, text, sizeof(text)), -EIO);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, host_open(ROOT "gadget/level", O_RDONLY), -ENOENT);
}

static void attributes_come_and_go(struct ktap *t)
{
	struct gadget gadget = { .dev = { .init_name = "gadget", .release = release } };
	char text[32];

	device_initialize(&gadget.dev);
	KT_EQ(t, device_create_file(&gadget.dev, &dev_attr_level), -EINVAL);
	KT_EQ(t, device_add(&gadget.dev), 0);
	KT_EQ(t, device_create_file(&gadget.dev, &dev_attr_level), 0);
	KT_EQ(t, device_create_file(&gadget.dev, &dev_attr_level), -EEXIST);
	/* A failure takes back what it had added, and nothing else. */
	KT_EQ(t, device_add_groups(&gadget.dev, gadget_groups), -EEXIST);
	KT_EQ(t, read_path(ROOT "gadget/level", text, sizeof(text)), 2);
	KT_EQ(t, host_open(ROOT "gadget/kind", O_RDONLY), -ENOENT);
	KT_EQ(t, device_add_group(&gadget.dev, &more_group), 0);
	KT_EQ(t, host_open(ROOT "gadget/more/secret", O_RDONLY), -ENOENT);
	KT_EQ(t, write_path(ROOT "gadget/more/wo", "5"), 1);
	KT_EQ(t, device_add_group(&gadget.dev, &more_group), -EEXIST);
	KT_EQ(t, write_path(ROOT "gadget/more/wo", "6"), 1);
	device_remove_group(&gadget.dev, &more_group);
	KT_EQ(t, write_path(ROOT "gadget/more/wo", "5"), -ENOENT);
	device_remove_file(&gadget.dev, &dev_attr_level);
	device_remove_file(&gadget.dev, &dev_attr_level);
	KT_EQ(t, host_open(ROOT "gadget/level", O_RDONLY), -ENOENT);
	KT_EQ(t, device_add_groups(&gadget.dev, gadget_groups), 0);
	device_unregister(&gadget.dev);
}

static void every_failure_leaves_nothing(struct ktap *t)
{
	struct gadget gadget = {
		.dev = { .init_name = "gadget", .release = release, .groups = gadget_groups },
		.has_secret = true,
	};
	int nth, ret;

	for (nth = 1, ret = -1; ret; nth++) {
		gadget.dev.added = false;
		port_fail_nth(PORT_FAULT_ALLOC, nth);
		ret = device_register(&gadget.dev);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, !ret || ret == -ENOMEM);
		if (!ret)
			break;
		KT_EQ(t, host_open(ROOT "gadget/level", O_RDONLY), -ENOENT);
		put_device(&gadget.dev);
	}
	KT_CHECK(t, nth > 10);
	device_unregister(&gadget.dev);
}

static void text_stays_in_its_page(struct ktap *t)
{
	char *page = kzalloc_aligned(2 * PAGE_SIZE, PAGE_SIZE, GFP_KERNEL);

	KT_ASSERT(t, page);
	KT_EQ(t, sysfs_emit_at(page, PAGE_SIZE - 4, "%s", "too long"), 3);
	KT_EQ(t, page[PAGE_SIZE], 0);
	ktap_expect_warn(t, "sysfs_emit");
	KT_EQ(t, sysfs_emit(page + 1, "x"), 0);
	ktap_expect_warn(t, "sysfs_emit_at");
	KT_EQ(t, sysfs_emit_at(page, PAGE_SIZE, "x"), 0);
	kfree(page);
	KT_CHECK(t, sysfs_streq("on", "on\n") && sysfs_streq("", "\n"));
	KT_CHECK(t, !sysfs_streq("on", "o\n") && !sysfs_streq("on\n\n", "on"));
}

KTAP_MAIN(KTAP_CASE(a_device_has_its_groups), KTAP_CASE(attributes_come_and_go),
	  KTAP_CASE(every_failure_leaves_nothing), KTAP_CASE(text_stays_in_its_page))
