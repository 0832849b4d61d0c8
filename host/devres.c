/* SPDX-License-Identifier: MIT */
/*
 * devres.c - a stack of what each device has to give back
 *
 * Invariants, under lock
 *   DS1  dev->devres is the last taken; each entry leads to the one before.
 *   DS2  A group is a mark on the stack and everything above it.
 */
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

enum kind { MEMORY, ACTION, GROUP };

struct devres {
	struct devres *before;
	enum kind kind;
	size_t size;            /* MEMORY: of what follows */
	void (*action)(void *); /* ACTION */
	void *data;             /* ACTION: its argument; GROUP: the id */
	_Alignas(ARCH_KMALLOC_MINALIGN) char memory[];
};

static DEFINE_SPINLOCK(lock); /* all stacks */

static struct devres *entry_new(enum kind kind, size_t size, gfp_t gfp)
{
	struct devres *entry;
	size_t len;

	if (check_add_overflow(sizeof(*entry), size, &len))
		return NULL;
	entry = kmalloc(len, gfp);
	if (!entry)
		return NULL;
	if (gfp & __GFP_ZERO)
		memset(entry->memory, 0, size);
	entry->kind = kind;
	entry->size = size;
	entry->action = NULL;
	entry->data = NULL;
	return entry;
}

static void push(struct device *dev, struct devres *entry)
{
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	entry->before = dev->devres;
	dev->devres = entry;
	spin_unlock_irqrestore(&lock, flags);
}

static void give_back(struct devres *entry)
{
	if (entry->kind == ACTION)
		entry->action(entry->data);
	kfree(entry);
}

static bool is(const struct devres *entry, enum kind kind, void (*action)(void *), const void *what)
{
	if (entry->kind != kind)
		return false;
	return kind == MEMORY ? entry->memory == what
			      : entry->action == action && entry->data == what;
}

/* The link to the last such entry, or NULL. Caller holds lock. */
static struct devres **find(struct device *dev, enum kind kind, void (*action)(void *),
			    const void *what)
{
	struct devres **link;

	for (link = &dev->devres; *link; link = &(*link)->before)
		if (is(*link, kind, action, what))
			return link;
	return NULL;
}

/* The last such entry, off the stack and the caller's, or NULL. */
static struct devres *take(struct device *dev, enum kind kind, void (*action)(void *),
			   const void *what)
{
	struct devres **link, *entry = NULL;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	link = find(dev, kind, action, what);
	if (link) {
		entry = *link;
		*link = entry->before;
	}
	spin_unlock_irqrestore(&lock, flags);
	return entry;
}

/* --- memory ----------------------------------------------------------------------------------- */

void *devm_kmalloc(struct device *dev, size_t size, gfp_t gfp)
{
	struct devres *entry;

	if (!size)
		return ZERO_SIZE_PTR;
	entry = entry_new(MEMORY, size, gfp);
	if (!entry)
		return NULL;
	push(dev, entry);
	return entry->memory;
}

void *devm_kmemdup(struct device *dev, const void *src, size_t len, gfp_t gfp)
{
	void *copy = devm_kmalloc(dev, len, gfp);

	return copy && len ? memcpy(copy, src, len) : copy;
}

char *devm_kstrdup(struct device *dev, const char *s, gfp_t gfp)
{
	return s ? devm_kmemdup(dev, s, strlen(s) + 1, gfp) : NULL;
}

char *devm_kvasprintf(struct device *dev, gfp_t gfp, const char *fmt, va_list args)
{
	char *text = kvasprintf(gfp, fmt, args), *copy = devm_kstrdup(dev, text, gfp);

	kfree(text);
	return copy;
}

char *devm_kasprintf(struct device *dev, gfp_t gfp, const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = devm_kvasprintf(dev, gfp, fmt, args);
	va_end(args);
	return text;
}

void *devm_krealloc(struct device *dev, void *p, size_t size, gfp_t gfp)
{
	struct devres *old, *new, **link;
	unsigned long flags;

	if (ZERO_OR_NULL_PTR(p))
		return devm_kmalloc(dev, size, gfp);
	if (!size) {
		devm_kfree(dev, p);
		return ZERO_SIZE_PTR;
	}
	new = entry_new(MEMORY, size, gfp);
	if (!new)
		return NULL;
	spin_lock_irqsave(&lock, flags);
	link = find(dev, MEMORY, NULL, p);
	old = link ? *link : NULL;
	if (old) {
		/* It keeps its place: who was taken after it may use it in his release. */
		new->before = old->before;
		*link = new;
	}
	spin_unlock_irqrestore(&lock, flags);
	if (WARN(!old, "devm_krealloc: this is not memory of %s", dev_name(dev))) {
		kfree(new);
		return NULL;
	}
	memcpy(new->memory, old->memory, min(size, old->size));
	kfree(old);
	return new->memory;
}

void devm_kfree(struct device *dev, const void *p)
{
	struct devres *entry;

	if (ZERO_OR_NULL_PTR(p))
		return;
	entry = take(dev, MEMORY, NULL, p);
	WARN(!entry, "devm_kfree: this is not memory of %s", dev_name(dev));
	kfree(entry);
}

/* --- actions ---------------------------------------------------------------------------------- */

int devm_add_action(struct device *dev, void (*action)(void *), void *data)
{
	struct devres *entry = entry_new(ACTION, 0, GFP_KERNEL);

	if (!entry)
		return -ENOMEM;
	entry->action = action;
	entry->data = data;
	push(dev, entry);
	return 0;
}

int devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data)
{
	int ret = devm_add_action(dev, action, data);

	if (ret)
		action(data);
	return ret;
}

void devm_remove_action(struct device *dev, void (*action)(void *), void *data)
{
	struct devres *entry = take(dev, ACTION, action, data);

	WARN(!entry, "devm_remove_action: %s has no such action", dev_name(dev));
	kfree(entry);
}

void devm_release_action(struct device *dev, void (*action)(void *), void *data)
{
	struct devres *entry = take(dev, ACTION, action, data);

	if (!WARN(!entry, "devm_release_action: %s has no such action", dev_name(dev)))
		give_back(entry);
}

/* --- groups ----------------------------------------------------------------------------------- */

void *devres_open_group(struct device *dev, void *id, gfp_t gfp)
{
	struct devres *entry = entry_new(GROUP, 0, gfp);

	if (!entry)
		return NULL;
	entry->data = id ?: entry;
	push(dev, entry);
	return entry->data;
}

/* The group of this @id, NULL: the last opened; or NULL. Caller holds lock. */
static struct devres **find_group(struct device *dev, const void *id)
{
	struct devres **link;

	for (link = &dev->devres; *link; link = &(*link)->before)
		if ((*link)->kind == GROUP && (!id || (*link)->data == id))
			return link;
	return NULL;
}

void devres_remove_group(struct device *dev, void *id)
{
	struct devres **link, *group = NULL;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	link = find_group(dev, id);
	if (link) {
		group = *link;
		*link = group->before;
	}
	spin_unlock_irqrestore(&lock, flags);
	WARN(!group, "devres_remove_group: %s has no such group", dev_name(dev));
	kfree(group);
}

/* A stack that nobody else sees, from its top; returns how many were no marks. */
static int give_back_all(struct devres *entry)
{
	struct devres *before;
	int count = 0;

	for (; entry; entry = before) {
		before = entry->before;
		count += entry->kind != GROUP;
		give_back(entry);
	}
	return count;
}

int devres_release_group(struct device *dev, void *id)
{
	struct devres **link, *taken = NULL;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	link = find_group(dev, id);
	if (link) {
		taken = dev->devres;
		dev->devres = (*link)->before;
		(*link)->before = NULL;
	}
	spin_unlock_irqrestore(&lock, flags);
	WARN(!link, "devres_release_group: %s has no such group", dev_name(dev));
	return give_back_all(taken);
}

int devres_release_all(struct device *dev)
{
	struct devres *taken;
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	taken = dev->devres;
	dev->devres = NULL;
	spin_unlock_irqrestore(&lock, flags);
	return give_back_all(taken);
}
