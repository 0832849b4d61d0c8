/* SPDX-License-Identifier: MIT */
/* idr.c - ids as indexes of an allocating xarray; an idr's are counted from its base */
#include <linux/idr.h>
#include <linux/kernel.h>

void idr_init_base(struct idr *idr, int base)
{
	xa_init_flags(&idr->xa, XA_FLAGS_ALLOC);
	idr->idr_base = (u32)base;
	idr->idr_next = 0;
}

static struct xa_limit idr_limit(const struct idr *idr, int start, int end)
{
	u32 last = end > 0 ? (u32)end - 1 : INT_MAX;

	return XA_LIMIT(max((u32)start, idr->idr_base), last);
}

int idr_alloc(struct idr *idr, void *ptr, int start, int end, gfp_t gfp)
{
	u32 id;
	int err;

	if (WARN(start < 0, "idr_alloc(): from %d", start))
		return -EINVAL;
	err = xa_alloc(&idr->xa, &id, ptr, idr_limit(idr, start, end), gfp);
	if (err)
		return err == -EBUSY ? -ENOSPC : err;
	return (int)id;
}

int idr_alloc_cyclic(struct idr *idr, void *ptr, int start, int end, gfp_t gfp)
{
	u32 id;
	int err;

	if (WARN(start < 0, "idr_alloc_cyclic(): from %d", start))
		return -EINVAL;
	err = xa_alloc_cyclic(&idr->xa, &id, ptr, idr_limit(idr, start, end), &idr->idr_next, gfp);
	if (err < 0)
		return err == -EBUSY ? -ENOSPC : err;
	return (int)id;
}

void *idr_find(const struct idr *idr, unsigned long id)
{
	return xa_load((struct xarray *)&idr->xa, id);
}

void *idr_remove(struct idr *idr, unsigned long id)
{
	return xa_erase(&idr->xa, id);
}

void *idr_replace(struct idr *idr, void *ptr, unsigned long id)
{
	unsigned long flags;
	void *old = ERR_PTR(-ENOENT);
	int err;

	xa_lock_irqsave(&idr->xa, flags);
	/* Whether the id is taken, by NULL as well, is what an insertion finds. Nothing is allocated. */
	err = __xa_insert(&idr->xa, id, ptr, GFP_NOWAIT);
	if (err == -EBUSY)
		old = __xa_store(&idr->xa, id, ptr, GFP_NOWAIT);
	else if (!err)
		__xa_erase(&idr->xa, id);
	xa_unlock_irqrestore(&idr->xa, flags);
	return old;
}

int idr_for_each(const struct idr *idr, int (*fn)(int id, void *ptr, void *data), void *data)
{
	unsigned long id;
	void *ptr;
	int ret;

	xa_for_each((struct xarray *)&idr->xa, id, ptr)
	{
		ret = fn((int)id, ptr, data);
		if (ret)
			return ret;
	}
	return 0;
}

void *idr_get_next(struct idr *idr, int *id)
{
	unsigned long at = (unsigned long)*id;
	void *ptr;

	ptr = xa_find(&idr->xa, &at, INT_MAX, XA_PRESENT);
	if (ptr)
		*id = (int)at;
	return ptr;
}

bool idr_is_empty(const struct idr *idr)
{
	return xa_empty(&idr->xa);
}

void idr_destroy(struct idr *idr)
{
	xa_destroy(&idr->xa);
}

int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t gfp)
{
	u32 id;
	int err;

	if ((int)min < 0)
		return -ENOSPC;
	err = xa_alloc(&ida->xa, &id, NULL, XA_LIMIT(min, min(max, (unsigned int)INT_MAX)), gfp);
	if (err)
		return err == -EBUSY ? -ENOSPC : err;
	return (int)id;
}

void ida_free(struct ida *ida, unsigned int id)
{
	unsigned long flags;
	int err;

	xa_lock_irqsave(&ida->xa, flags);
	err = __xa_insert(&ida->xa, id, NULL, GFP_NOWAIT);
	__xa_erase(&ida->xa, id);
	xa_unlock_irqrestore(&ida->xa, flags);
	WARN(err != -EBUSY, "ida_free(%u): not allocated", id);
}

void ida_destroy(struct ida *ida)
{
	xa_destroy(&ida->xa);
}
