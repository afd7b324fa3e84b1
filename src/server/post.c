#include "server/internal.h"

void th_post_to(th_server *server, th_post *post)
{
    post->next = NULL;
    th_mutex_lock(&server->lock);
    bool first = server->posts_first == NULL;
    if (server->posts_last)
        server->posts_last->next = post;
    else
        server->posts_first = post;
    server->posts_last = post;
    th_mutex_unlock(&server->lock);
    /* Whoever found the list empty wakes the loop; it takes the whole list at once. */
    if (first)
        uv_async_send(&server->wake);
}

void th_posts_run(th_server *server)
{
    th_mutex_lock(&server->lock);
    th_post *post = server->posts_first;
    server->posts_first = server->posts_last = NULL;
    th_mutex_unlock(&server->lock);
    while (post) {
        th_post *next = post->next;
        post->run(post);
        post = next;
    }
}
