#include "adapters/memory/memory_internal.h"

static bool is_before(const struct memory_heap_item *a, const struct memory_heap_item *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct memory_heap *heap, size_t index, struct memory_heap_item *item)
{
    heap->items[index] = item;
    item->index = index;
}

static void rise(struct memory_heap *heap, struct memory_heap_item *item)
{
    size_t index = item->index;

    while (index > 0) {
        size_t parent = (index - 1) / 2;

        if (!is_before(item, heap->items[parent]))
            break;
        put(heap, index, heap->items[parent]);
        index = parent;
    }
    put(heap, index, item);
}

static void sink(struct memory_heap *heap, struct memory_heap_item *item)
{
    size_t index = item->index;

    for (;;) {
        size_t child = 2 * index + 1;

        if (child + 1 < heap->count && is_before(heap->items[child + 1], heap->items[child]))
            child++;
        if (child >= heap->count || !is_before(heap->items[child], item))
            break;
        put(heap, index, heap->items[child]);
        index = child;
    }
    put(heap, index, item);
}

bool memory_heap_reserve(struct memory_heap *heap, size_t capacity)
{
    if (capacity <= heap->capacity)
        return true;

    struct memory_heap_item **items =
        realloc(heap->items, capacity * sizeof(struct memory_heap_item *));

    if (!items)
        return false;
    heap->items = items;
    heap->capacity = capacity;
    return true;
}

void memory_heap_push(struct memory_heap *heap, struct memory_heap_item *item)
{
    put(heap, heap->count++, item);
    rise(heap, item);
}

void memory_heap_remove(struct memory_heap *heap, struct memory_heap_item *item)
{
    struct memory_heap_item *last = heap->items[--heap->count];

    if (last == item)
        return;
    put(heap, item->index, last);
    memory_heap_update(heap, last);
}

void memory_heap_update(struct memory_heap *heap, struct memory_heap_item *item)
{
    rise(heap, item);
    sink(heap, item);
}

struct memory_heap_item *memory_heap_top(const struct memory_heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}
