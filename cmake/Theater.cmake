# Flags of every C target, and the functions by which folders declare libraries and tests.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

add_library(th_flags INTERFACE)
target_include_directories(th_flags INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(th_flags INTERFACE _GNU_SOURCE)
target_compile_options(th_flags INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes
  -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wno-unused-parameter -fno-strict-aliasing -fvisibility=hidden)
if(TH_SANITIZE)
  target_compile_options(th_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(th_flags INTERFACE -fsanitize=address,undefined)
endif()
if(TH_THREAD_SANITIZE)
  target_compile_options(th_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(th_flags INTERFACE -fsanitize=thread)
endif()
if(TH_FUZZ)
  target_compile_options(th_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_link_options(th_flags INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
endif()
if(TH_COVERAGE)
  target_compile_options(th_flags INTERFACE --coverage)
  target_link_options(th_flags INTERFACE --coverage)
endif()
if(TH_FAULTS OR TH_SANITIZE)
  target_compile_definitions(th_flags INTERFACE TH_FAULTS)
endif()

# th_library(NAME SOURCES file... [LINK library...]): the static library of one folder of src/.
function(th_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC th_flags ${ARG_LINK})
endfunction()

# th_test(NAME SOURCES file... [LINK library...] [TIMEOUT seconds] [LABELS label...]): one cmocka program.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
function(th_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE th_flags ${ARG_LINK} PkgConfig::CMOCKA)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${name} PRIVATE TH_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
    TH_BINARY_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
