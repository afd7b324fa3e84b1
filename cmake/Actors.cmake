# theater_actor(NAME [INCLUDE folder] SOURCES file...): builds an example actor to ${CMAKE_BINARY_DIR}/actors/NAME.wasm, as the target
# actor_NAME, which `all` contains. Needs clang and lld, as `theater build` does.
function(theater_actor name)
  cmake_parse_arguments(ARG "" "INCLUDE" "SOURCES" ${ARGN})
  set(sources)
  foreach(source ${ARG_SOURCES})
    list(APPEND sources ${CMAKE_CURRENT_SOURCE_DIR}/${source})
  endforeach()
  set(include)
  set(headers)
  if(ARG_INCLUDE)
    set(include -I ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_INCLUDE})
  endif()
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_INCLUDE}/*.h
    ${CMAKE_SOURCE_DIR}/sdk/c/*.h ${CMAKE_SOURCE_DIR}/sdk/c/libc/*.h)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/actors)
  set(output ${CMAKE_BINARY_DIR}/actors/${name}.wasm)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -E env THEATER_SDK=${CMAKE_SOURCE_DIR}/sdk/c
      $<TARGET_FILE:theater-componentize> ${output} ${include} ${CMAKE_CURRENT_SOURCE_DIR} ${sources}
    DEPENDS theater-componentize ${sources} ${headers}
    COMMENT "Building the actor ${name}"
    VERBATIM)
  add_custom_target(actor_${name} ALL DEPENDS ${output})
endfunction()
