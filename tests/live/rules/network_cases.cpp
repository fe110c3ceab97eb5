// Cases of rules/60-network.yaml.
#include "live/rules/cases.hpp"

namespace coff::live {

namespace {

constexpr Case kCases[] = {
    {"Cloud metadata service contacted from a container", Place::kPlain,
     "deed tcp 169.254.169.254 80", "deed tcp 169.254.1.1 80"},
    {"Cloud metadata service contacted by a download tool", Place::kPlain,
     "/bin/nc -w 1 169.254.169.254 80 < /dev/null", "deed tcp 169.254.169.254 80"},
    {"Connection to a port of mining pools", Place::kPlain, "deed tcp 203.0.113.9 3333",
     "deed tcp 203.0.113.9 443; deed tcp 10.0.0.9 3333"},
    {"Connection by a program that is not in the image", Place::kPlain,
     "cp /usr/bin/deed /tmp/called; /tmp/called tcp 203.0.113.9 443",
     "cp /usr/bin/deed /tmp/calls; /tmp/calls tcp 10.0.0.9 443; deed tcp 203.0.113.9 443"},
    {"Connection by a program without a file", Place::kPlain, "deed memfd tcp 203.0.113.9 443",
     "deed tcp 203.0.113.9 443"},
    {"Scanner or sniffer run", Place::kPlain, "nmap 10.0.0.0/24", "deed nmap"},
    {"Packet socket opened in a container", Place::kPlain, "deed packet", "deed udp"},
    {"Network tool listens", Place::kPlain, "/bin/nc -l -p 4000 & sleep 0.2; kill $!",
     "deed listen; /bin/nc 127.0.0.1 9 < /dev/null"},
    {"Remote copy tool run in a container", Place::kPlain, "scp a b:", "deed scp a b:"},
    {"Download tool run in a container", Place::kPlain, "curl http://203.0.113.9/",
     "curl http://localhost/health"},
    {"Tunnel or anonymity tool run", Place::kPlain, "chisel client", "deed chisel client"},
    {"SSH server started in a container", Place::kPlain, "sshd -D", "deed sshd -D"},
    {"Control port of an engine or cluster contacted", Place::kPlain, "deed tcp 10.0.0.9 2375",
     "deed tcp 10.0.0.9 2377"},
};

constexpr std::string_view kNames[] = {
    "nginx", "java", "xmrig", "apk",    "gcc",  "make",  "kubectl",   "linpeas.sh", "useradd",
    "nmap",  "scp",  "curl",  "chisel", "sshd", "shred", "systemctl", "service"};

}  // namespace

std::span<const Case> network_cases() { return kCases; }

std::span<const std::string_view> helper_names() { return kNames; }

}  // namespace coff::live
