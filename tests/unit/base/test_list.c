#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct item {
    struct list_node node;
    int number;
};

static void nodes_come_in_order_and_leave_from_anywhere(void **state)
{
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    struct list_node list;

    (void)state;
    list_init(&list);
    assert_true(list_is_empty(&list));
    for (int i = 0; i < 3; i++) {
        list_init(&items[i].node);
        list_append(&list, &items[i].node);
    }
    list_remove(&items[1].node);
    list_remove(&items[1].node);
    assert_ptr_equal(list.next, &items[0].node);
    assert_ptr_equal(list.next->next, &items[2].node);
    assert_ptr_equal(list.previous, &items[2].node);
    assert_true(list_is_empty(&items[1].node));
}

static void a_list_can_be_moved_behind_another(void **state)
{
    struct item items[4];
    struct list_node to;
    struct list_node from;

    (void)state;
    list_init(&to);
    list_init(&from);
    list_append_all(&to, &from);
    assert_true(list_is_empty(&to));
    for (int i = 0; i < 4; i++) {
        list_init(&items[i].node);
        list_append(i < 2 ? &to : &from, &items[i].node);
    }
    list_append_all(&to, &from);
    assert_true(list_is_empty(&from));
    for (int i = 0; i < 4; i++) {
        assert_ptr_equal(to.next, &items[i].node);
        list_remove(to.next);
    }
    assert_true(list_is_empty(&to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_come_in_order_and_leave_from_anywhere),
        cmocka_unit_test(a_list_can_be_moved_behind_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
