/* SPDX-License-Identifier: MIT */
/* tools.h - what a test needs beside importing: an exporter, a fence, a trace, a cost, a failure */
#ifndef KMOD_QEMU_TOOLS_H
#define KMOD_QEMU_TOOLS_H

#include <linux/device.h>

#include "importer.h"

extern struct device *importer_devices[IMPORTER_DEVICES];

/** tools_call - the ops from IMPORT_FENCE on; the callers take turns. Returns an errno or 0. */
long tools_call(struct importer_call *call);

/** fault_call - IMPORT_FAIL. Returns 0, or -EOPNOTSUPP where an allocator cannot be probed. */
long fault_call(struct importer_call *call);
void fault_exit(void);

/** overlaps_call - IMPORT_OVERLAPS. Returns 0, -EOPNOTSUPP without the DMA API's tracepoints, or -EOVERFLOW. */
long overlaps_call(struct importer_call *call);
void overlaps_exit(void);

/** planted_call - IMPORT_PLANT. Returns 0, or -EINVAL: there is no such mistake. */
long planted_call(struct importer_call *call);

/** tools_exit - nobody calls any more */
void tools_exit(void);

#endif
