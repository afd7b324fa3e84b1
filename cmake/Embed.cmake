# cmake -DINPUT=file -DOUTPUT=file.c -DNAME=symbol -P Embed.cmake: writes a C file that holds the input's bytes as `symbol` and
# their number as `symbol_size`.
file(READ "${INPUT}" bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x..,){20})" "\\1\n" bytes "${bytes}")
file(WRITE "${OUTPUT}" "/* Written by cmake/Embed.cmake. */\n#include <stddef.h>\n
extern const unsigned char ${NAME}[];\nextern const size_t ${NAME}_size;
const unsigned char ${NAME}[] = {\n${bytes}};\nconst size_t ${NAME}_size = ${size};\n")
