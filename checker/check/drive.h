/* SPDX-License-Identifier: MIT */
/*
 * drive.h - the ways to put a driver through its paces on the bench
 *
 * Each tries one thing after the other and tells of what it finds; none stops the others.
 */
#ifndef CHECKER_CHECK_DRIVE_H
#define CHECKER_CHECK_DRIVE_H

#include <libdmabuf-check.h>

/** drive_importer - the driver imports buffers of an exporter without faults */
void drive_importer(const struct check_adapter *adapter);

/** drive_pairs - the same, with two imports at a time, and buffers that others use */
void drive_pairs(const struct check_adapter *adapter);

/** drive_moves - the same, with a buffer that moves at all times at which it may */
void drive_moves(const struct check_adapter *adapter);

/** drive_exporter - devices without faults import what the driver exports */
void drive_exporter(const struct check_adapter *adapter);

/** drive_permission - what a device did not ask for it cannot do; of an exporter */
void drive_permission(const struct check_adapter *adapter);

/** drive_heap_permission - the same of the programs of a dma-heap, named as for drive_heap() */
void drive_heap_permission(const char *name);

/** drive_leaks - each buffer that goes leaves as many pages and threads as before it came */
void drive_leaks(const struct check_adapter *adapter);

/** drive_gone - after module_exit(): nothing is left. Returns false while threads of the driver's run */
bool drive_gone(void);

/*
 * On another machine it was found already that something never comes, a fence's signal or a thread's
 * end: who waits for that again only takes time.
 */
extern bool drive_hasty;

/** drive_run - the driver's own way */
void drive_run(const struct check_adapter *adapter);

/** drive_failing - all of these again while one thing after the other fails */
void drive_failing(const struct check_adapter *adapter);

/**
 * drive_heap - the adapter of a dma-heap, named as below /dev/dma_heap
 * Returns NULL without memory; it stays until the process ends.
 */
const struct check_adapter *drive_heap(const char *name);

/**
 * drive_misc - the adapter of the @nr-th ioctl that is known of the misc devices registered
 * Returns NULL when there are no more.
 */
const struct check_adapter *drive_misc(unsigned int nr);

/**
 * drive_platform_devices - a device for each platform driver that has probed none; _end: they go
 */
void drive_platform_devices(void);
void drive_platform_devices_end(void);

/** drive_is_vb2 - is an object of this name and size an allocator of videobuf2's? */
bool drive_is_vb2(const char *name, size_t size);

/** drive_vb2 - its adapter, with what its operations allow */
const struct check_adapter *drive_vb2(const char *name, const void *object);

/** drive_is_drm, drive_drm - the same of a struct drm_driver, through PRIME */
bool drive_is_drm(const char *name, size_t size);
const struct check_adapter *drive_drm(const char *name, const void *object);

/** drive_failed - @what failed though nothing was made to fail; told unless @ret is 0 */
bool drive_failed(const struct dma_buf *dmabuf, const char *adapter, const char *what, int ret);

#endif
