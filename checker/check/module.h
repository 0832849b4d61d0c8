/* SPDX-License-Identifier: MIT */
/*
 * module.h - the driver: a shared object, and what it registers when its init call runs
 */
#ifndef CHECKER_CHECK_MODULE_H
#define CHECKER_CHECK_MODULE_H

#include <libdmabuf-check.h>

/**
 * module_load - load @path; its constructors run, its init call does not
 * Returns NULL, or what is wrong in a line.
 */
const char *module_load(const char *path);

/** module_init_call - init_module(), if there is one: 0 or -errno */
int module_init_call(void);

/** module_exit_call - cleanup_module(); false: there is none */
bool module_exit_call(void);

/** module_adapters - what DMABUF_CHECK() says; ends with a NULL name. NULL: it is not there */
const struct check_adapter *module_adapters(void);

/** module_ioctls - what DMABUF_CHECK_IOCTLS() says; ends with a NULL node. NULL: it is not there */
const struct check_ioctl *module_ioctls(void);

/** module_objects_of - look for objects in the file @path, which dlopen() returned as @handle */
void module_objects_of(const char *path, void *handle);

/**
 * module_object - the @nr-th of the driver's objects, static ones too, that @is takes
 *
 * Returns where it is, with its name, or NULL.
 */
const void *module_object(bool (*is)(const char *name, size_t size), unsigned int nr,
			  const char **name);

/** module_heap - the names of the heaps the driver added, one after the other; NULL at the end */
const char *module_heap(unsigned int nr);

#endif
