# Compiler options every target of ours is built with.
add_library(coff_options INTERFACE)
target_compile_options(coff_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast
  # clang only builds the sanitized tests and the fuzzers here, and has opinions of its own about libstdc++.
  $<$<CXX_COMPILER_ID:GNU>:-Werror>
  # Designated initializers leave the rest at its default on purpose.
  -Wno-missing-field-initializers
  -fstack-protector-strong
  # Functions and lines, which is what stack traces and profiles show; more costs a fifth of the
  # build's time.
  -g1)
target_include_directories(coff_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR})
target_compile_definitions(coff_options INTERFACE COFF_VERSION="${PROJECT_VERSION}")
if(COFF_SANITIZE)
  target_compile_options(coff_options INTERFACE -fsanitize=${COFF_SANITIZE} -fno-omit-frame-pointer
    # gcc 12 reports false "maybe uninitialized" once a sanitizer is on.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    # Boost.Asio uses fences, which gcc's thread sanitizer does not model.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  target_link_options(coff_options INTERFACE -fsanitize=${COFF_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_definitions(coff_options INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(coff_options INTERFACE -Wl,-z,relro,-z,now)
endif()
