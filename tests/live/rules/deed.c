/* Does one thing that a rule looks for, or its harmless neighbour; under any name it is called by.
 * A static program: it stands for miners, servers and compilers in an image, and under a foreign
 * name it does nothing unless its first argument says so.
 *
 *   under PROGRAM...      runs it as a child and waits: its events have this name above them
 *   as UID PROGRAM...     becomes that user, then the program
 *   half PROGRAM...       real user 1000, effective root, then the program
 *   memfd ARGUMENT...     becomes a copy of itself in memory, with these arguments
 *   deleted PATH          becomes a copy of itself at PATH that is removed already
 *   unix PATH             connects to a Unix socket
 *   tcp ADDRESS PORT      connects; does not wait for it
 *   stdio N ADDRESS       makes a connection to itself its descriptor N, by dup2
 *   stdio3 N ADDRESS      the same by dup3
 *   open|openat|openat2 PATH FLAGS   opens it by that call; FLAGS is a number
 *   listen                listens on its own loopback address
 *   packet | udp          opens a socket of that kind
 *   read|write|swap FILE  opens it so, and touches nothing
 *   handle FILE           opens it by its handle
 *   change FILE           its working directory
 *   capability|attribute FILE   sets an extended attribute
 *   attach|traced|peek|poke|take   reaches into a child of its own (traced: is traced)
 *   module                asks for a module without a file
 *   program|map           loads a small BPF program, or makes a map
 *   faults|ring           userfaultfd, io_uring_setup
 *   narrow                calls through the 32-bit entry, and ends that way
 *   login N               sets its login user
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <net/ethernet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

extern char** environ;

static int under(char** program) {
  int status = 0;

  if (fork() == 0) {
    execve(program[0], program, environ);
    _exit(127);
  }
  wait(&status);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int become(long real, long effective, char** program) {
  if (real == effective && syscall(SYS_setgroups, 0, 0) != 0) return 1;
  if (syscall(SYS_setresuid, real, effective, effective) != 0) return 1;
  execve(program[0], program, environ);
  return 127;
}

static int copy_self(int to) {
  static char buffer[65536];
  int from = open("/proc/self/exe", O_RDONLY);
  ssize_t got;

  while ((got = read(from, buffer, sizeof buffer)) > 0)
    if (write(to, buffer, got) != got) return -1;
  close(from);
  return to;
}

static int run_copy(int fd, char** arguments) {
  if (fd < 0) return 1;
  return syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH) == 0 ? 0 : 1;
}

static int run_deleted(const char* path) {
  char* arguments[] = {"deed", "nothing", 0};
  int out = copy_self(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755)), in;

  close(out);
  in = open(path, O_RDONLY | O_CLOEXEC);
  unlink(path);
  return run_copy(in, arguments);
}

static int to_unix(const char* path) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};

  strncpy(name.sun_path, path, sizeof name.sun_path - 1);
  connect(socket(AF_UNIX, SOCK_STREAM, 0), (void*)&name, sizeof name);
  return 0;
}

/* An address of either family; what connect() and bind() want of it is 16 or 28 bytes. */
static socklen_t at(const char* address, int port, struct sockaddr_in6* out) {
  struct sockaddr_in* v4 = (void*)out;

  memset(out, 0, sizeof *out);
  if (strchr(address, ':')) {
    out->sin6_family = AF_INET6;
    out->sin6_port = htons(port);
    inet_pton(AF_INET6, address, &out->sin6_addr);
    return sizeof *out;
  }
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  inet_pton(AF_INET, address, &v4->sin_addr);
  return sizeof *v4;
}

static int to_tcp(const char* address, int port) {
  struct sockaddr_in6 name;
  socklen_t length = at(address, port, &name);

  connect(socket(name.sin6_family, SOCK_STREAM | SOCK_NONBLOCK, 0), (void*)&name, length);
  return 0;
}

static int listener_at(const char* address, struct sockaddr_in6* name) {
  socklen_t length = at(address, 0, name);
  int fd = socket(name->sin6_family, SOCK_STREAM, 0);

  if (bind(fd, (void*)name, length) != 0 || listen(fd, 4) != 0) return -1;
  return getsockname(fd, (void*)name, &length) == 0 ? fd : -1;
}

static int stdio(int number, const char* address, int by_dup3) {
  struct sockaddr_in6 name;
  int listener = listener_at(address, &name), fd = socket(name.sin6_family, SOCK_STREAM, 0);

  if (listener < 0 || connect(fd, (void*)&name, sizeof name) != 0) return 1;
  return (by_dup3 ? dup3(fd, number, 0) : dup2(fd, number)) == number ? 0 : 1;
}

static int open_by(const char* call, const char* path, unsigned long long flags) {
  struct open_how {
    unsigned long long flags, mode, resolve;
  } how = {flags, flags & O_CREAT ? 0644 : 0, 0};

#ifdef SYS_open
  if (!strcmp(call, "open")) return syscall(SYS_open, path, flags, 0644) < 0;
#endif
  if (!strcmp(call, "openat")) return syscall(SYS_openat, AT_FDCWD, path, flags, 0644) < 0;
  return syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how) < 0;
}

static int by_handle(const char* path) {
  struct {
    unsigned bytes;
    int type;
    char rest[128];
  } handle = {.bytes = 128};
  int mount_id, base = open(path, O_RDONLY);

  if (syscall(SYS_name_to_handle_at, AT_FDCWD, path, &handle, &mount_id, 0) != 0) return 1;
  return syscall(SYS_open_by_handle_at, base, &handle, O_RDONLY) >= 0 ? 0 : 1;
}

static int set_attribute(const char* path, int capability) {
  /* Version 2 of the kernel's vfs_cap_data: net_bind_service, permitted and effective. */
  unsigned data[5] = {0x02000001, 1U << 10U, 0, 0, 0};

  return capability ? setxattr(path, "security.capability", data, sizeof data, 0)
                    : setxattr(path, "trusted.note", "x", 1, 0);
}

static int reach_into_child(const char* how) {
  static unsigned memory[4];
  struct iovec io = {memory, sizeof memory};
  pid_t child = fork();
  int result = 0;

  if (child == 0) {
    if (!strcmp(how, "traced")) _exit(ptrace(PTRACE_TRACEME, 0, 0, 0) != 0);
    for (;;) pause();
  }
  if (!strcmp(how, "attach")) {
    result = ptrace(PTRACE_ATTACH, child, 0, 0) != 0;
    waitpid(child, 0, 0);
  }
  if (!strcmp(how, "peek")) result = process_vm_readv(child, &io, 1, &io, 1, 0) < 0;
  if (!strcmp(how, "poke")) result = process_vm_writev(child, &io, 1, &io, 1, 0) < 0;
  if (!strcmp(how, "take")) {
    int fd = syscall(SYS_pidfd_open, child, 0);

    result = syscall(SYS_pidfd_getfd, fd, 1, 0) < 0;
  }
  if (strcmp(how, "traced") != 0) kill(child, SIGKILL);
  waitpid(child, 0, 0);
  return result;
}

static int load_bpf(int program) {
  /* r0 = 0; exit */
  unsigned long long code[2] = {0xb7, 0x95};
  union bpf_attr attributes;

  memset(&attributes, 0, sizeof attributes);
  if (!program) {
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = attributes.value_size = attributes.max_entries = 4;
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes) < 0;
  }
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insns = (unsigned long)code;
  attributes.insn_cnt = 2;
  attributes.license = (unsigned long)"GPL";
  return syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes) < 0;
}

static int narrow(void) {
#ifdef __x86_64__
  const long calls[] = {20 /* getpid */, 1 /* exit */};

  for (int at = 0; at < 2; ++at) {
    long result;

    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "0"(calls[at]), "b"(0L)
                     : "memory", "r8", "r9", "r10", "r11");
  }
#endif
  return 1;
}

static int without_argument(const char* what) {
  struct sockaddr_in6 name;
  struct io_uring_params ring = {0};

  if (!strcmp(what, "listen")) return listener_at("127.0.0.1", &name) < 0;
  if (!strcmp(what, "packet")) return socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) < 0;
  if (!strcmp(what, "udp")) return socket(AF_INET, SOCK_DGRAM, 0) < 0;
  if (!strcmp(what, "module")) return syscall(SYS_finit_module, -1, "", 0) == 0;
  if (!strcmp(what, "program") || !strcmp(what, "map")) return load_bpf(*what == 'p');
  if (!strcmp(what, "faults")) return syscall(SYS_userfaultfd, O_CLOEXEC) < 0;
  if (!strcmp(what, "ring")) return syscall(SYS_io_uring_setup, 1, &ring) < 0;
  if (!strcmp(what, "narrow")) return narrow();
  if (!strcmp(what, "attach") || !strcmp(what, "traced") || !strcmp(what, "peek") ||
      !strcmp(what, "poke") || !strcmp(what, "take"))
    return reach_into_child(what);
  return 0;
}

static int with_file(const char* what, const char* file) {
  if (!strcmp(what, "unix")) return to_unix(file);
  if (!strcmp(what, "read")) return open(file, O_RDONLY) < 0;
  if (!strcmp(what, "write")) return open(file, O_WRONLY) < 0;
  if (!strcmp(what, "swap")) return open(file, O_RDWR) < 0;
  if (!strcmp(what, "handle")) return by_handle(file);
  if (!strcmp(what, "change")) return chdir(file) != 0;
  if (!strcmp(what, "deleted")) return run_deleted(file);
  if (!strcmp(what, "capability") || !strcmp(what, "attribute"))
    return set_attribute(file, *what == 'c') != 0;
  if (!strcmp(what, "login")) {
    int fd = open("/proc/self/loginuid", O_WRONLY);

    return write(fd, file, strlen(file)) != (ssize_t)strlen(file);
  }
  return 0;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";

  if (argc > 2 && !strcmp(what, "under")) return under(argv + 2);
  if (argc > 3 && !strcmp(what, "as")) return become(atol(argv[2]), atol(argv[2]), argv + 3);
  if (argc > 2 && !strcmp(what, "half")) return become(1000, 0, argv + 2);
  if (!strcmp(what, "memfd")) return run_copy(copy_self(memfd_create("ghost", 0)), argv + 1);
  if (argc > 3 && !strcmp(what, "tcp")) return to_tcp(argv[2], (int)strtol(argv[3], 0, 10));
  if (argc > 3 && !strncmp(what, "stdio", 5))
    return stdio((int)strtol(argv[2], 0, 10), argv[3], what[5] == '3');
  if (argc > 3 && !strncmp(what, "open", 4)) return open_by(what, argv[2], strtoull(argv[3], 0, 0));
  return argc > 2 ? with_file(what, argv[2]) : without_argument(what);
}
