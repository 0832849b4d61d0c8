/* SPDX-License-Identifier: MIT */
/* module.c - see module.h */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

#include <linux/dma-heap.h>

#include "checker/check/drive.h"
#include "checker/check/module.h"
#include "checker/check/watch.h"

#define MODULE_HEAPS 8

REAL(dma_heap_add);

static void *object;
static char heaps[MODULE_HEAPS][64];
static unsigned int nr_heaps;

/* The driver's own; libc, which it links, has an init_module(), too. */
static void *symbol(const char *name)
{
	void *address = dlsym(object, name);
	struct link_map *map;
	Dl_info info;

	if (!address || dlinfo(object, RTLD_DI_LINKMAP, &map) || !dladdr(address, &info) ||
	    (uintptr_t)info.dli_fbase != map->l_addr)
		return NULL;
	return address;
}

const char *module_load(const char *path)
{
	static const char *const anchors[] = { "init_module", "dmabuf_check_adapters" };
	const void *anchor = NULL;
	const char *name;

	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object)
		return dlerror();
	module_objects_of(path, object);
	for (unsigned int i = 0; !anchor && i < ARRAY_SIZE(anchors); i++)
		anchor = symbol(anchors[i]);
	if (!anchor)
		anchor = module_object(drive_is_vb2, 0, &name);
	if (!anchor)
		anchor = module_object(drive_is_drm, 0, &name);
	if (!anchor)
		return "has neither module_init(), nor a struct vb2_mem_ops or drm_driver, nor "
		       "DMABUF_CHECK(): nothing to drive (<libdmabuf-check.h> says how)";
	check_stack_driver(anchor);
	return NULL;
}

int module_init_call(void)
{
	int (*init)(void) = (int (*)(void))symbol("init_module");

	return init ? init() : 0;
}

bool module_exit_call(void)
{
	void (*cleanup)(void) = (void (*)(void))symbol("cleanup_module");

	if (cleanup)
		cleanup();
	return cleanup;
}

const struct check_adapter *module_adapters(void)
{
	return symbol("dmabuf_check_adapters");
}

const struct check_ioctl *module_ioctls(void)
{
	return symbol("dmabuf_check_ioctls");
}

const char *module_heap(unsigned int nr)
{
	return nr < nr_heaps ? heaps[nr] : NULL;
}

struct dma_heap *dma_heap_add(const struct dma_heap_export_info *info)
{
	struct dma_heap *heap = real_dma_heap_add(info);

	if (!IS_ERR(heap) && nr_heaps < MODULE_HEAPS)
		snprintf(heaps[nr_heaps++], sizeof(heaps[0]), "%s", info->name);
	return heap;
}
