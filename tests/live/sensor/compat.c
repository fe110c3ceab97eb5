/* Opens, connects and unlinks through the 32-bit system call entry. Built twice, as a 32-bit
 * program and as a 64-bit one, without any library; its data lie below 4 GiB, where that entry
 * reaches. Forks the same way; the child ends at once. Exits 0 when the file could be opened. */
static const char kFile[] = "/etc/hostname";
static const char kMissing[] = "/nonexistent/compat";
/* 127.0.0.1, port 1 */
static const unsigned char kAddress[16] = {2, 0, 0, 1, 127, 0, 0, 1};

enum { EXIT = 1, FORK = 2, OPEN = 5, WAIT = 7, UNLINK = 10, SOCKET = 359, CONNECT = 362 };

static long call(long number, long first, long second, long third) {
  long result;

  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "0"(number), "b"(first), "c"(second), "d"(third)
                   : "memory"
#ifdef __x86_64__
                     ,
                     "r8", "r9", "r10", "r11"
#endif
  );
  return result;
}

void _start(void) {
  const long opened = call(OPEN, (long)kFile, 0, 0);

  call(CONNECT, call(SOCKET, 2, 1, 0), (long)kAddress, sizeof kAddress);
  call(UNLINK, (long)kMissing, 0, 0);
  if (call(FORK, 0, 0, 0) == 0) call(EXIT, 0, 0, 0);
  call(WAIT, -1, 0, 0);
  for (;;) call(EXIT, opened >= 0 ? 0 : 1, 0, 0);
}
