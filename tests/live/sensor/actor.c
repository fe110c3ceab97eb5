/* Makes one system call of each kind that the sensor observes, so that a test can look for each.
 * A static program without dependencies: it runs in an empty container as well.
 *
 *   actor calls DIR     every observed call once, in DIR; failures are fine, they are events too
 *   actor storm N       N forks of a child that executes this program with "true"
 *   actor true          exits 0
 *   actor opens N       N opens and closes of /etc/hostname
 *   actor memfd         executes a copy of itself from an anonymous memory file
 *   actor uring         submits one operation to an io_uring
 *   actor wait          waits to be killed
 *   actor eat           takes memory until it is killed
 *   actor login         sets its login user to 1234, then its user and group to 1001
 *   actor drop          gives up all its capabilities
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif

static void files(const char* dir) {
  struct open_how {
    unsigned long long flags, mode, resolve;
  } how = {O_RDONLY, 0, 0};
  struct {
    int bytes, type;
    char rest[128];
  } handle = {0};
  int fd, base;

  if (chdir(dir) != 0) exit(1);
  base = open(".", O_RDONLY | O_DIRECTORY);
#ifdef SYS_open
  syscall(SYS_open, "plain", O_RDWR | O_CREAT, 0600);
  syscall(SYS_creat, "created", 0600);
#endif
  fd = syscall(SYS_openat, AT_FDCWD, "file", O_RDWR | O_CREAT, 0644);
  syscall(SYS_openat2, base, "file", &how, sizeof how);
  syscall(SYS_open_by_handle_at, base, &handle, O_RDONLY);
#ifdef SYS_unlink
  syscall(SYS_mkdir, "d1", 0755);
  syscall(SYS_rmdir, "d1");
  syscall(SYS_link, "file", "hard");
  syscall(SYS_symlink, "file", "soft");
  syscall(SYS_rename, "hard", "hard2");
  syscall(SYS_unlink, "hard2");
  syscall(SYS_mknod, "pipe1", S_IFIFO | 0600, 0);
  syscall(SYS_chmod, "file", 0755);
  syscall(SYS_chown, "file", 0, 0);
  syscall(SYS_lchown, "file", 0, 0);
#endif
  syscall(SYS_mkdirat, base, "d2", 0755);
  syscall(SYS_linkat, base, "file", base, "hard3", 0);
  syscall(SYS_symlinkat, "/etc/hostname", base, "soft2");
#ifdef SYS_renameat
  syscall(SYS_renameat, base, "hard3", base, "hard4");
#endif
  syscall(SYS_renameat2, base, "hard4", base, "hard5", 0);
  syscall(SYS_unlinkat, base, "d2", AT_REMOVEDIR);
  syscall(SYS_unlinkat, base, "hard5", 0);
  syscall(SYS_mknodat, base, "pipe2", S_IFIFO | 0600, 0);
  syscall(SYS_fchmod, fd, 0700);
  syscall(SYS_fchmodat, base, "file", 0711);
  syscall(SYS_fchmodat2, base, "file", 0710, 0);
  syscall(SYS_fchown, fd, 0, 0);
  syscall(SYS_fchownat, base, "file", 0, 0, 0);
  syscall(SYS_truncate, "file", 8192);
  syscall(SYS_ftruncate, fd, 8192);
  syscall(SYS_setxattr, "file", "user.coff", "x", 1, 0);
  syscall(SYS_lsetxattr, "file", "user.coff", "x", 1, 0);
  syscall(SYS_fsetxattr, fd, "user.coff", "x", 1, 0);
  syscall(SYS_setxattrat, base, "file", 0, "user.coff", 0, 0);
  {
    void* at = mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    void* later = mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 4096);

    if (at == MAP_FAILED || later == MAP_FAILED) exit(1);
    syscall(SYS_mprotect, later, 4096, PROT_READ | PROT_EXEC);
  }
  syscall(SYS_chdir, dir);
  syscall(SYS_fchdir, base);
  syscall(SYS_memfd_create, "coff-memory", 0);
}

static void mounts_and_modules(void) {
  syscall(SYS_mount, "coff-source", "/nonexistent/target", "tmpfs", 0, 0);
  syscall(SYS_umount2, "/nonexistent/target", 0);
  syscall(SYS_pivot_root, "/nonexistent", "/nonexistent/old");
  syscall(SYS_move_mount, -1, "/nonexistent/a", -1, "/nonexistent/b", 0);
  syscall(SYS_open_tree, -1, "/nonexistent", 0);
  syscall(SYS_fsmount, -1, 0, 0);
  syscall(SYS_init_module, 0, 0, "param=1");
  syscall(SYS_finit_module, -1, "param=2", 0);
  syscall(SYS_delete_module, "coff_no_such_module", O_NONBLOCK);
  syscall(SYS_chroot, "/nonexistent");
}

static void calls(void) {
  unsigned long header[2] = {0x20080522, 0};
  unsigned data[6] = {0};
  struct iovec io = {data, sizeof data};
  char attributes[128] = {0};

  syscall(SYS_setns, -1, 0);
  syscall(SYS_unshare, CLONE_FILES);
  syscall(SYS_ptrace, PTRACE_ATTACH, 0x7ffffff0, 0, 0);
  syscall(SYS_process_vm_readv, getpid(), &io, 1, &io, 1, 0);
  syscall(SYS_process_vm_writev, getpid(), &io, 1, &io, 1, 0);
  syscall(SYS_pidfd_getfd, -1, 0, 0);
  syscall(SYS_bpf, 5, attributes, sizeof attributes);
  syscall(SYS_userfaultfd, 0);
  syscall(SYS_io_uring_setup, 0, 0);
  syscall(SYS_capset, header, data);
  /* In a child: a session leader, as the first process of a container is, may not. */
  if (fork() == 0) {
    syscall(SYS_setpgid, 0, 0);
    _exit(0);
  }
  wait(0);
  if (fork() == 0) {
    syscall(SYS_setsid);
    _exit(0);
  }
  wait(0);
  syscall(SYS_setgroups, 0, 0);
  syscall(SYS_setfsuid, geteuid());
  syscall(SYS_setfsgid, getegid());
  syscall(SYS_setregid, -1, -1);
  syscall(SYS_setreuid, -1, -1);
  syscall(SYS_setresgid, -1, -1, -1);
  syscall(SYS_setresuid, -1, -1, -1);
  syscall(SYS_setgid, getegid());
  syscall(SYS_setuid, geteuid());
}

static void datagrams(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(40553)};
  struct sockaddr_in from;
  socklen_t length = sizeof from;
  struct iovec io = {"hello", 5};
  char buffer[16];
  struct iovec in = {buffer, sizeof buffer};
  struct mmsghdr out = {
      .msg_hdr = {
          .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &io, .msg_iovlen = 1}};
  struct mmsghdr back = {
      .msg_hdr = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &in, .msg_iovlen = 1}};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);

  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (void*)&address, sizeof address) != 0) exit(1);
  syscall(SYS_sendto, fd, "hello", 5, 0, &address, sizeof address);
  syscall(SYS_recvfrom, fd, buffer, sizeof buffer, 0, &from, &length);
  syscall(SYS_sendmsg, fd, &out.msg_hdr, 0);
  syscall(SYS_recvmsg, fd, &back.msg_hdr, 0);
  back.msg_hdr.msg_namelen = sizeof from;
  syscall(SYS_sendmmsg, fd, &out, 1, 0);
  syscall(SYS_recvmmsg, fd, &back, 1, 0, 0);
  close(fd);
}

static void sockets(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(40554)};
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0coff-abstract"};
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void*)&address, sizeof address) != 0 || listen(listener, 7) != 0) exit(1);
  for (int round = 0; round < 2; round++) {
    int client = socket(AF_INET, SOCK_STREAM, 0), server;

    if (connect(client, (void*)&address, sizeof address) != 0) exit(1);
#ifdef SYS_accept
    server =
        round == 0 ? syscall(SYS_accept, listener, 0, 0) : syscall(SYS_accept4, listener, 0, 0, 0);
#else
    server = syscall(SYS_accept4, listener, 0, 0, 0);
#endif
    if (round == 0) {
      int kept = dup(0);

#ifdef SYS_dup2
      syscall(SYS_dup2, server, 0);
#endif
      syscall(SYS_dup3, server, 0, O_CLOEXEC);
      close(0);
      syscall(SYS_dup, server);
      close(0);
      syscall(SYS_fcntl, server, F_DUPFD, 0);
      dup2(kept, 0);
      close(kept);
    }
    close(client);
    close(server);
  }
  address.sin_port = htons(1);
  connect(socket(AF_INET, SOCK_STREAM, 0), (void*)&address, sizeof address);
  connect(socket(AF_UNIX, SOCK_STREAM, 0), (void*)&name,
          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 14));
  datagrams();
}

static void programs(char* self) {
  char* arguments[] = {self, "true", "with space", "new\nline", 0};
  char* environment[] = {"COFF_ACTOR=1", 0};

  execve("/nonexistent/program", arguments, environment);
  syscall(SYS_execveat, AT_FDCWD, "/nonexistent/program2", arguments, environment, 0);
  if (fork() == 0) {
    execve("/proc/self/exe", arguments, environment);
    _exit(1);
  }
  wait(0);
}

static int storm(const char* self, long count) {
  for (long i = 0; i < count; i++) {
    pid_t child = vfork();

    if (child == 0) {
      execl(self, "actor", "true", (char*)0);
      _exit(1);
    }
    if (child < 0 || waitpid(child, 0, 0) < 0) return 1;
  }
  return 0;
}

static int run_from_memory(const char* self) {
  char *arguments[] = {"ghost", "true", 0}, *environment[] = {0};
  int from = open(self, O_RDONLY), to = memfd_create("ghost", 0);
  char buffer[65536];
  ssize_t got;

  while ((got = read(from, buffer, sizeof buffer)) > 0)
    if (write(to, buffer, got) != got) return 1;
  syscall(SYS_execveat, to, "", arguments, environment, AT_EMPTY_PATH);
  return 1;
}

static int use_uring(void) {
  struct io_uring_params p = {0};
  int fd = syscall(SYS_io_uring_setup, 4, &p);
  unsigned *sq, *tail, *array;
  struct io_uring_sqe* entries;

  if (fd < 0) return errno == ENOSYS || errno == EPERM ? 77 : 1;
  sq = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
            fd, IORING_OFF_SQ_RING);
  entries = mmap(0, p.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_POPULATE, fd, IORING_OFF_SQES);
  if (sq == MAP_FAILED || entries == MAP_FAILED) return 1;
  tail = (unsigned*)((char*)sq + p.sq_off.tail);
  array = (unsigned*)((char*)sq + p.sq_off.array);
  memset(entries, 0, sizeof *entries);
  entries[0].opcode = IORING_OP_OPENAT;
  entries[0].fd = AT_FDCWD;
  entries[0].addr = (unsigned long)"/etc/hostname";
  array[0] = 0;
  __atomic_store_n(tail, 1, __ATOMIC_RELEASE);
  return syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) == 1 ? 0 : 1;
}

static int eat(void) {
  for (;;) {
    char* at = malloc(1 << 20);

    if (!at) return 1;
    memset(at, 1, 1 << 20);
  }
}

static int log_in(void) {
  int fd = open("/proc/self/loginuid", O_WRONLY);

  if (fd < 0 || write(fd, "1234", 4) != 4) perror("actor: loginuid");
  close(fd);
  if (syscall(SYS_setgroups, 0, 0) != 0) return 1;
  if (syscall(SYS_setresgid, 1001, 1001, 1001) != 0) return 1;
  return syscall(SYS_setresuid, 1001, 1001, 1001) == 0 ? 0 : 1;
}

static int drop(void) {
  unsigned header[2] = {0x20080522, 0}, none[6] = {0};

  return syscall(SYS_capset, header, none) == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
  const char* what = argc > 1 ? argv[1] : "";

  if (!strcmp(what, "true")) return 0;
  if (!strcmp(what, "calls") && argc == 3) {
    files(argv[2]);
    mounts_and_modules();
    sockets();
    programs(argv[0]);
    calls();
    return 0;
  }
  if (!strcmp(what, "storm") && argc == 3) return storm("/proc/self/exe", atol(argv[2]));
  if (!strcmp(what, "opens") && argc == 3) {
    for (long i = atol(argv[2]); i > 0; i--) close(open("/etc/hostname", O_RDONLY));
    return 0;
  }
  if (!strcmp(what, "memfd")) return run_from_memory("/proc/self/exe");
  if (!strcmp(what, "uring")) return use_uring();
  if (!strcmp(what, "eat")) return eat();
  if (!strcmp(what, "login")) return log_in();
  if (!strcmp(what, "drop")) return drop();
  if (!strcmp(what, "wait"))
    for (;;) pause();
  fprintf(stderr, "actor: unknown action\n");
  return 2;
}
