/* SPDX-License-Identifier: MIT */
/*
 * mutants.h - the calls of the program's steps, each of which can be made to answer wrongly
 * (mutants-test.c)
 *
 * Included by force in front of the steps, for one test program only.  With no mutant chosen every
 * call does what it should.
 */
#ifndef DIFFERENTIAL_MUTANTS_H
#define DIFFERENTIAL_MUTANTS_H

#include <linux/dma-buf.h>
#include <linux/dma-cost.h>
#include <linux/dma-fence-chain.h>
#include <linux/file.h>

#include "dma/engine.h"
#include "host/file.h"

struct dma_buf_attachment *mutant_attach(struct dma_buf *dmabuf, struct device *dev);
struct sg_table *mutant_map(struct dma_buf_attachment *attach, enum dma_data_direction dir);
void mutant_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir);
int mutant_pin(struct dma_buf_attachment *attach);
void mutant_move(struct dma_buf *dmabuf);
int mutant_begin(struct dma_buf *dmabuf, enum dma_data_direction dir);
int mutant_vmap(struct dma_buf *dmabuf, struct iosys_map *map);
void mutant_put(struct dma_buf *dmabuf);
int mutant_fd(struct dma_buf *dmabuf, int flags);
long mutant_ioctl(int fd, unsigned int cmd, unsigned long arg);
int mutant_poll(int fd, __poll_t events, int timeout_ms);
loff_t mutant_lseek(int fd, loff_t offset, int whence);
void mutant_add_fence(struct dma_resv *resv, struct dma_fence *fence, enum dma_resv_usage usage);
int mutant_signal(struct dma_fence *fence);
int mutant_read(struct device *dev, const struct sg_table *sgt, size_t offset, void *dst,
		size_t len);
void mutant_cost(const struct dma_costs *before, struct dma_costs *delta);
void mutant_sync(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir);

#ifndef DIFFERENTIAL_MUTANTS
#define dma_buf_attach mutant_attach
#define dma_buf_map_attachment_unlocked mutant_map
#define dma_buf_unmap_attachment_unlocked mutant_unmap
#define dma_buf_pin mutant_pin
#define dma_buf_move_notify mutant_move
#define dma_buf_begin_cpu_access mutant_begin
#define dma_buf_vmap_unlocked mutant_vmap
#define dma_buf_put mutant_put
#define dma_buf_fd mutant_fd
#define host_ioctl mutant_ioctl
#define host_poll mutant_poll
#define host_lseek mutant_lseek
#define dma_resv_add_fence mutant_add_fence
#define dma_fence_signal mutant_signal
#define dma_engine_read mutant_read
#define dma_cost_since mutant_cost
#define dma_sync_sgtable_for_device mutant_sync
#endif

#endif
