#include "guest/languages.h"

#include <stdio.h>

const th_guest_language *const th_guest_languages[] = {
#define ENTRY(name) &th_guest_##name,
    TH_GUEST_LANGUAGE_LIST(ENTRY)
#undef ENTRY
        NULL,
};

const th_guest_language *th_guest_language_named(const char *name)
{
    for (size_t i = 0; th_guest_languages[i]; i++) {
        const th_guest_language *language = th_guest_languages[i];
        if (strcmp(language->name, name) == 0 ||
            (language->other_name && strcmp(language->other_name, name) == 0))
            return language;
    }
    return NULL;
}

const char *th_guest_language_names(void)
{
    static char names[256];
    size_t size = 0;
    for (size_t i = 0; names[0] == 0 || size > 0; i++) {
        if (!th_guest_languages[i] || size >= sizeof names)
            break;
        if (th_guest_languages[i]->sdk)
            size += (size_t)snprintf(names + size, sizeof names - size, "%s%s", size ? ", " : "",
                                     th_guest_languages[i]->name);
    }
    return names;
}
