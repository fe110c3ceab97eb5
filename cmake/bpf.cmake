# Kernel programs: bpf/cofferdam.bpf.c -> object -> skeleton header in a target `coff_bpf`.
find_program(BPF_CLANG NAMES clang-14 REQUIRED)
find_program(BPFTOOL bpftool REQUIRED PATHS /usr/sbin)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(BPF_ARCH arm64)
else()
  set(BPF_ARCH x86)
endif()
set(BPF_OUT ${CMAKE_BINARY_DIR}/bpf)
file(MAKE_DIRECTORY ${BPF_OUT})
file(GLOB BPF_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bpf/*.[ch])
add_custom_command(
  OUTPUT ${BPF_OUT}/cofferdam.skel.h
  COMMAND ${BPF_CLANG} -g -O2 -target bpf -D__TARGET_ARCH_${BPF_ARCH} -Wall -Werror
          -Wno-unused-function -I ${CMAKE_SOURCE_DIR}/bpf
          -c ${CMAKE_SOURCE_DIR}/bpf/cofferdam.bpf.c -o ${BPF_OUT}/cofferdam.bpf.o
  COMMAND ${BPFTOOL} gen skeleton ${BPF_OUT}/cofferdam.bpf.o name cofferdam_bpf
          > ${BPF_OUT}/cofferdam.skel.h
  DEPENDS ${BPF_SOURCES}
  COMMENT "Kernel programs"
  VERBATIM)
add_custom_target(coff_bpf DEPENDS ${BPF_OUT}/cofferdam.skel.h)
# The programs of response are an object of their own: they are loaded by another process.
add_custom_command(
  OUTPUT ${BPF_OUT}/response.skel.h
  COMMAND ${BPF_CLANG} -g -O2 -target bpf -D__TARGET_ARCH_${BPF_ARCH} -Wall -Werror
          -Wno-unused-function -I ${CMAKE_SOURCE_DIR}/bpf
          -c ${CMAKE_SOURCE_DIR}/bpf/response.bpf.c -o ${BPF_OUT}/response.bpf.o
  COMMAND ${BPFTOOL} gen skeleton ${BPF_OUT}/response.bpf.o name response_bpf
          > ${BPF_OUT}/response.skel.h
  DEPENDS ${CMAKE_SOURCE_DIR}/bpf/response.bpf.c
  COMMENT "Kernel programs of response"
  VERBATIM)
add_custom_target(coff_response_bpf DEPENDS ${BPF_OUT}/response.skel.h)
