# List of the target's system call names, from the kernel headers that the compiler itself uses:
# build/generated/schema/syscalls.inc holds one COFF_SYSCALL(name) for each __NR_name.
file(WRITE ${CMAKE_BINARY_DIR}/generated/probe.c "#include <asm/unistd.h>\n")
execute_process(
  COMMAND ${CMAKE_C_COMPILER} -dM -E ${CMAKE_BINARY_DIR}/generated/probe.c
  OUTPUT_VARIABLE macros RESULT_VARIABLE failed)
if(failed)
  message(FATAL_ERROR "cannot list system calls: the kernel headers (linux-libc-dev) are missing")
endif()
string(REGEX MATCHALL "#define __NR_[a-z0-9_]+" names "${macros}")
list(TRANSFORM names REPLACE "#define __NR_(.*)" "COFF_SYSCALL(\\1)")
# Markers of the generic table, no system calls.
list(FILTER names EXCLUDE REGEX "arch_specific_syscall|\\(syscalls\\)|3264_|sync_file_range2")
list(SORT names)
list(JOIN names "\n" text)
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/schema/syscalls.inc CONTENT "${text}\n" @ONLY)
