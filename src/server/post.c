/* Posts to the loop: a stack that any thread pushes to with one exchange of its top, and that the loop takes whole
 * and turns round. Thousands of answers come between two rounds of the loop under load; with a lock, the committer
 * and the loop slept and woke each other for it.
 *
 * Order: a push releases what its thread wrote into the post, the taking of all acquires it. A post that was pushed
 * before another by the same thread lies below it, and so runs before it. */
#include "server/internal.h"

static bool push(th_server *server, th_post *post)
{
    th_post *top = __atomic_load_n(&server->posts, __ATOMIC_RELAXED);
    do
        post->next = top;
    while (!__atomic_compare_exchange_n(&server->posts, &top, post, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    return !top;
}

void th_post_to(th_server *server, th_post *post)
{
    /* Whoever found the stack empty wakes the loop; it takes the whole stack at once. The post may be gone by
     * now. One that was pushed quietly and lies there already has its wake coming. */
    if (push(server, post))
        uv_async_send(&server->wake);
}

void th_post_quietly(th_server *server, th_post *post)
{
    (void)push(server, post);
}

void th_posts_wake(void *context)
{
    th_server *server = context;
    /* What this thread pushed is there, or was taken. */
    if (__atomic_load_n(&server->posts, __ATOMIC_RELAXED))
        uv_async_send(&server->wake);
}

void th_posts_run(th_server *server)
{
    th_post *top = __atomic_exchange_n(&server->posts, NULL, __ATOMIC_ACQUIRE);
    th_post *first = NULL;
    while (top) {
        th_post *next = top->next;
        top->next = first;
        first = top;
        top = next;
    }
    while (first) {
        th_post *next = first->next;
        first->run(first);
        first = next;
    }
}
