/* SPDX-License-Identifier: MIT */
/* module-objects.c - what objects a driver has, by its own table of symbols; see module.h */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checker/check/module.h"

static void *object; /* as dlopen() returned it */
static struct {
	const u8 *bytes;
	size_t size;
} file;

void module_objects_of(const char *path, void *handle)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *at;

	object = handle;
	if (fd < 0)
		return;
	at = fstat(fd, &st) ? MAP_FAILED : mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		return;
	file.bytes = at;
	file.size = st.st_size;
}

/* @count things of @bytes each, or NULL: the loader looks at none of what is read here. */
static const void *part(u64 offset, u64 count, u64 bytes)
{
	if (offset > file.size || count > (file.size - offset) / bytes || offset % 8)
		return NULL;
	return file.bytes + offset;
}

/* The section of this type, or of this number. */
static const Elf64_Shdr *section(unsigned int type, unsigned int nr)
{
	const Elf64_Ehdr *head = part(0, 1, sizeof(*head));
	const Elf64_Shdr *sections =
		head ? part(head->e_shoff, head->e_shnum, sizeof(*sections)) : NULL;

	for (unsigned int i = 0; sections && i < head->e_shnum; i++)
		if (type == SHT_NULL ? i == nr : sections[i].sh_type == type)
			return &sections[i];
	return NULL;
}

static const char *string(const Elf64_Shdr *strings, u64 at)
{
	const char *text;

	if (!strings || at >= strings->sh_size || strings->sh_offset > file.size ||
	    strings->sh_size > file.size - strings->sh_offset)
		return "";
	text = (const char *)file.bytes + strings->sh_offset + at;
	return memchr(text, 0, strings->sh_size - at) ? text : "";
}

const void *module_object(bool (*is)(const char *name, size_t size), unsigned int nr,
			  const char **name)
{
	const Elf64_Shdr *table = section(SHT_SYMTAB, 0) ?: section(SHT_DYNSYM, 0);
	size_t count = table ? table->sh_size / sizeof(Elf64_Sym) : 0;
	const Elf64_Sym *symbols = table ? part(table->sh_offset, count, sizeof(*symbols)) : NULL;
	const Elf64_Shdr *strings = table ? section(SHT_NULL, table->sh_link) : NULL;
	struct link_map *map;

	if (!symbols || dlinfo(object, RTLD_DI_LINKMAP, &map))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		*name = string(strings, symbols[i].st_name);
		if (ELF64_ST_TYPE(symbols[i].st_info) == STT_OBJECT &&
		    symbols[i].st_shndx != SHN_UNDEF && is(*name, symbols[i].st_size) && !nr--)
			return (const void *)(map->l_addr + symbols[i].st_value);
	}
	return NULL;
}
