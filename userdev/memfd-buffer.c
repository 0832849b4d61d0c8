/* SPDX-License-Identifier: MIT */
/*
 * memfd-buffer.c - see memfd-buffer.h
 *
 * Pages are pinned, and so get a place among our memory, only while a device has them mapped: under
 * `dmabuf run` nobody does, and 10^4 buffers take no addresses.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "host/memfd.h"
#include "host/port.h"
#include "userdev/memfd-buffer.h"

#define TAKEN_AT_ONCE (64ULL << 20)
#define UDMABUF_MOST (64ULL << 20)

struct memfd_buffer {
	/* constant from the beginning to the release */
	struct memfd_budget *budget; /* NULL: a udmabuf */
	u64 bytes;
	unsigned int count;
	struct memfd_piece pieces[];
};

struct mapping {
	struct sg_table table;
	struct page **pages;
	unsigned int pinned;
};

/* --- a device's view -------------------------------------------------------------------------- */

static int pin_piece(const struct memfd_piece *piece, struct mapping *mapping)
{
	struct file *file = host_memfd_file(piece->memfd);
	u64 start = piece->offset, end = piece->offset + piece->bytes;
	long got = 0;

	if (!file)
		return -ENOMEM;
	while (start < end) {
		pgoff_t offset;

		got = memfd_pin_folios(file, start, end - 1,
				       (struct folio **)mapping->pages + mapping->pinned,
				       (end - start) >> PAGE_SHIFT, &offset);
		if (got <= 0)
			break;
		mapping->pinned += got;
		start += (u64)got << PAGE_SHIFT;
	}
	fput(file);
	return got < 0 ? got : 0;
}

static void mapping_end(struct mapping *mapping)
{
	unpin_folios((struct folio **)mapping->pages, mapping->pinned);
	kvfree(mapping->pages);
	kfree(mapping);
}

static struct sg_table *buffer_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct memfd_buffer *buffer = attach->dmabuf->priv;
	struct mapping *mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	int ret = 0;

	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->pages = kvcalloc(buffer->bytes >> PAGE_SHIFT, sizeof(struct page *), GFP_KERNEL);
	if (!mapping->pages)
		ret = -ENOMEM;
	for (unsigned int i = 0; !ret && i < buffer->count; i++)
		ret = pin_piece(&buffer->pieces[i], mapping);
	if (ret)
		goto end_mapping;
	ret = sg_alloc_table_from_pages(&mapping->table, mapping->pages, mapping->pinned, 0,
					buffer->bytes, GFP_KERNEL);
	if (ret)
		goto end_mapping;
	ret = dma_map_sgtable(attach->dev, &mapping->table, dir, 0);
	if (ret)
		goto free_table;
	return &mapping->table;

free_table:
	sg_free_table(&mapping->table);
end_mapping:
	mapping_end(mapping);
	return ERR_PTR(ret);
}

static void buffer_unmap(struct dma_buf_attachment *attach, struct sg_table *table,
			 enum dma_data_direction dir)
{
	struct mapping *mapping = container_of(table, struct mapping, table);

	dma_unmap_sgtable(attach->dev, table, dir, 0);
	sg_free_table(table);
	mapping_end(mapping);
}

/* --- life ------------------------------------------------------------------------------------- */

static void buffer_free(struct memfd_buffer *buffer)
{
	for (unsigned int i = 0; i < buffer->count; i++)
		if (buffer->pieces[i].memfd >= 0)
			close(buffer->pieces[i].memfd);
	for (struct memfd_budget *b = buffer->budget; b; b = b->whole)
		b->used -= buffer->bytes;
	kfree(buffer);
}

static void buffer_release(struct dma_buf *dmabuf)
{
	buffer_free(dmabuf->priv);
}

static const struct dma_buf_ops buffer_ops = {
	.map_dma_buf = buffer_map,
	.unmap_dma_buf = buffer_unmap,
	.release = buffer_release,
};

static struct memfd_buffer *buffer_new(unsigned int count)
{
	struct memfd_buffer *buffer = kzalloc(struct_size(buffer, pieces, count), GFP_KERNEL);

	if (!buffer)
		return NULL;
	buffer->count = count;
	for (unsigned int i = 0; i < count; i++)
		buffer->pieces[i].memfd = -1;
	return buffer;
}

static struct dma_buf *buffer_export(struct memfd_buffer *buffer, const char *name, u32 fd_flags)
{
	struct dma_buf_export_info info = {
		.exp_name = name,
		.ops = &buffer_ops,
		.size = buffer->bytes,
		.flags = fd_flags & O_ACCMODE,
		.priv = buffer,
	};

	return dma_buf_export(&info);
}

static bool charge(struct memfd_budget *budget, u64 bytes)
{
	for (const struct memfd_budget *b = budget; b; b = b->whole)
		if (bytes > b->limit - b->used)
			return false;
	for (struct memfd_budget *b = budget; b; b = b->whole) {
		b->used += bytes;
		b->most = max(b->most, b->used);
	}
	return true;
}

static bool machine_has(u64 bytes)
{
	static u64 pages;

	pages = pages ?: (u64)sysconf(_SC_PHYS_PAGES);
	return bytes >> PAGE_SHIFT <= pages;
}

static int memory_of(size_t len, int *memfd)
{
	*memfd = port_memfd_create("dmabuf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*memfd < 0)
		return -errno;
	if (len <= TAKEN_AT_ONCE ? port_fallocate(*memfd, 0, 0, len) : port_ftruncate(*memfd, len))
		return -ENOMEM;
	return fcntl(*memfd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) ? -errno : 0;
}

struct dma_buf *memfd_buffer_allocate(const char *name, struct memfd_budget *budget, size_t len,
				      u32 fd_flags)
{
	struct memfd_buffer *buffer;
	struct dma_buf *dmabuf;
	int ret;

	if (!machine_has(len))
		return ERR_PTR(-ENOMEM);
	buffer = buffer_new(1);
	if (!buffer)
		return ERR_PTR(-ENOMEM);
	ret = charge(budget, len) ? 0 : -ENOMEM;
	if (ret)
		goto free_buffer;
	buffer->budget = budget;
	buffer->bytes = len;
	buffer->pieces[0].bytes = len;
	ret = memory_of(len, &buffer->pieces[0].memfd);
	if (ret)
		goto free_buffer;
	dmabuf = buffer_export(buffer, name, fd_flags);
	if (!IS_ERR(dmabuf))
		return dmabuf;
	ret = PTR_ERR(dmabuf);

free_buffer:
	buffer_free(buffer);
	return ERR_PTR(ret);
}

/* --- of a program's memory -------------------------------------------------------------------- */

static int check_sizes(const struct memfd_piece *pieces, unsigned int count, u64 *bytes)
{
	*bytes = 0;
	for (unsigned int i = 0; i < count; i++) {
		if (pieces[i].offset % PAGE_SIZE || pieces[i].bytes % PAGE_SIZE)
			return -EINVAL;
		if (pieces[i].bytes > UDMABUF_MOST - *bytes)
			return -EINVAL;
		*bytes += pieces[i].bytes;
	}
	return *bytes ? 0 : -EINVAL;
}

static int check_memfd(const struct memfd_piece *piece)
{
	struct statfs system;
	struct stat st;
	int seals;

	if (piece->memfd < 0 || fstatfs(piece->memfd, &system) || fstat(piece->memfd, &st))
		return -EBADFD;
	seals = fcntl(piece->memfd, F_GET_SEALS);
	if (seals < 0)
		return -EBADFD;
	if (!(seals & F_SEAL_SHRINK) || seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EINVAL;
	if (system.f_type != TMPFS_MAGIC || piece->offset > (u64)st.st_size ||
	    piece->bytes > (u64)st.st_size - piece->offset || !piece->bytes)
		return -EINVAL;
	return (fcntl(piece->memfd, F_GETFL) & O_ACCMODE) == O_RDWR ? 0 : -EACCES;
}

/* Memory for holes, or a later touch would be what finds that there is none. */
static int take_memory(const struct memfd_piece *piece)
{
	return port_fallocate(piece->memfd, FALLOC_FL_KEEP_SIZE, piece->offset, piece->bytes)
		       ? -ENOMEM
		       : 0;
}

struct dma_buf *memfd_buffer_udmabuf(const struct memfd_piece *pieces, unsigned int count)
{
	struct memfd_buffer *buffer = buffer_new(count);
	struct dma_buf *dmabuf;
	int ret;

	if (!buffer) {
		for (unsigned int i = 0; i < count; i++)
			if (pieces[i].memfd >= 0)
				close(pieces[i].memfd);
		return ERR_PTR(-ENOMEM);
	}
	memcpy(buffer->pieces, pieces, count * sizeof(*pieces));
	ret = check_sizes(pieces, count, &buffer->bytes);
	for (unsigned int i = 0; !ret && i < count; i++)
		ret = check_memfd(&pieces[i]) ?: take_memory(&pieces[i]);
	if (ret)
		goto free_buffer;
	dmabuf = buffer_export(buffer, "udmabuf", O_RDWR);
	if (!IS_ERR(dmabuf))
		return dmabuf;
	ret = PTR_ERR(dmabuf);

free_buffer:
	buffer_free(buffer);
	return ERR_PTR(ret);
}

bool memfd_buffer_owns(const struct dma_buf *dmabuf)
{
	return dmabuf->ops == &buffer_ops;
}

const struct memfd_piece *memfd_buffer_pieces(const struct dma_buf *dmabuf, unsigned int *count)
{
	const struct memfd_buffer *buffer = dmabuf->priv;

	*count = buffer->count;
	return buffer->pieces;
}
