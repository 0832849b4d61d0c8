/* SPDX-License-Identifier: MIT */
/* tools.h - what a test needs beside importing: an exporter, a fence, a trace, a cost */
#ifndef KMOD_QEMU_TOOLS_H
#define KMOD_QEMU_TOOLS_H

#include <linux/device.h>

#include "importer.h"

extern struct device *importer_devices[IMPORTER_DEVICES];

/** tools_call - the ops from IMPORT_FENCE on; the callers take turns. Returns an errno or 0. */
long tools_call(struct importer_call *call);

/** tools_exit - nobody calls any more */
void tools_exit(void);

#endif
