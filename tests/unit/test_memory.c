/* How much memory a process may take, by the control groups that it is in. */
#include "common/io/memory.h"
#include "tests/unit/temp_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

static temp_path_t folder;

static void make_folder(void)
{
    folder = temp_folder_make();
}

static void remove_folder(void)
{
    temp_folder_remove(&folder);
}

TestSuite(memory, .init = make_folder, .fini = remove_folder);

static void put(const char *name, const char *text)
{
    const temp_path_t path = temp_file(&folder, name);
    FILE *file = fopen(path.text, "w");
    cr_assert_not_null(file);
    cr_assert(fputs(text, file) >= 0);
    cr_assert_eq(fclose(file), 0);
}

static void make(const char *name)
{
    const temp_path_t path = temp_file(&folder, name);
    cr_assert_eq(mkdir(path.text, 0777), 0);
}

static int64_t limit(const char *groups)
{
    put("groups", groups);
    const temp_path_t path = temp_file(&folder, "groups");
    return nas_memory_limit(path.text, folder.text);
}

Test(memory, the_least_limit_of_a_group_and_of_those_above_it_counts)
{
    make("job");
    make("job/step");
    put("job/step/memory.max", "max\n");
    cr_assert_eq(limit("0::/job/step\n"), INT64_MAX);
    put("job/memory.max", "3000000000\n");
    cr_assert_eq(limit("0::/job/step\n"), 3000000000);
    put("job/step/memory.max", "2000000000\n");
    cr_assert_eq(limit("0::/job/step\n"), 2000000000);
    put("memory.max", "1000\n");
    cr_assert_eq(limit("0::/job/step\n"), 1000);
    cr_assert_eq(limit("0::/\n"), 1000);
}

Test(memory, the_controller_of_version_1_counts_likewise)
{
    make("memory");
    make("memory/job");
    put("memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("memory/job/memory.limit_in_bytes", "5000\n");
    cr_assert_eq(limit("5:cpu:/\n4:memory:/job\n0::/\n"), 5000);
    cr_assert_eq(limit("4:memory:/elsewhere\n"), 9223372036854771712);
}

Test(memory, without_groups_there_is_no_limit)
{
    cr_assert_eq(limit(""), INT64_MAX);
    cr_assert_eq(limit("garbage\n:\n"), INT64_MAX);
    cr_assert_eq(nas_memory_limit("/nowhere", "/nowhere"), INT64_MAX);
}

Test(memory, this_machine_has_some)
{
    cr_assert_gt(nas_memory_bytes(), 1 << 20);
    cr_assert_geq(nas_memory_processors(), 1);
}
