/* SPDX-License-Identifier: MIT */
/*
 * listing.c - see listing.h
 *
 * A line for each buffer, then one for each device with mappings of it.
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/seq_file.h>

#include "listing.h"
#include "set.h"

static struct dentry *folder;

static const char *keeping(const struct cached_set *set)
{
	switch (set->keeping) {
	case KEEP_NOT:
		return "fresh";
	case KEEP_MAYBE:
		return "undecided";
	default:
		return set->domain == COHERENCE_MEMORY ? "kept, synced" : "kept";
	}
}

static void show_set(struct seq_file *m, const struct cached_set *set)
{
	static const char *const names[SLOTS] = { "both", "to-device", "from-device" };

	seq_printf(m, "  %s %s: %s, attached %u, mapped", dev_name(set->dev),
		   set->dynamic ? "dynamic" : "static", keeping(set), set->borrowers);
	for (unsigned int i = 0; i < SLOTS; i++)
		if (set->slots[i].table)
			seq_printf(m, " %s%s", names[i],
				   mapping_slot_active(&set->slots[i]) ? "*" : "");
	seq_putc(m, '\n');
}

static void show_buffer(struct seq_file *m, struct cached_buffer *buffer)
{
	const struct cached_set *set;

	mutex_lock(&buffer->lock);
	dma_resv_lock(buffer->inner->resv, NULL);
	seq_printf(m,
		   "%s inode %lu size %zu: maps %llu hits %llu built %llu fresh %llu dropped %llu "
		   "cleaned %llu invalidated %llu%s\n",
		   buffer->inner->exp_name ?: "-", file_inode(buffer->inner->file)->i_ino,
		   buffer->inner->size, buffer->stats.maps,
		   buffer->stats.maps - buffer->stats.built - buffer->stats.fresh,
		   buffer->stats.built, buffer->stats.fresh, buffer->stats.dropped,
		   buffer->stats.cleaned, buffer->stats.invalidated,
		   READ_ONCE(buffer->mistrusted) ? " reached-unseen" : "");
	list_for_each_entry(set, &buffer->sets, node)
		show_set(m, set);
	dma_resv_unlock(buffer->inner->resv);
	mutex_unlock(&buffer->lock);
}

static int buffers_show(struct seq_file *m, void *unused)
{
	struct cached_buffer *buffer = NULL;

	while ((buffer = buffer_next(buffer)))
		show_buffer(m, buffer);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(buffers);

void listing_init(void)
{
	folder = debugfs_create_dir("dmabuf-cache", NULL);
	debugfs_create_file("buffers", 0400, folder, NULL, &buffers_fops);
}

void listing_exit(void)
{
	debugfs_remove(folder);
}
