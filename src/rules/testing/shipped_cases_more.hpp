// The other rules that ship with the program: persistence, network, host.
#pragma once

#include "rules/testing/shipped_cases.hpp"

namespace coff::rules::testing {

inline Scene renamed_to(std::string_view path) {
  return file_call(COFF_KIND_rename, SYS_renameat2, "/tmp/new").second(path);
}
inline Scene removed(std::string_view path) {
  return file_call(COFF_KIND_unlink, SYS_unlinkat, path);
}
inline Scene by_dpkg(Scene scene) { return scene.name("dpkg"); }

inline ShippedCases persistence_cases() {
  return {
      {"Scheduled job written", wrote("/etc/cron.d/job"), by_dpkg(wrote("/etc/cron.d/job"))},
      {"Service or start-up script written", renamed_to("/etc/systemd/system/x.service").host(),
       by_dpkg(renamed_to("/etc/systemd/system/x.service")).host()},
      {"Preload list of the dynamic linker written", wrote("/etc/ld.so.preload"),
       wrote("/etc/ld.so.conf")},
      {"Keys for SSH logins written", wrote("/root/.ssh/authorized_keys"),
       wrote("/root/.ssh/known_hosts")},
      {"Shell profile written", wrote("/root/.bashrc"),
       wrote("/home/a/.bashrc").exe("/usr/sbin/useradd")},
      {"Account files written on the host", wrote("/etc/shadow").host(),
       renamed_to("/etc/shadow").host().exe("/usr/sbin/useradd")},
      {"Account files written in a container", wrote("/etc/passwd"),
       wrote("/etc/passwd").parent("dpkg")},
      {"Account tool run", run("useradd").args("eve"), run("useradd").parent("dpkg")},
      {"Login module or its settings written", wrote("/etc/pam.d/sshd"),
       by_dpkg(wrote("/etc/pam.d/sshd"))},
      {"Program folder written", wrote("/usr/local/bin/sshd2"),
       by_dpkg(wrote("/usr/bin/curl.dpkg-new"))},
      {"Engine program or settings changed", wrote("/etc/docker/daemon.json").host(),
       by_dpkg(wrote("/usr/bin/dockerd").host())},
      {"Cofferdam's own files changed", wrote("/etc/cofferdam/cofferdam.yaml").host(),
       wrote("/var/lib/cofferdam/trail").host().exe("/usr/bin/cofferdam")},
  };
}

inline ShippedCases network_cases() {
  const Scene packets = call(COFF_KIND_socket, SYS_socket);
  const Scene waiting = call(COFF_KIND_listen, SYS_listen);
  const Scene outside = connected("203.0.113.9", 443);
  return {
      {"Cloud metadata service contacted from a container", connected("169.254.169.254", 80),
       connected("169.254.1.1", 80)},
      {"Cloud metadata service contacted by a download tool",
       connected("169.254.169.254", 80).name("curl"), connected("10.0.0.4", 80).name("curl")},
      {"Connection to a port of mining pools", connected("203.0.113.9", 3333),
       connected("10.1.2.3", 3333)},
      {"Connection by a program that is not in the image", Scene(outside).upper(), outside},
      {"Connection by a program without a file", Scene(outside).flags(COFF_EXE_MEMFD), outside},
      {"Scanner or sniffer run", run("nmap").args("-sS 10.0.0.0/8"), run("ping").args("db")},
      {"Packet socket opened in a container", Scene(packets).family(AF_PACKET),
       Scene(packets).family(AF_INET)},
      {"Network tool listens", Scene(waiting).family(AF_INET).name("nc"),
       Scene(waiting).family(AF_INET).name("nginx")},
      {"Remote copy tool run in a container", run("scp").args("a b:"), run("cp").args("a b")},
      {"Download tool run in a container", run("curl").args("https://a.example/x"),
       run("curl").args("-f http://localhost:8080/health")},
      {"Tunnel or anonymity tool run", run("chisel").args("client a.example R:socks"),
       run("client")},
      {"SSH server started in a container", run("sshd"), run("sshd").parent("sshd")},
      {"Control port of an engine or cluster contacted", connected("10.0.0.1", 2375),
       connected("10.0.0.1", 5432)},
  };
}

inline ShippedCases kernel_cases() {
  const Scene module = Scene(COFF_KIND_module_load, SYS_finit_module);
  const Scene program = call(COFF_KIND_bpf, SYS_bpf).argument(0, BPF_PROG_LOAD);
  const Scene traced = call(COFF_KIND_ptrace, SYS_ptrace).argument(0, PTRACE_ATTACH);
  const Scene writes = call(COFF_KIND_vm_access, SYS_process_vm_writev);
  const Scene reads = call(COFF_KIND_vm_access, SYS_process_vm_readv);
  const Scene taken = call(COFF_KIND_pidfd_getfd, SYS_pidfd_getfd);
  const Scene faults = call(COFF_KIND_userfaultfd, SYS_userfaultfd);
  const Scene ring = call(COFF_KIND_io_uring_setup, SYS_io_uring_setup);
  return {
      {"Kernel module load attempted in a container", Scene(module).failed(EPERM),
       Scene(module).host()},
      {"Kernel module from an unusual place",
       Scene(module).path("/root/x.ko").host().name("insmod"),
       Scene(module).path("/usr/lib/modules/6.1/a.ko").host().name("insmod")},
      {"BPF program loaded in a container", program, Scene(program).failed(EPERM)},
      {"BPF program loaded on the host", Scene(program).host(),
       Scene(program).host().exe("/usr/lib/systemd/systemd")},
      {"Process attached to another process", traced, Scene(traced).host().name("gdb")},
      {"Memory of another process written", writes, wrote("/proc/self/mem")},
      {"Memory of another process read", reads, Scene(reads).name("gdb")},
      {"Descriptor of another process taken", taken, Scene(taken).host()},
      {"Page faults handled in user space", faults, Scene(faults).failed(EPERM)},
      {"Asynchronous input and output set up in a container", ring, Scene(ring).host()},
      {"Kernel protection changed", wrote("/proc/sys/kernel/yama/ptrace_scope").host(),
       wrote("/proc/sys/kernel/hostname").host()},
      {"Kernel helper path written on the host", wrote("/proc/sys/kernel/core_pattern").host(),
       wrote("/proc/sys/kernel/core_pattern").host().exe("/usr/lib/systemd/systemd-sysctl")},
  };
}

inline ShippedCases privilege_cases() {
  const std::uint64_t admin = std::uint64_t{1} << 21;
  const Scene gave = file_call(COFF_KIND_setxattr, SYS_setxattr, "/usr/bin/python3");
  const Scene login = call(COFF_KIND_loginuid, -1);
  const Scene setid = run("x").user(0, 1000).flags(COFF_EXE_SETID | COFF_EXE_OVERLAY);
  return {
      {"Set-user-id program made", changed_mode("/srv/sh", 04755), changed_mode("/srv/sh", 0755)},
      {"File capabilities given", Scene(gave).second("security.capability"),
       Scene(gave).second("user.note")},
      {"Shell with the rights of root for another user", run("bash").args("-p").user(0, 1000),
       run("bash").root()},
      {"Set-user-id program with a hostile environment", Scene(setid).environment("GCONV_PATH=./x"),
       Scene(setid).environment("LANG=C")},
      {"Unknown set-user-id program run", setid, Scene(setid).exe("/usr/bin/sudo")},
      {"Capabilities beyond the container's own", run("sh").capable(admin), run("sh").capable(1)},
      {"Login user changed by an unusual program", login, Scene(login).exe("/usr/sbin/cron")},
  };
}

inline ShippedCases trace_cases() {
  const Scene emptied = opened("/var/log/auth.log", O_WRONLY | O_TRUNC);
  return {
      {"Log files wiped on the host", removed("/var/log/wtmp").host(),
       Scene(emptied).host().name("logrotate")},
      {"Log files wiped in a container", emptied, opened("/var/log/auth.log", O_WRONLY | O_APPEND)},
      {"Shell history wiped", removed("/root/.bash_history").name("rm"),
       removed("/root/notes").name("rm")},
      {"Data destroyed", run("shred").args("-u /srv/db"), run("rm").args("-r /srv/cache")},
      {"Security service stopped", run("systemctl").args("stop auditd"),
       run("systemctl").args("restart nginx")},
  };
}

}  // namespace coff::rules::testing
