#include "tests/tools/fake_cuda/fake_cuda.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char mark[16] = "source of a code";

static bool is_cubin(const void *code)
{
    return memcmp(code, ELFMAG, SELFMAG) == 0;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static const Elf64_Shdr *section_of(const char *code, int i)
{
    const Elf64_Ehdr *head = (const void *)code;
    return (const void *)(code + head->e_shoff + (size_t)i * head->e_shentsize);
}

size_t fake_code_size(const void *code)
{
    if (!is_cubin(code)) return strlen(code) + 1;
    const Elf64_Ehdr *head = code;
    size_t size = larger(head->e_shoff + (size_t)head->e_shnum * head->e_shentsize,
                         head->e_phoff + (size_t)head->e_phnum * head->e_phentsize);
    for (int i = 0; i < head->e_shnum; i++) {
        const Elf64_Shdr *section = section_of(code, i);
        if (section->sh_type != SHT_NOBITS) {
            size = larger(size, section->sh_offset + section->sh_size);
        }
    }
    return size;
}

size_t fake_tail_size(const fake_source_t *source)
{
    size_t size = sizeof mark + 1 + strlen(source->text) + 1;
    for (int i = 0; i < source->n_defines; i++) size += strlen(source->define[i]) + 1;
    return size;
}

void fake_tail_write(const fake_source_t *source, char *tail)
{
    memcpy(tail, mark, sizeof mark);
    tail += sizeof mark;
    *tail++ = (char)source->n_defines;
    tail = stpcpy(tail, source->text) + 1;
    for (int i = 0; i < source->n_defines; i++) tail = stpcpy(tail, source->define[i]) + 1;
}

bool fake_tail_read(const void *code, fake_source_t *source)
{
    const char *tail = (const char *)code + fake_code_size(code);
    if (memcmp(tail, mark, sizeof mark) != 0) return false;
    tail += sizeof mark;
    source->n_defines = (unsigned char)*tail++;
    source->text = tail;
    for (int i = 0; i < source->n_defines; i++) {
        tail += strlen(tail) + 1;
        source->define[i] = tail;
    }
    return true;
}

/* Whether a text of PTX has what comes before a name, then the name, then the end of a name. */
static bool ptx_has(const char *ptx, const char *before, const char *name)
{
    const size_t n_before = strlen(before), n = strlen(name);
    for (const char *at = strstr(ptx, before); at; at = strstr(at + 1, before)) {
        if (strncmp(at + n_before, name, n) == 0 && strchr("( =;[", at[n_before + n])) return true;
    }
    return false;
}

bool fake_code_has(const void *code, const char *kernel)
{
    if (!is_cubin(code)) return ptx_has(code, ".visible .entry ", kernel);
    const Elf64_Ehdr *head = code;
    const char *names = (const char *)code + section_of(code, head->e_shstrndx)->sh_offset;
    char wanted[128];
    snprintf(wanted, sizeof wanted, ".text.%s", kernel);
    for (int i = 0; i < head->e_shnum; i++) {
        if (strcmp(names + section_of(code, i)->sh_name, wanted) == 0) return true;
    }
    return false;
}

bool fake_code_has_variable(const void *code, const char *name)
{
    if (!is_cubin(code)) return ptx_has(code, ".u32 ", name);
    const Elf64_Ehdr *head = code;
    for (int i = 0; i < head->e_shnum; i++) {
        const Elf64_Shdr *section = section_of(code, i);
        if (section->sh_type != SHT_SYMTAB) continue;
        const Elf64_Sym *symbol = (const void *)((const char *)code + section->sh_offset);
        const char *names = (const char *)code + section_of(code, (int)section->sh_link)->sh_offset;
        for (size_t k = 0; k < section->sh_size / sizeof *symbol; k++) {
            if (ELF64_ST_TYPE(symbol[k].st_info) == STT_OBJECT &&
                strcmp(names + symbol[k].st_name, name) == 0) {
                return true;
            }
        }
    }
    return false;
}
