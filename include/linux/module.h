/* SPDX-License-Identifier: MIT */
/*
 * module.h - a driver's source says it is a module; here all are built in
 *
 * THIS_MODULE is NULL, as for built-in code in Linux, and a reference to it always succeeds.
 * Parameters keep their default.
 */
#ifndef _LINUX_MODULE_H
#define _LINUX_MODULE_H

#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/stringify.h>

struct module;

#define THIS_MODULE ((struct module *)NULL)

#ifndef KBUILD_MODNAME
#define KBUILD_MODNAME "libdmabuf"
#endif

static inline bool try_module_get(struct module *module)
{
	return true;
}

static inline void __module_get(struct module *module)
{
}

static inline void module_put(struct module *module)
{
}

#define module_init(fn) device_initcall(fn)
#define module_exit(fn) __exitcall(fn)

#define HOST_MODULE_TEXT(text) _Static_assert(sizeof(text) > 0, "")
#define MODULE_LICENSE(text) HOST_MODULE_TEXT(text)
#define MODULE_AUTHOR(text) HOST_MODULE_TEXT(text)
#define MODULE_DESCRIPTION(text) HOST_MODULE_TEXT(text)
#define MODULE_VERSION(text) HOST_MODULE_TEXT(text)
#define MODULE_ALIAS(text) HOST_MODULE_TEXT(text)
#define MODULE_SOFTDEP(text) HOST_MODULE_TEXT(text)
#define MODULE_IMPORT_NS(ns) HOST_MODULE_TEXT(#ns)
#define MODULE_PARM_DESC(name, text) HOST_MODULE_TEXT(text)
#define MODULE_DEVICE_TABLE(type, name) extern typeof(name) name
#define module_param(name, type, perm) extern typeof(name) name##_param_declared
#define module_param_named(name, value, type, perm) extern typeof(value) name##_param_declared

#endif
