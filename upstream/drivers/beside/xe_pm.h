/* SPDX-License-Identifier: MIT */
/* xe_pm.h - an xe device stays awake while somebody uses it */
#ifndef _XE_PM_H
#define _XE_PM_H

struct xe_device;

void xe_pm_runtime_get(struct xe_device *xe);
void xe_pm_runtime_put(struct xe_device *xe);

#endif
