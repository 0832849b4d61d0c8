/* SPDX-License-Identifier: MIT */
/* debugfs-values.c - files of <linux/debugfs.h> that are one variable of the driver's */
#include <linux/debugfs.h>
#include <linux/kstrtox.h>
#include <linux/uaccess.h>

/*
 * Three operations each: what @mode does not allow is not offered.  @show is what a read finds,
 * @accept what a write does with `value`, which has passed the limit.
 */
#define VALUE_FILE(name, type, max, fmt, show, accept)                                    \
	static int name##_get(void *data, u64 *value)                                     \
	{                                                                                 \
		type *var = data;                                                         \
		*value = show;                                                            \
		return 0;                                                                 \
	}                                                                                 \
	static int name##_set(void *data, u64 value)                                      \
	{                                                                                 \
		type *var = data;                                                         \
		if (value > (max))                                                        \
			return -ERANGE;                                                   \
		accept;                                                                   \
		return 0;                                                                 \
	}                                                                                 \
	DEFINE_SIMPLE_ATTRIBUTE(name##_rw, name##_get, name##_set, fmt);                  \
	DEFINE_SIMPLE_ATTRIBUTE(name##_ro, name##_get, NULL, fmt);                        \
	DEFINE_SIMPLE_ATTRIBUTE(name##_wo, NULL, name##_set, fmt);                        \
	void debugfs_create_##name(const char *file, umode_t mode, struct dentry *parent, \
				   type *var)                                             \
	{                                                                                 \
		debugfs_create_file(file, mode, parent, var,                              \
				    !(mode & 0222)   ? &name##_ro                         \
				    : !(mode & 0444) ? &name##_wo                         \
						     : &name##_rw);                       \
	}

#define VARIABLE_FILE(name, type, max, fmt) \
	VALUE_FILE(name, type, max, fmt, READ_ONCE(*var), WRITE_ONCE(*var, (type)value))

VARIABLE_FILE(u8, u8, U8_MAX, "%llu\n")
VARIABLE_FILE(u16, u16, U16_MAX, "%llu\n")
VARIABLE_FILE(u32, u32, U32_MAX, "%llu\n")
VARIABLE_FILE(u64, u64, U64_MAX, "%llu\n")
VARIABLE_FILE(ulong, unsigned long, ULONG_MAX, "%llu\n")
VARIABLE_FILE(x8, u8, U8_MAX, "0x%02llx\n")
VARIABLE_FILE(x16, u16, U16_MAX, "0x%04llx\n")
VARIABLE_FILE(x32, u32, U32_MAX, "0x%08llx\n")
VARIABLE_FILE(x64, u64, U64_MAX, "0x%016llx\n")
VARIABLE_FILE(size_t, size_t, SIZE_MAX, "%llu\n")
VALUE_FILE(atomic_t, atomic_t, U64_MAX, "%lld\n", (u64)(s64)atomic_read(var),
	   atomic_set(var, (int)value))

/* --- Y and N ---------------------------------------------------------------------------------- */

static ssize_t bool_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	const bool *var = file->private_data;

	return simple_read_from_buffer(buf, len, pos, READ_ONCE(*var) ? "Y\n" : "N\n", 2);
}

static ssize_t bool_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	bool value;
	int ret = kstrtobool_from_user(buf, len, &value);

	if (!ret)
		WRITE_ONCE(*(bool *)file->private_data, value);
	return ret ?: (ssize_t)len;
}

static const struct file_operations bool_rw = {
	.open = simple_open, .read = bool_read, .write = bool_write, .llseek = noop_llseek
};
static const struct file_operations bool_ro = { .open = simple_open,
						.read = bool_read,
						.llseek = noop_llseek };

void debugfs_create_bool(const char *name, umode_t mode, struct dentry *parent, bool *value)
{
	debugfs_create_file(name, mode, parent, value, mode & 0222 ? &bool_rw : &bool_ro);
}
