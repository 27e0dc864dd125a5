/* base/: arenas, atoms, vectors, growing text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/atom.h"
#include "base/text.h"
#include "base/vec.h"

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    arena *a = arena_new();
    for (size_t size = 1; size < 300000; size = size * 3 + 1) {
        unsigned char *memory = arena_alloc(a, size);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, size);
    }
    arena_free(a);
}

static void equal_names_are_one_pointer(void **state)
{
    (void)state;
    arena *a = arena_new();
    atom_table *t = atom_table_new(a);
    const char *first[2000];
    for (int i = 0; i < 2000; i++)
        first[i] = atom_of(t, arena_format(a, "name%d", i));
    for (int i = 0; i < 2000; i++)
        assert_ptr_equal(first[i], atom_of(t, arena_format(a, "name%d", i)));
    assert_ptr_not_equal(first[1], first[2]);
    assert_ptr_equal(atom_intern(t, "name10", 5), first[1]);
    arena_free(a);
}

static void vectors_keep_order(void **state)
{
    (void)state;
    arena *a = arena_new();
    VEC(int) v = {0};
    for (int i = 0; i < 1000; i++)
        vec_push(a, &v, i * i);
    assert_int_equal(v.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(v.items[i], i * i);
    assert_int_equal(vec_last(&v), 999 * 999);
    arena_free(a);
}

/* Two that grow in turn, past the size of the largest block: no item is lost, and what was used of the arena is not
 * much more than what they hold. */
static void large_vectors_leave_little_behind(void **state)
{
    (void)state;
    enum { COUNT = 5 << 20 };
    arena *a = arena_new();
    VEC(int64_t) v = {0};
    VEC(int32_t) w = {0};
    for (int i = 0; i < COUNT; i++) {
        vec_push(a, &v, (int64_t)i * i);
        vec_push(a, &w, -i);
        if (i % 100000 == 0)
            assert_int_equal(*arena_array(a, int, 4), 0);
    }
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(v.items[i], (int64_t)i * i);
        assert_int_equal(w.items[i], -i);
    }
    assert_true(arena_used(a) < (v.room * 8 + w.room * 4) * 5 / 4 + (8 << 20));
    unsigned char *more = arena_grow(a, v.items, v.room * 8, v.room * 8 + 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(more[v.room * 8 + (size_t)i], 0);
    arena_free(a);
}

static void text_grows(void **state)
{
    (void)state;
    arena *a = arena_new();
    text t = text_in(a);
    assert_string_equal(text_done(&t), "");
    for (int i = 0; i < 500; i++)
        text_add(&t, "%d,", i % 10);
    assert_int_equal(t.length, 1000);
    assert_memory_equal(text_done(&t), "0,1,2,3,4,5,6,7,8,9,", 20);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(equal_names_are_one_pointer),
        cmocka_unit_test(vectors_keep_order),
        cmocka_unit_test(large_vectors_leave_little_behind),
        cmocka_unit_test(text_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
