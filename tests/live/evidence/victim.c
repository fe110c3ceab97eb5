/* A process that hides things: a secret in its heap, a memfd, a deleted file, a giant hole. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each letter is one off, so that the text stands nowhere but where it is put at run time. */
static void put(char* to, const char* shifted) {
  while (*shifted != '\0') *to++ = (char)(*shifted++ - 1);
}

static void* sleeper(void* unused) {
  for (;;) pause();
  return unused;
}

static void write_secret(int file, const char* shifted) {
  char text[64] = {0};

  put(text, shifted);
  if (write(file, text, strlen(text)) < 0) exit(2);
}

static void breed(void) {
  /* Faster than anybody lists them; the container's limit of processes bounds it. */
  for (;;) {
    if (fork() == 0) {
      usleep(2000);
      _exit(0);
    }
    usleep(500);
    while (waitpid(-1, NULL, WNOHANG) > 0);
  }
}

int main(int count, char** arguments) {
  char* heap = malloc(4096);
  char* sparse = mmap(NULL, 256UL << 30, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  int memory = memfd_create("stage2", 0);
  int deleted = open("/tmp/stage3", O_RDWR | O_CREAT, 0600);
  pthread_t thread;
  int at;

  if (heap == NULL || sparse == MAP_FAILED || memory < 0 || deleted < 0) return 1;
  put(heap, "IFBQ.TFDSFU.5822");
  put(sparse + (100UL << 30), "TQBSTF.TFDSFU.5822");
  write_secret(memory, "NFNGE.TFDSFU.5822");
  write_secret(deleted, "EFMFUFE.TFDSFU.5822");
  unlink("/tmp/stage3");
  for (at = 0; at < 3; at++) pthread_create(&thread, NULL, sleeper, NULL);
  if (count > 1 && strcmp(arguments[1], "unlink") == 0) unlink(arguments[0]);
  puts("ready");
  fflush(stdout);
  if (count > 1 && strcmp(arguments[1], "breed") == 0) breed();
  for (;;) pause();
}
