/* SPDX-License-Identifier: MIT */
/* byteorder.h - numbers as a device has them, under the names that kernel code uses */
#ifndef UPSTREAM_BYTEORDER_H
#define UPSTREAM_BYTEORDER_H

#include_next <asm/byteorder.h>

#define cpu_to_le16(value) __cpu_to_le16(value)
#define cpu_to_le32(value) __cpu_to_le32(value)
#define cpu_to_le64(value) __cpu_to_le64(value)
#define le16_to_cpu(value) __le16_to_cpu(value)
#define le32_to_cpu(value) __le32_to_cpu(value)
#define le64_to_cpu(value) __le64_to_cpu(value)

#endif
