/* guest/languages.h: the table of languages. A language is added by its file and one line here.
 *
 * The order is the order in which a folder is asked whose it is: what has a project file of its own stands
 * before what is known by the ending of a source file. */
#ifndef TH_GUEST_LANGUAGES_H
#define TH_GUEST_LANGUAGES_H

#include "guest/guest.h"

#define TH_GUEST_LANGUAGE_LIST(X)                                                                            \
    X(rust)                                                                                                  \
    X(go)                                                                                                    \
    X(zig)                                                                                                   \
    X(assemblyscript)                                                                                        \
    X(python)                                                                                                \
    X(typescript)                                                                                            \
    X(javascript)                                                                                            \
    X(c)                                                                                                     \
    X(wasm)

#define TH_GUEST_DECLARE(name) extern const th_guest_language th_guest_##name;
TH_GUEST_LANGUAGE_LIST(TH_GUEST_DECLARE)
#undef TH_GUEST_DECLARE

#endif
