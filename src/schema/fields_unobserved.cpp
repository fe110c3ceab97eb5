// Fields that rules written for libsinsp may name and that have no value here, each with its
// reason.
#include "schema/field_get.hpp"

namespace coff::schema {

namespace {

Value unobserved(const Subject&, const Argument&) { return {}; }

constexpr std::string_view kNoEntry =
    "No value: only the return of a call is observed. Deprecated in libsinsp.";
constexpr std::string_view kNoOrder =
    "No value: events come out of several rings, so there is no event before this one.";
constexpr std::string_view kNoData = "No value: the data of reads and writes are not observed.";
constexpr std::string_view kNoCpu = "No value: records do not say which processor they came from.";
constexpr std::string_view kNotHere = "No value: there is nothing of the kind in this agent.";
constexpr std::string_view kNoNames = "No value: host names of addresses are not known yet.";
constexpr std::string_view kNoServices = "No value: ports have no names here, compare the port.";
constexpr std::string_view kNoTable =
    "No value: there is no table of open descriptors, because a filtered open would starve it.";
constexpr std::string_view kNoPasswd = "No value: of the user database only names are kept.";
constexpr std::string_view kNoCgroups =
    "No value: one control group is followed, see process.cgroup.";
constexpr std::string_view kNoOrchestrator = "No value: the engines do not tell it.";
constexpr std::string_view kNoUsage = "No value: the use of resources is not measured.";

using enum Type;
// clang-format off
constexpr Field kFields[] = {
    {"evt.latency", kDuration, unobserved, "", "", kNoEntry},
    {"evt.latency.s", kDuration, unobserved, "", "", kNoEntry},
    {"evt.latency.ns", kDuration, unobserved, "", "", kNoEntry},
    {"evt.latency.quantized", kUnsigned, unobserved, "", "", kNoEntry},
    {"evt.latency.human", kText, unobserved, "", "", kNoEntry},
    {"evt.deltatime", kDuration, unobserved, "", "", kNoOrder},
    {"evt.deltatime.s", kDuration, unobserved, "", "", kNoOrder},
    {"evt.deltatime.ns", kDuration, unobserved, "", "", kNoOrder},
    {"evt.cpu", kInteger, unobserved, "", "", kNoCpu},
    {"evt.buffer", kBytes, unobserved, "", "", kNoData},
    {"evt.wait_latency", kDuration, unobserved, "", "", kNoEntry},
    {"evt.is_syslog", kBool, unobserved, "", "", kNoData},
    {"evt.count.procinfo", kUnsigned, unobserved, "", "", kNotHere},
    {"evt.count.threadinfo", kUnsigned, unobserved, "", "", kNotHere},
    {"evt.buflen.file", kUnsigned, unobserved, "", "", kNoData},
    {"evt.buflen.file.in", kUnsigned, unobserved, "", "", kNoData},
    {"evt.buflen.file.out", kUnsigned, unobserved, "", "", kNoData},
    {"evt.infra.docker.name", kText, unobserved, "", "", kNotHere},
    {"evt.infra.docker.container.id", kText, unobserved, "", "", kNotHere},
    {"evt.infra.docker.container.name", kText, unobserved, "", "", kNotHere},
    {"evt.infra.docker.container.image", kText, unobserved, "", "", kNotHere},
    {"fd.proto", kPort, unobserved, "", "", kNoServices},
    {"fd.cproto", kText, unobserved, "", "", kNoServices},
    {"fd.sproto", kText, unobserved, "", "", kNoServices},
    {"fd.lproto", kText, unobserved, "", "", kNoServices},
    {"fd.rproto", kText, unobserved, "", "", kNoServices},
    {"fd.cip.name", kText, unobserved, "", "", kNoNames},
    {"fd.sip.name", kText, unobserved, "", "", kNoNames},
    {"fd.lip.name", kText, unobserved, "", "", kNoNames},
    {"fd.rip.name", kText, unobserved, "", "", kNoNames},
    {"fd.types", kText, unobserved, "", "", kNoTable, Takes::kOptIndex, true},
    {"fdlist.nums", kText, unobserved, "", "", kNoTable},
    {"fdlist.names", kText, unobserved, "", "", kNoTable},
    {"fdlist.cips", kText, unobserved, "", "", kNoTable},
    {"fdlist.sips", kText, unobserved, "", "", kNoTable},
    {"fdlist.cports", kText, unobserved, "", "", kNoTable},
    {"fdlist.sports", kText, unobserved, "", "", kNoTable},
    {"evt.reltime", kDuration, unobserved, "", "", kNoOrder},
    {"evt.reltime.s", kDuration, unobserved, "", "", kNoOrder},
    {"evt.reltime.ns", kDuration, unobserved, "", "", kNoOrder},
    {"evt.pluginname", kText, unobserved, "", "", kNotHere},
    {"evt.plugininfo", kText, unobserved, "", "", kNotHere},
    {"proc.fdopencount", kUnsigned, unobserved, "", "", kNoTable},
    {"proc.fdlimit", kInteger, unobserved, "", "", kNoTable},
    {"proc.fdusage", kInteger, unobserved, "", "", kNoTable},
    {"proc.vmsize", kUnsigned, unobserved, "", "", kNoUsage},
    {"proc.vmrss", kUnsigned, unobserved, "", "", kNoUsage},
    {"proc.vmswap", kUnsigned, unobserved, "", "", kNoUsage},
    {"thread.pfmajor", kUnsigned, unobserved, "", "", kNoUsage},
    {"thread.pfminor", kUnsigned, unobserved, "", "", kNoUsage},
    {"thread.nametid", kText, unobserved, "", "", kNoUsage},
    {"thread.exectime", kDuration, unobserved, "", "", kNoUsage},
    {"thread.totexectime", kDuration, unobserved, "", "", kNoUsage},
    {"thread.cgroups", kText, unobserved, "", "", kNoCgroups},
    {"thread.cgroup", kText, unobserved, "", "", kNoCgroups, Takes::kName},
    {"proc.nthreads", kUnsigned, unobserved, "", "", kNoUsage},
    {"proc.nchilds", kUnsigned, unobserved, "", "", kNoUsage},
    {"thread.cpu", kInteger, unobserved, "", "", kNoUsage},
    {"thread.cpu.user", kInteger, unobserved, "", "", kNoUsage},
    {"thread.cpu.system", kInteger, unobserved, "", "", kNoUsage},
    {"thread.vmsize", kUnsigned, unobserved, "", "", kNoUsage},
    {"thread.vmrss", kUnsigned, unobserved, "", "", kNoUsage},
    {"thread.vmsize.b", kUnsigned, unobserved, "", "", kNoUsage},
    {"thread.vmrss.b", kUnsigned, unobserved, "", "", kNoUsage},
    {"proc.stdin.type", kText, unobserved, "", "", kNoTable},
    {"proc.stdout.type", kText, unobserved, "", "", kNoTable},
    {"proc.stderr.type", kText, unobserved, "", "", kNoTable},
    {"proc.stdin.name", kText, unobserved, "", "", kNoTable},
    {"proc.stdout.name", kText, unobserved, "", "", kNoTable},
    {"proc.stderr.name", kText, unobserved, "", "", kNoTable},
    {"user.homedir", kText, unobserved, "", "", kNoPasswd},
    {"user.shell", kText, unobserved, "", "", kNoPasswd},
    {"util.cnt", kUnsigned, unobserved, "", "", kNotHere},
    {"evt.around", kUnsigned, unobserved, "", "", kNotHere, Takes::kName},
    {"container.cni.json", kText, unobserved, "", "", kNoOrchestrator},
    {"container.host_ipc", kBool, unobserved, "", "", kNoOrchestrator},
    {"container.liveness_probe", kText, unobserved, "", "", kNoOrchestrator},
    {"container.readiness_probe", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.deployment.id", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.deployment.label", kText, unobserved, "", "", kNoOrchestrator, Takes::kName},
    {"k8s.deployment.labels", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.deployment.name", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.ns.id", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.ns.label", kText, unobserved, "", "", kNoOrchestrator, Takes::kName},
    {"k8s.ns.labels", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.pod.cni.json", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.pod.full_sandbox_id", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.pod.ip", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.pod.label", kText, unobserved, "", "", kNoOrchestrator, Takes::kName},
    {"k8s.pod.labels", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.pod.sandbox_id", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.rc.id", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.rc.label", kText, unobserved, "", "", kNoOrchestrator, Takes::kName},
    {"k8s.rc.labels", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.rc.name", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.rs.id", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.rs.label", kText, unobserved, "", "", kNoOrchestrator, Takes::kName},
    {"k8s.rs.labels", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.rs.name", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.svc.id", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.svc.label", kText, unobserved, "", "", kNoOrchestrator, Takes::kName},
    {"k8s.svc.labels", kText, unobserved, "", "", kNoOrchestrator},
    {"k8s.svc.name", kText, unobserved, "", "", kNoOrchestrator},
    {"proc.is_container_liveness_probe", kBool, unobserved, "", "", kNoOrchestrator},
    {"proc.is_container_readiness_probe", kBool, unobserved, "", "", kNoOrchestrator},
};
// clang-format on

}  // namespace

std::span<const Field> unobserved_fields() { return kFields; }

}  // namespace coff::schema
