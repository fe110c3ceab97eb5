# Toolchain of the arm64 cross-build: Debian's compiler here, Debian's arm64 libraries in a folder
# that scripts/cross-build fills (COFF_ARM64_ROOT, build/arm64-root by default).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
if(NOT COFF_ARM64_ROOT)
  set(COFF_ARM64_ROOT ${CMAKE_CURRENT_LIST_DIR}/../build/arm64-root)
endif()
get_filename_component(CMAKE_SYSROOT ${COFF_ARM64_ROOT} ABSOLUTE)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES COFF_ARM64_ROOT)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

# Libraries and headers are the target's, programs are this machine's.
set(CMAKE_FIND_ROOT_PATH ${CMAKE_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_DIR} "")
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${CMAKE_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
    ${CMAKE_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${CMAKE_SYSROOT}/usr/share/pkgconfig)

# Unit tests of the portable rooms run under emulation, where it is installed.
find_program(COFF_QEMU_ARM64 qemu-aarch64-static)
if(COFF_QEMU_ARM64)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${COFF_QEMU_ARM64};-L;${CMAKE_SYSROOT})
endif()
