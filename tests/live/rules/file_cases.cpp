// Cases of rules/40-credentials.yaml and rules/50-persistence.yaml.
#include "live/rules/cases.hpp"

namespace coff::live {

namespace {

constexpr Case kCases[] = {
    {"Password hashes read", Place::kPlain, "/bin/cat /etc/shadow", "/bin/cat /etc/passwd"},
    {"SSH private key read", Place::kPlain, "/bin/cat /root/.ssh/id_rsa",
     "/bin/cat /root/.ssh/id_rsa.pub"},
    {"Server key read by a general tool", Place::kPlain, "/bin/cat /etc/ssl/private/web.key",
     "nginx read /etc/ssl/private/web.key"},
    {"Cloud or cluster credentials read by a general tool", Place::kPlain,
     "/bin/cat /root/.aws/credentials", "deed read /root/.aws/credentials"},
    {"Service account token read by a general tool", Place::kPlain,
     "/bin/cat /var/run/secrets/kubernetes.io/serviceaccount/token",
     "deed read /var/run/secrets/kubernetes.io/serviceaccount/token"},
    {"Environment of another process read", Place::kPlain, "/bin/cat /proc/1/environ",
     "/bin/cat /proc/self/environ /proc/1/cmdline"},
    {"Search for keys or passwords", Place::kPlain,
     "/usr/bin/find /root -maxdepth 1 -name id_rsa; /bin/grep -r password /root",
     "/usr/bin/find /root -maxdepth 1 -name web; /bin/grep password /etc/passwd"},
    {"Shell history read", Place::kPlain, "/bin/cat /root/.bash_history",
     "deed read /root/.bash_history"},
    {"Scheduled job written", Place::kPlain, "mkdir -p /etc/cron.d; echo > /etc/cron.d/job",
     "mkdir -p /etc/cron; echo > /etc/cron/job"},
    {"Service or start-up script written", Place::kPlain,
     "mkdir -p /etc/systemd/system; echo > /tmp/u; mv /tmp/u /etc/systemd/system/u.service",
     "echo > /tmp/v.service; mv /tmp/v.service /tmp/w.service"},
    {"Preload list of the dynamic linker written", Place::kPlain, "echo > /etc/ld.so.preload",
     "cat /etc/ld.so.preload; echo > /etc/ld.so.conf"},
    {"Keys for SSH logins written", Place::kPlain, "echo >> /root/.ssh/authorized_keys",
     "echo >> /root/.ssh/known_hosts; cat /root/.ssh/authorized_keys"},
    {"Shell profile written", Place::kPlain, "echo >> /root/.bashrc", "cat /root/.bashrc"},
    {"Account files written on the host", Place::kHost, "echo >> /etc/passwd",
     "echo >> /etc/passwords; cat /etc/passwd"},
    {"Account files written in a container", Place::kPlain, "echo >> /etc/passwd",
     "echo >> /tmp/passwd; cat /etc/passwd"},
    {"Account tool run", Place::kPlain, "useradd eve", "deed useradd eve"},
    {"Login module or its settings written", Place::kPlain,
     "mkdir -p /etc/pam.d; echo > /etc/pam.d/login", "mkdir -p /etc/pam; echo > /etc/pam/login"},
    {"Program folder written", Place::kPlain, "cp /usr/bin/deed /usr/bin/new-tool",
     "mkdir -p /srv/bin; cp /usr/bin/deed /srv/bin/new-tool"},
    {"Engine program or settings changed", Place::kHost,
     "mkdir -p /etc/docker; echo > /etc/docker/daemon.json",
     "mkdir -p /etc/docker; echo > /etc/docker/notes; cat /etc/docker/daemon.json"},
    {"Cofferdam's own files changed", Place::kHost,
     "mkdir -p /etc/cofferdam; echo > /etc/cofferdam/rules.yaml",
     "cat /etc/cofferdam/rules.yaml; mkdir -p /etc/coffer; echo > /etc/coffer/rules.yaml"},
};

}  // namespace

std::span<const Case> file_cases() { return kCases; }

}  // namespace coff::live
