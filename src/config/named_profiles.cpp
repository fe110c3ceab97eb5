// The recording profiles that ship with the program, in the language of the configuration file.
#include "config/profile.hpp"

namespace coff::config {
namespace {

/// Who ran what, and who changed what they may do. For hosts where disk space is dear.
constexpr std::string_view kMinimal = R"yaml(
- reason: programs that run
  events: [exec, oom_kill]
- reason: privileges and boundaries
  events: [setid, capset, loginuid, namespaces, mounts, modules]
- reason: processes reaching into processes
  events: [ptrace, vm_access, pidfd_getfd, bpf, memfd_create]
- reason: servers
  events: [listen, dup_stdio]
- reason: changes of accounts and of what runs by itself
  events: [open, file_changes]
  open: [write, create]
  path:
    exact: [/etc/passwd, /etc/shadow, /etc/group, /etc/sudoers, /etc/ld.so.preload, /etc/crontab]
    prefix: [/etc/sudoers.d/, /etc/cron, /etc/systemd/, /root/.ssh/, /var/spool/cron/]
    suffix: [/authorized_keys]
)yaml";

/// All that an investigation usually needs, without the reads and writes of ordinary work.
constexpr std::string_view kDefault = R"yaml(
- reason: programs that run
  events: [exec, exit, oom_kill]
- reason: forks, which every later entry of the child tells again
  events: [fork]
  record: live
- reason: privileges and boundaries
  events: [credentials, namespaces, mounts, modules]
- reason: processes reaching into processes, and ways around system calls
  events: [intrusion]
- reason: connections
  events: [connections]
- reason: both ends of connections, which edges and their traffic tell again
  events: [flow]
  record: live
- reason: changes of programs, libraries and settings
  events: [open, file_changes]
  open: [write, create]
  path:
    prefix:
      [/etc/, /bin/, /sbin/, /lib, /boot/, /opt/, /root/, /usr/bin/, /usr/sbin/, /usr/lib,
       /usr/libexec/, /usr/local/, /var/spool/cron/, /var/www/, /dev/shm/, /proc/sys/, /sys/]
    suffix:
      [/authorized_keys, /.bashrc, /.bash_profile, /.profile, /.zshrc, /.gitconfig,
       /docker.sock, /containerd.sock, /podman.sock, /crio.sock, /release_agent, /mem]
- reason: reads of secrets
  events: [open]
  open: [read]
  path:
    exact: [/etc/shadow, /etc/gshadow, /etc/shadow-, /etc/gshadow-, /etc/sudoers]
    prefix:
      [/root/.ssh/, /root/.aws/, /root/.kube/, /root/.docker/, /run/secrets/, /var/run/secrets/,
       /etc/kubernetes/, /etc/ssl/private/, /etc/ssh/ssh_host_, /var/lib/kubelet/]
    suffix:
      [/environ, /.aws/credentials, /.kube/config, /.docker/config.json, /.git-credentials,
       /.netrc, /.pgpass, /id_rsa, /id_ecdsa, /id_ed25519, /.bash_history, /kcore,
       /docker.sock, /containerd.sock, /podman.sock, /crio.sock]
- reason: programs prepared in temporary places
  events: [chmod, chown, setxattr, mknod, link, symlink]
  path:
    prefix: [/tmp/, /var/tmp/, /dev/shm/, /run/]
- reason: code from outside of the system's own directories
  events: [mappings]
  path:
    prefix: [/tmp/, /var/tmp/, /dev/, /home/, /root/, /run/, /srv/, /var/www/, /mnt/, /proc/]
    contains: ["memfd:", "(deleted)"]
)yaml";

/// Everything that the kernel can report. Reads, the bulk of it, are offered but not kept.
constexpr std::string_view kFull = R"yaml(
- reason: all but file opens
  events:
    [process, credentials, intrusion, namespaces, mounts, modules, cgroups, file_changes,
     mappings, connections, flow, datagrams, socket, chdir]
- reason: all opens that may change or run a file
  events: [open]
  open: [write, create, execute]
- reason: opens that failed
  events: [open]
  result: failure
- reason: all reads
  events: [open]
  open: [read]
  record: live
)yaml";

}  // namespace

std::string_view named_profile_yaml(std::string_view name) {
  if (name == "minimal") return kMinimal;
  if (name == "default") return kDefault;
  if (name == "full") return kFull;
  return "";
}

}  // namespace coff::config
