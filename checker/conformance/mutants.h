/* SPDX-License-Identifier: MIT */
/*
 * mutants.h - the cases' calls, each of which can be made to answer wrongly (mutants.c)
 *
 * Included by force in front of the case files, for one test program only.  With no mutant chosen
 * every call does what it should.
 */
#ifndef CONFORMANCE_MUTANTS_H
#define CONFORMANCE_MUTANTS_H

#include "checker/conformance/world.h"

struct dma_buf_attachment *mutant_attach(struct dma_buf *dmabuf, struct device *dev);
struct dma_buf_attachment *mutant_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
						 const struct dma_buf_attach_ops *ops, void *priv);
struct dma_buf_attachment *mutant_world_attach(struct world *w, struct dma_buf *dmabuf,
					       bool dynamic);
void mutant_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach);
struct dma_buf_attachment *mutant_world_attach_device(struct world *w, struct dma_buf *dmabuf,
						      struct device *dev);
struct sg_table *mutant_world_map(struct world *w, struct dma_buf_attachment *attach,
				  enum dma_data_direction dir);
struct sg_table *mutant_map(struct dma_buf_attachment *attach, enum dma_data_direction dir);
struct sg_table *mutant_map_held(struct dma_buf_attachment *attach, enum dma_data_direction dir);
void mutant_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir);
int mutant_pin(struct dma_buf_attachment *attach);
void mutant_unpin(struct dma_buf_attachment *attach);
void mutant_move(struct dma_buf *dmabuf);
int mutant_begin(struct dma_buf *dmabuf, enum dma_data_direction dir);
int mutant_end(struct dma_buf *dmabuf, enum dma_data_direction dir);
int mutant_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void mutant_vunmap(struct dma_buf *dmabuf, struct iosys_map *map);
int mutant_fd(struct dma_buf *dmabuf, int flags);
struct dma_buf *mutant_get(int fd);
void mutant_put(struct dma_buf *dmabuf);
struct dma_buf *mutant_export(const struct dma_buf_export_info *info);
struct dma_buf *mutant_world_export(struct world *w, enum world_kind kind);
void mutant_add_fence(struct world *w, struct dma_resv *resv, struct dma_fence *fence,
		      enum dma_resv_usage usage);
long mutant_ioctl(int fd, unsigned int cmd, void *arg);
int mutant_poll(int fd, __poll_t events);
loff_t mutant_lseek(int fd, loff_t offset, int whence);
void *mutant_mmap(int fd, size_t length, bool write, unsigned long offset);
int mutant_vma(struct dma_buf *dmabuf, unsigned long pgoff, unsigned long pages);
loff_t mutant_size(int fd);
bool mutant_fdinfo(int fd, const char *line);

#ifndef CONFORMANCE_MUTANTS
#define dma_buf_attach mutant_attach
#define dma_buf_dynamic_attach mutant_dynamic_attach
#define dma_buf_map_attachment mutant_map_held
#define world_attach mutant_world_attach
#define world_attach_device mutant_world_attach_device
#define world_map mutant_world_map
#define dma_buf_detach mutant_detach
#define dma_buf_map_attachment_unlocked mutant_map
#define dma_buf_unmap_attachment_unlocked mutant_unmap
#define dma_buf_pin mutant_pin
#define dma_buf_unpin mutant_unpin
#define dma_buf_move_notify mutant_move
#define dma_buf_begin_cpu_access mutant_begin
#define dma_buf_end_cpu_access mutant_end
#define dma_buf_vmap_unlocked mutant_vmap
#define dma_buf_vunmap_unlocked mutant_vunmap
#define dma_buf_fd mutant_fd
#define dma_buf_get mutant_get
#define dma_buf_put mutant_put
#define dma_buf_export mutant_export
#define world_export mutant_world_export
#define world_add_fence mutant_add_fence
#define world_ioctl mutant_ioctl
#define world_poll mutant_poll
#define world_lseek mutant_lseek
#define world_mmap mutant_mmap
#define world_vma mutant_vma
#define world_size mutant_size
#define world_fdinfo mutant_fdinfo
#endif

#endif
