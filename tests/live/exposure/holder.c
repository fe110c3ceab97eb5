/* Maps a file for execution, as a loader maps a library, and waits for ever. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  int file = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (file < 0) return 3;
  if (mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED) return 4;
  close(file);
  for (;;) pause();
}
