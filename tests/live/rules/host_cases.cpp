// Cases of rules/70-host.yaml.
#include "live/rules/cases.hpp"

namespace coff::live {

namespace {

constexpr Case kCases[] = {
    {"Kernel module load attempted in a container", Place::kPlain, "deed module", "deed map"},
    {"BPF program loaded in a container", Place::kPrivileged, "deed program", "deed map"},
    {"BPF program loaded on the host", Place::kHost, "$T/deed program", "$T/deed map"},
    {"Process attached to another process", Place::kPrivileged, "deed attach", "deed traced"},
    {"Memory of another process written", Place::kPrivileged, "deed poke; deed write /proc/1/mem",
     "deed peek; deed write /proc/self/mem"},
    {"Memory of another process read", Place::kPrivileged, "deed peek", "deed poke"},
    {"Descriptor of another process taken", Place::kPrivileged, "deed take", "deed peek"},
    {"Set-user-id program made", Place::kPlain, "cp /usr/bin/deed /tmp/suid; chmod 4755 /tmp/suid",
     "cp /usr/bin/deed /tmp/usual; chmod 755 /tmp/usual; mkdir /tmp/sticky; chmod 1777 "
     "/tmp/sticky"},
    {"File capabilities given", Place::kPrivileged,
     "cp /usr/bin/deed /tmp/capable; deed capability /tmp/capable",
     "cp /usr/bin/deed /tmp/noted; deed attribute /tmp/noted"},
    {"Shell with the rights of root for another user", Place::kPlain, "deed half /bin/sh -c true",
     "deed as 1000 /bin/sh -c true"},
    {"Set-user-id program with a hostile environment", Place::kPlain,
     "GLIBC_TUNABLES=glibc.a=glibc.b=c deed as 1000 /usr/bin/su\n"
     "GCONV_PATH=./pwn deed as 1000 /usr/bin/su",
     "GLIBC_TUNABLES=glibc.a=b deed as 1000 /usr/bin/su; GCONV_PATH=./pwn /usr/bin/su"},
    {"Unknown set-user-id program run", Place::kPlain, "deed as 1000 /usr/bin/odd",
     "deed as 1000 /usr/bin/su; /usr/bin/odd"},
    {"Capabilities beyond the container's own", Place::kEngine,
     "$D run --rm --name $C --network none --security-opt seccomp=unconfined $IMAGE "
     "unshare -U -r true",
     "$D run --rm --name $C --network none --security-opt seccomp=unconfined $IMAGE true"},
    {"Login user changed by an unusual program", Place::kPrivileged, "deed login 1234",
     "/bin/cat /proc/self/loginuid"},
    {"Page faults handled in user space", Place::kPrivileged, "deed faults", "deed map"},
    {"Asynchronous input and output set up in a container", Place::kPrivileged, "deed ring",
     "deed map"},
    {"32-bit calls by a 64-bit program in a container", Place::kPlain, "deed narrow", "deed map"},
    {"Log files wiped on the host", Place::kHost,
     "echo > /var/log/auth.log; echo > /var/log/btmp; rm /var/log/btmp",
     "echo >> /var/log/auth.log; echo > /var/log/other; rm /var/log/other"},
    {"Log files wiped in a container", Place::kPlain,
     "mkdir -p /var/log; echo >> /var/log/auth.log; rm /var/log/auth.log",
     "mkdir -p /var/log; echo >> /var/log/auth.log; echo > /var/log/other; rm /var/log/other"},
    {"Shell history wiped", Place::kPrivileged,
     "/bin/rm /root/.bash_history; /bin/ln -s /dev/null /root/.zsh_history",
     "echo > /root/notes; /bin/rm /root/notes; /bin/ln -s /dev/null /root/none"},
    {"Data destroyed", Place::kPlain, "/usr/bin/shred /tmp/none",
     "deed shred; /bin/rm -rf /tmp/none"},
    {"Security service stopped", Place::kPlain, "systemctl stop auditd", "systemctl start auditd"},
    {"Kernel protection changed", Place::kPrivileged,
     "deed write /proc/sys/kernel/randomize_va_space",
     "deed read /proc/sys/kernel/randomize_va_space; deed write /proc/sys/kernel/hostname"},
    {"Kernel helper path written on the host", Place::kHost,
     "$T/deed write /proc/sys/kernel/core_pattern", "$T/deed read /proc/sys/kernel/core_pattern"},
};

}  // namespace

std::span<const Case> host_cases() { return kCases; }

}  // namespace coff::live
