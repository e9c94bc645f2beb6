#include "common/base/checkpoint.h"

#include <criterion/criterion.h>

/* A save that ended at 1000 s and took cost_s. */
static nas_checkpoint_t after_save(double interval_s, double cost_s)
{
    nas_checkpoint_t checkpoint = {.interval_s = interval_s};
    nas_checkpoint_saved(&checkpoint, 1000.0 - cost_s, 1000.0);
    return checkpoint;
}

Test(checkpoint, takes_at_most_two_percent_of_the_time)
{
    const nas_checkpoint_t checkpoint = after_save(60.0, 0.1);
    cr_assert_not(nas_checkpoint_due(&checkpoint, 1004.9, 0.0));
    cr_assert(nas_checkpoint_due(&checkpoint, 1005.1, 0.0));
}

Test(checkpoint, a_costly_save_lets_the_interval_grow)
{
    const nas_checkpoint_t checkpoint = after_save(60.0, 30.0);
    cr_assert_not(nas_checkpoint_due(&checkpoint, 1060.5, 0.0));
    cr_assert_not(nas_checkpoint_due(&checkpoint, 2499.0, 0.0));
    cr_assert(nas_checkpoint_due(&checkpoint, 2501.0, 0.0));
}

Test(checkpoint, the_interval_is_kept_where_chances_are_rare_and_saves_cheap)
{
    const nas_checkpoint_t cheap = after_save(60.0, 1.1), costly = after_save(60.0, 1.3);
    cr_assert_not(nas_checkpoint_due(&cheap, 1045.0, 0.0));
    cr_assert_not(nas_checkpoint_last_chance(&cheap, 1010.0, 45.0));
    cr_assert(nas_checkpoint_last_chance(&cheap, 1020.0, 45.0));
    cr_assert_not(nas_checkpoint_last_chance(&costly, 1020.0, 45.0));
}

/* A file system that hung once must not let an hour go by without a save. */
Test(checkpoint, a_single_save_that_was_held_up_does_not_count)
{
    nas_checkpoint_t checkpoint = after_save(60.0, 0.1);
    nas_checkpoint_saved(&checkpoint, 2000.0, 2030.0);
    cr_assert(nas_checkpoint_due(&checkpoint, 2035.1, 0.0));
    nas_checkpoint_saved(&checkpoint, 3000.0, 3020.0);
    cr_assert_not(nas_checkpoint_due(&checkpoint, 4019.0, 0.0));
    cr_assert(nas_checkpoint_due(&checkpoint, 4021.0, 0.0));
}

Test(checkpoint, an_expensive_evaluation_is_saved_at_once)
{
    const nas_checkpoint_t checkpoint = after_save(60.0, 30.0);
    cr_assert_not(nas_checkpoint_due(&checkpoint, 1002.0, 0.9));
    cr_assert(nas_checkpoint_due(&checkpoint, 1002.0, 1.0));
}

Test(checkpoint, interval_zero_saves_at_every_step)
{
    const nas_checkpoint_t checkpoint = after_save(0.0, 30.0);
    cr_assert(nas_checkpoint_due(&checkpoint, 1000.0, 0.0));
}
