#include "store/path.h"

char *th_path_join(const char *folder, const char *name)
{
    size_t folder_size = strlen(folder), name_size = strlen(name);
    while (folder_size > 1 && folder[folder_size - 1] == '/')
        folder_size--;
    char *path = th_alloc(folder_size + name_size + 2);
    if (!path)
        return NULL;
    memcpy(path, folder, folder_size);
    path[folder_size] = '/';
    memcpy(path + folder_size + 1, name, name_size + 1);
    return path;
}

char *th_path_parent(const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        size--;
    while (size > 0 && path[size - 1] != '/')
        size--;
    while (size > 1 && path[size - 1] == '/')
        size--;
    char *parent = th_alloc(size + 2);
    if (!parent)
        return NULL;
    memcpy(parent, size ? path : ".", size ? size : 1);
    parent[size ? size : 1] = 0;
    return parent;
}
