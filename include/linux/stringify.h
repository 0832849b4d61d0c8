/* SPDX-License-Identifier: MIT */
/* stringify.h - the text of a macro's value */
#ifndef _LINUX_STRINGIFY_H
#define _LINUX_STRINGIFY_H

#define HOST_STRINGIFY(x...) #x
#define __stringify(x...) HOST_STRINGIFY(x)

#endif
