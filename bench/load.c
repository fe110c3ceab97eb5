/* Makes a fixed number of operations of one kind on one CPU and says what they cost: the workloads
 * of bench/overhead. A static program without dependencies: it runs in an empty container as well.
 *
 *   load WORKLOAD CPU OPERATIONS [ARGUMENT [RATE]]
 *   load serve          the same from lines on standard input, until it ends
 *   load true ...       exits 0: what the workload "exec" executes
 *
 *   open      open and close of the path ARGUMENT
 *   paced     the same, RATE times a second
 *   exec      vfork and exec of this program with the arguments "true" and "ARGUMENT-<number>"
 *   connect   TCP connect, accept and two closes over loopback, both ends in this process
 *   getppid   the system call
 *   pipe      1 byte written to a pipe and read from it
 *   pipe2     a pipe made and both its ends closed
 *
 * hook: keeps one system call tracepoint in use, of a call that nobody makes, until its input ends:
 * what any observer of system calls costs before it does anything.
 *
 * Prints one JSON object a line; CPU time is user and system time of this process and its children.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct job {
  long operations, rate;
  const char* argument;
};

static char self[4096];

static void die(const char* what) {
  perror(what);
  exit(1);
}

static void open_close(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);

  if (fd < 0) die(path);
  close(fd);
}

static void run_open(const struct job* job) {
  for (long i = 0; i < job->operations; i++) open_close(job->argument);
}

/* A millisecond's worth, then sleep to the next: finer sleeps would measure the timer. */
static void run_paced(const struct job* job) {
  struct timespec next;
  long done = 0;

  clock_gettime(CLOCK_MONOTONIC, &next);
  for (long slice = 1; done < job->operations; slice++) {
    long due = slice * job->rate / 1000;

    for (; done < due && done < job->operations; done++) open_close(job->argument);
    next.tv_nsec += 1000000;
    if (next.tv_nsec >= 1000000000) {
      next.tv_nsec -= 1000000000;
      next.tv_sec++;
    }
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
  }
}

/* A function of its own: what lives across vfork may be changed by the child. */
static pid_t start_child(char* const arguments[]) {
  /* Small on purpose: a large environment would hide the agent's share in copying it. */
  char* const environment[] = {"PATH=/usr/bin:/bin", "HOME=/root", NULL};
  const pid_t child = vfork();

  if (child == 0) {
    execve(self, arguments, environment);
    _exit(127);
  }
  return child;
}

static void run_exec(const struct job* job) {
  char token[128];
  char* const arguments[] = {self, "true", token, NULL};

  for (long i = 0; i < job->operations; i++) {
    int status = 0;
    pid_t child;

    snprintf(token, sizeof token, "%s-%ld", job->argument, i);
    child = start_child(arguments);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) die("exec");
  }
}

static void run_connect(const struct job* job) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  /* Closed by reset: else the ports in TIME_WAIT would run out after 28,000 operations. */
  struct linger reset = {.l_onoff = 1, .l_linger = 0};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listener < 0 || bind(listener, (struct sockaddr*)&address, size) != 0 ||
      listen(listener, 16) != 0 || getsockname(listener, (struct sockaddr*)&address, &size) != 0)
    die("listen");
  for (long i = 0; i < job->operations; i++) {
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int server;

    if (client < 0 || connect(client, (struct sockaddr*)&address, size) != 0) die("connect");
    server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (server < 0) die("accept");
    setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(client);
    close(server);
  }
  close(listener);
}

static void run_getppid(const struct job* job) {
  for (long i = 0; i < job->operations; i++) syscall(SYS_getppid);
}

static void run_pipe(const struct job* job) {
  int ends[2];
  char byte = 'x';

  if (pipe2(ends, O_CLOEXEC) != 0) die("pipe2");
  for (long i = 0; i < job->operations; i++)
    if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) die("pipe");
  close(ends[0]);
  close(ends[1]);
}

static void run_pipe2(const struct job* job) {
  int ends[2];

  for (long i = 0; i < job->operations; i++) {
    if (pipe2(ends, O_CLOEXEC) != 0) die("pipe2");
    close(ends[0]);
    close(ends[1]);
  }
}

static const struct {
  const char* name;
  void (*run)(const struct job* job);
} workloads[] = {
    {"open", run_open},       {"paced", run_paced}, {"exec", run_exec},   {"connect", run_connect},
    {"getppid", run_getppid}, {"pipe", run_pipe},   {"pipe2", run_pipe2},
};

static double cpu_ns(void) {
  double total_ns = 0;
  struct rusage usage;
  const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};

  for (int i = 0; i < 2; i++) {
    getrusage(whose[i], &usage);
    total_ns += 1e9 * (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                1e3 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  return total_ns;
}

static double wall_ns(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return 1e9 * (double)now.tv_sec + (double)now.tv_nsec;
}

static void pin(int cpu) {
  cpu_set_t set;

  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) die("sched_setaffinity");
}

static int run(int count, char** words) {
  struct job job = {.argument = count > 3 ? words[3] : "/etc/hostname"};

  if (count < 3) return 2;
  job.operations = strtol(words[2], NULL, 10);
  job.rate = count > 4 ? strtol(words[4], NULL, 10) : 1000;
  for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
    double cpu, wall;

    if (strcmp(words[0], workloads[i].name) != 0 || job.operations < 1 || job.rate < 1) continue;
    pin((int)strtol(words[1], NULL, 10));
    cpu = cpu_ns();
    wall = wall_ns();
    workloads[i].run(&job);
    wall = wall_ns() - wall;
    cpu = (cpu_ns() - cpu) / (double)job.operations;
    printf(
        "{\"workload\":\"%s\",\"operations\":%ld,\"cpu_ns_per_operation\":%.1f,"
        "\"wall_ns\":%.0f}\n",
        words[0], job.operations, cpu, wall);
    fflush(stdout);
    return 0;
  }
  return 2;
}

static int hold_hook(void) {
  const char* path = "/sys/kernel/tracing/events/syscalls/sys_exit_fanotify_init/id";
  struct perf_event_attr attributes;
  FILE* file = fopen(path, "re");
  unsigned long long number = 0;

  if (file == NULL || fscanf(file, "%llu", &number) != 1) die(path);
  fclose(file);
  memset(&attributes, 0, sizeof attributes);
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.size = sizeof attributes;
  attributes.config = number;
  if (syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC) < 0)
    die("perf_event_open");
  printf("{\"hook\":%llu}\n", number);
  fflush(stdout);
  while (getchar() != EOF) continue;
  return 0;
}

static int serve(void) {
  char line[4096];

  while (fgets(line, sizeof line, stdin) != NULL) {
    char *words[5], *rest = line;
    int count = 0;

    while (count < 5 && (words[count] = strtok_r(rest, " \n", &rest)) != NULL) count++;
    if (run(count, words) != 0) return 2;
  }
  return 0;
}

int main(int argc, char** argv) {
  int status;

  if (argc > 1 && strcmp(argv[1], "true") == 0) return 0;
  if (readlink("/proc/self/exe", self, sizeof self - 1) <= 0) die("/proc/self/exe");
  if (argc == 2 && strcmp(argv[1], "hook") == 0) return hold_hook();
  status = argc == 2 && strcmp(argv[1], "serve") == 0 ? serve() : run(argc - 1, argv + 1);
  if (status == 2)
    fprintf(stderr, "usage: load WORKLOAD CPU OPERATIONS [ARGUMENT [RATE]] | serve | hook\n");
  return status;
}
