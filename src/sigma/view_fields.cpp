// Fields of Sigma's log sources, and what they mean here.
#include <algorithm>
#include <span>

#include "sigma/fields.hpp"
#include "sigma/view.hpp"

namespace coff::sigma {

namespace {

struct Row {
  std::string_view field;
  std::string_view name;
  std::string_view second;  ///< Another name of the same thing.
};

constexpr Row kProcess[] = {
    {"Image", "proc.exepath", ""},
    {"CommandLine", "sigma.CommandLine", ""},
    {"ParentImage", "proc.pexepath", ""},
    {"ParentCommandLine", "sigma.ParentCommandLine", ""},
    {"CurrentDirectory", "sigma.CurrentDirectory", ""},
    {"User", "user.name", ""},
    {"LogonId", "user.loginuid", ""},
    {"TerminalSessionId", "user.sessionid", ""},
    {"ProcessId", "proc.pid", ""},
    {"ParentProcessId", "proc.ppid", ""},
    {"ProcessName", "proc.name", ""},
    {"ParentProcessName", "proc.pname", ""},
    {"GrandParentImage", "sigma.text[proc.aexepath[2]]", ""},
    {"GrandParentCommandLine", "sigma.text[proc.acmdline[2]]", ""},
    {"ProcessGuid", "process.id", ""},
    {"ParentProcessGuid", "process.parent_id", ""},
    {"Computer", "evt.hostname", ""},
    {"UtcTime", "evt.rawtime", ""},
    {"EventTime", "evt.rawtime", ""},
};
constexpr Row kFile[] = {
    {"TargetFilename", "sigma.TargetFilename", "sigma.TargetResolved"},
    {"SourceFilename", "sigma.name", "sigma.name_resolved"},
};
constexpr Row kNetwork[] = {
    {"DestinationIp", "fd.sip", ""},
    {"DestinationPort", "fd.sport", ""},
    {"DestinationHostname", "sigma.DestinationHostname", ""},
    {"SourceIp", "fd.cip", ""},
    {"SourcePort", "fd.cport", ""},
    {"SourceHostname", "sigma.SourceHostname", ""},
    {"Protocol", "fd.l4proto", ""},
    {"Initiated", "sigma.Initiated", ""},
};
// What every record of an audited call is about.
constexpr Row kAudit[] = {
    {"SYSCALL", "evt.type", ""},
    {"syscall", "evt.type", ""},
    {"exe", "proc.exepath", ""},
    {"comm", "proc.name", ""},
    {"pid", "proc.pid", ""},
    {"ppid", "proc.ppid", ""},
    {"uid", "user.ruid", ""},
    {"euid", "user.uid", ""},
    {"auid", "user.loginuid", ""},
    {"ses", "user.sessionid", ""},
    {"UID", "user.rname", ""},
    {"EUID", "user.name", ""},
    {"AUID", "user.loginname", ""},
    {"success", "sigma.success", ""},
    {"exit", "evt.rawres", ""},
    {"cwd", "sigma.CurrentDirectory", ""},
    {"proctitle", "sigma.CommandLine", ""},
    {"node", "evt.hostname", ""},
};
constexpr Row kPath[] = {
    {"name", "sigma.name", "sigma.name_resolved"},
    {"nametype", "sigma.nametype", ""},
    {"mode", "file.mode", ""},
    {"ouid", "file.uid", ""},
    {"ogid", "file.gid", ""},
};
constexpr Row kPath2[] = {
    {"name", "sigma.name2", "sigma.name2_resolved"},
    {"nametype", "sigma.nametype2", ""},
};

std::vector<std::span<const Row>> tables(View::Kind kind) {
  using Kind = View::Kind;
  switch (kind) {
    case Kind::kProcessCreation: return {kProcess};
    case Kind::kNetworkConnection: return {kProcess, kNetwork};
    case Kind::kExecve:
    case Kind::kSyscall: return {kAudit};
    case Kind::kPath: return {kPath, kAudit};
    case Kind::kPath2: return {kPath2, kAudit};
    default: return {kFile, kProcess};
  }
}

// "a0", "a12".
std::optional<unsigned> argument_number(std::string_view field) {
  if (field.size() < 2 || field.size() > 5 || field[0] != 'a') return std::nullopt;
  unsigned number = 0;
  for (const char c : field.substr(1)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

std::optional<schema::Type> type_of(std::string_view name) {
  const std::string_view plain = name.substr(0, name.find('['));
  for (const schema::Field& own : own_fields()) {
    if (own.name == plain) return own.type;
  }
  const auto reference = schema::resolve_field(name);
  if (!reference) return std::nullopt;
  // Of lists only single elements can be compared with texts.
  const bool whole = reference->argument.name.empty();
  if (reference->field->list && whole) return std::nullopt;
  return reference->field->type;
}

std::string network_of(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kNetworks[] = {
      {"fd.sip", "fd.snet"}, {"fd.cip", "fd.cnet"}, {"fd.lip", "fd.lnet"}, {"fd.rip", "fd.rnet"}};
  for (const auto& [address, network] : kNetworks) {
    if (address == name) return std::string(network);
  }
  return {};
}

// Fields that the schema knows and that have no value yet.
bool is_unobserved(std::string_view name) {
  if (name == "sigma.DestinationHostname") name = "fd.sip.name";
  if (name == "sigma.SourceHostname") name = "fd.cip.name";
  const auto rows = schema::unobserved_fields();
  return std::ranges::find(rows, name, &schema::Field::name) != rows.end();
}

std::optional<Meaning> of_names(std::vector<std::string> names) {
  const auto type = type_of(names.front());
  if (!type || is_unobserved(names.front())) return std::nullopt;
  Meaning meaning{.names = std::move(names), .type = *type, .network = {}};
  meaning.network = network_of(meaning.names.front());
  const std::string& first = meaning.names.front();
  meaning.is_path = first == "sigma.TargetFilename" || first == "sigma.name" ||
                    first == "file.path" || first == "fd.name";
  return meaning;
}

}  // namespace

std::optional<Meaning> View::meaning(std::string_view field) const {
  for (const std::span<const Row> table : tables(kind)) {
    const auto row = std::ranges::find(table, field, &Row::field);
    if (row == table.end()) continue;
    std::vector<std::string> names = {std::string(row->name)};
    if (!row->second.empty()) names.emplace_back(row->second);
    return of_names(std::move(names));
  }
  if (const auto number = argument_number(field); number && !record_type.empty()) {
    const std::string place = '[' + std::to_string(*number) + ']';
    if (kind == Kind::kExecve) return of_names({"sigma.argv" + place});
    if (kind == Kind::kSyscall && *number < 4) return of_names({"sigma.call_argument" + place});
    return std::nullopt;
  }
  // Fields of our own under their own names.
  if (field.find('.') == field.npos || field.starts_with("sigma.")) return std::nullopt;
  // Some can't be put into lower case by the rules' room itself.
  const bool plain =
      !field.starts_with("proc.a") && !field.starts_with("fd.") && !field.starts_with("evt.rawarg");
  if (plain) return of_names({std::string(field)});
  if (!type_of(field)) return std::nullopt;
  return of_names({"sigma.text[" + std::string(field) + ']'});
}

}  // namespace coff::sigma
