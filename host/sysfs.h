/* SPDX-License-Identifier: MIT */
/* sysfs.h - the end of a device's attributes */
#ifndef HOST_SYSFS_H
#define HOST_SYSFS_H

struct device;

/** host_sysfs_remove_all - @dev has no attributes any more. Context: may sleep; from device_del() */
void host_sysfs_remove_all(struct device *dev);

#endif
