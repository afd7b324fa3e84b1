# The web page: whether it can be built here, and how. Without Node 18 or newer, npm, or the packages, everything
# else builds, and one line says why the page does not. What was missing is looked for again by the next `cmake`.
option(TH_PAGE "Build the web page into the program, where Node and npm are there" ON)
set(TH_PAGE_BUILT FALSE)
set(TH_PAGE_WHY "")

if(NOT TH_PAGE)
  set(TH_PAGE_WHY "TH_PAGE is off")
else()
  find_program(TH_NODE NAMES node nodejs)
  find_program(TH_NPM NAMES npm)
  if(NOT TH_NODE OR NOT TH_NPM)
    set(TH_PAGE_WHY "it needs Node 18 or newer and npm (Debian: nodejs, npm)")
  else()
    execute_process(COMMAND ${TH_NODE} --version OUTPUT_VARIABLE TH_NODE_VERSION ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REGEX REPLACE "^v" "" TH_NODE_VERSION "${TH_NODE_VERSION}")
    if(NOT TH_NODE_VERSION VERSION_GREATER_EQUAL 18)
      set(TH_PAGE_WHY "it needs Node 18 or newer, and ${TH_NODE} is ${TH_NODE_VERSION}")
    endif()
  endif()
  if(NOT TH_PAGE_WHY)
    # The packages are the same for every build folder, so they are kept beside llhttp.
    set(TH_PAGE_MODULES ${CMAKE_SOURCE_DIR}/build/page-modules)
    execute_process(COMMAND ${CMAKE_SOURCE_DIR}/tools/fetch-page-modules ${TH_PAGE_MODULES} ${TH_NPM} RESULT_VARIABLE fetched)
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
      ${CMAKE_SOURCE_DIR}/web/package.json ${CMAKE_SOURCE_DIR}/web/package-lock.json ${CMAKE_SOURCE_DIR}/tools/fetch-page-modules)
    if(NOT fetched EQUAL 0)
      set(TH_PAGE_WHY "its packages could not be installed (above)")
    endif()
  endif()
endif()

if(TH_PAGE_WHY)
  message(STATUS "The web page is not built: ${TH_PAGE_WHY}")
else()
  set(TH_PAGE_BUILT TRUE)
  message(STATUS "The web page is built with Node ${TH_NODE_VERSION}")
endif()

# Declares how web/page_files.c (for src/server) and web/verify.mjs (for the tests) come about.
function(theater_page_files)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/*)
  set(out ${CMAKE_BINARY_DIR}/web)
  add_custom_command(OUTPUT ${out}/page_files.c BYPRODUCTS ${out}/verify.mjs ${out}/index.html
    COMMAND ${TH_NODE} ${CMAKE_SOURCE_DIR}/web/build.mjs --modules ${TH_PAGE_MODULES}/node_modules --out ${out} --c ${out}/page_files.c
    DEPENDS ${CMAKE_SOURCE_DIR}/web/build.mjs ${CMAKE_SOURCE_DIR}/web/package-lock.json ${sources}
    COMMENT "Bundling the web page" VERBATIM)
endfunction()
