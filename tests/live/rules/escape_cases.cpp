// Cases of rules/20-escape.yaml.
#include "live/rules/cases.hpp"

namespace coff::live {

namespace {

constexpr Case kCases[] = {
    {"Control group release agent written", Place::kPrivileged,
     "mkdir -p /tmp/cg; mount -t cgroup -o none,name=coff none /tmp/cg\n"
     "echo > /tmp/cg/release_agent; umount /tmp/cg",
     "mkdir -p /tmp/cg; mount -t cgroup -o none,name=coff none /tmp/cg\n"
     "/bin/cat /tmp/cg/release_agent; umount /tmp/cg"},
    {"Kernel helper path written in a container", Place::kPrivileged,
     "deed write /proc/sys/kernel/core_pattern", "deed read /proc/sys/kernel/core_pattern"},
    {"Namespace joined from inside a container", Place::kPrivileged, "/bin/nsenter -t $$ -u true",
     "/bin/unshare -u true"},
    {"Host's first process entered by nsenter", Place::kPrivileged, "/bin/nsenter -t 1 -u true",
     "/bin/nsenter -t $$ -u true"},
    {"Engine socket used from a container", Place::kPrivileged, "deed unix /var/run/docker.sock",
     "deed unix /var/run/other.sock"},
    {"Container runtime overwritten through proc", Place::kPlain, "deed write /proc/self/exe",
     "deed read /proc/self/exe"},
    {"Working directory through a leaked descriptor", Place::kPlain,
     "exec 5</; deed change /proc/self/fd/5", "deed change /proc/self/fd"},
    {"Host's own files written from a container", Place::kPrivileged,
     "mkdir -p /host/etc; echo >> /host/etc/crontab",
     "mkdir -p /tmp/root/etc; echo >> /tmp/root/etc/crontab; cat /host/etc/crontab"},
    {"Block device mounted in a container", Place::kPrivileged,
     "mknod /dev/disk9 b $LOOP; mkdir -p /tmp/disk; mount -o ro -t ext4 /dev/disk9 /tmp/disk\n"
     "umount /tmp/disk",
     "echo > /tmp/null; mount -o bind /dev/null /tmp/null; umount /tmp/null"},
    {"Control group hierarchy mounted in a container", Place::kPrivileged,
     "mkdir -p /tmp/cg1; mount -t cgroup -o none,name=coff none /tmp/cg1; umount /tmp/cg1",
     "mkdir -p /tmp/cg2; mount -t tmpfs cgroup /tmp/cg2; umount /tmp/cg2"},
    {"Mount made in a container", Place::kPrivileged,
     "mkdir -p /tmp/m; mount -t tmpfs none /tmp/m; umount /tmp/m",
     "mkdir -p /tmp/m; mount -t no-such-type none /tmp/m"},
    {"Disk or physical memory opened in a container", Place::kPrivileged,
     "mknod /dev/disk8 b $LOOP; deed read /dev/disk8", "deed read /dev/null"},
    {"Block device node made in a container", Place::kPlain, "mknod /tmp/disk b 7 99",
     "mknod /tmp/zero c 1 5; mkfifo /tmp/pipe"},
    {"File opened by handle in a container", Place::kPrivileged, "deed handle $T/deed",
     "deed read $T/deed"},
    {"User namespace made in a container", Place::kPrivileged, "/bin/unshare -U true",
     "/bin/unshare -u true"},
    {"Root directory changed to a mounted host", Place::kPrivileged, "/bin/chroot /host /true",
     "/bin/chroot /tmp /true"},
    {"Files reached through the first process", Place::kPlain, "/bin/cat /proc/1/root/etc/motd",
     "/bin/head -n 1 /proc/1/status"},
    {"Program of a container's storage run on the host", Place::kHost,
     "mkdir -p /var/lib/docker; mount -t tmpfs none /var/lib/docker\n"
     "mkdir -p /var/lib/docker/overlay2/x/diff; cp $T/deed /var/lib/docker/overlay2/x/diff/p\n"
     "/var/lib/docker/overlay2/x/diff/p",
     "mkdir -p /var/lib/docker; mount -t tmpfs none /var/lib/docker\n"
     "cp $T/deed /var/lib/docker/p; /var/lib/docker/p"},
    {"Container started with the host's system folders", Place::kEngine,
     "$D run --rm --name $C --network none -v /etc:/given $IMAGE true",
     "$D run --rm --name $C --network none -v /etc:/given:ro -v /tmp:/other $IMAGE true"},
    {"Container started with the engine's socket", Place::kEngine,
     "$D run --rm --name $C --network none -v $SOCKET:/var/run/docker.sock $IMAGE true",
     "$D run --rm --name $C --network none -v $T:/var/run/other $IMAGE true"},
    {"Privileged container started", Place::kEngine,
     "$D run --rm --name $C --network none --privileged $IMAGE true",
     "$D run --rm --name $C --network none --security-opt seccomp=unconfined $IMAGE true"},
    {"Container started with dangerous capabilities", Place::kEngine,
     "$D run --rm --name $C --network none --cap-add SYS_PTRACE $IMAGE true",
     "$D run --rm --name $C --network none --cap-add NET_BROADCAST $IMAGE true"},
    {"Container started in the host's process namespace", Place::kEngine,
     "$D run --rm --name $C --network none --pid host $IMAGE true",
     "$D run --rm --name $C --network none --ipc host $IMAGE true"},
};

}  // namespace

std::span<const Case> escape_cases() { return kCases; }

}  // namespace coff::live
