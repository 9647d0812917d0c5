#pragma once

#include <stdbool.h>

/*
 * A doubly linked ring. The nodes are embedded in what is listed; a list is a node of its own. A
 * node is in one list at most, and points to itself while it is in none.
 */
struct list_node {
    struct list_node *next;
    struct list_node *previous;
};

static inline void list_init(struct list_node *node)
{
    node->next = node;
    node->previous = node;
}

static inline bool list_is_empty(const struct list_node *list)
{
    return list->next == list;
}

/* Takes the node out of whatever list it is in. */
static inline void list_remove(struct list_node *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

/* The node must be in no list. */
static inline void list_append(struct list_node *list, struct list_node *node)
{
    node->previous = list->previous;
    node->next = list;
    list->previous->next = node;
    list->previous = node;
}

/* Moves all nodes of `from` behind those of `to`. */
static inline void list_append_all(struct list_node *to, struct list_node *from)
{
    if (list_is_empty(from)) {
        return;
    }
    from->next->previous = to->previous;
    to->previous->next = from->next;
    from->previous->next = to;
    to->previous = from->previous;
    list_init(from);
}
