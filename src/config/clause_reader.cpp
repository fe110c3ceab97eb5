// Clauses of a recording profile: the words of the file and what they mean to the kernel.
#include "config/clause_reader.hpp"

#include <algorithm>
#include <initializer_list>

namespace coff::config {
namespace {

constexpr std::string_view kKindNames[] = {
#define COFF_X(name, shape, lane, doc) #name,
    COFF_EVENTS(COFF_X)
#undef COFF_X
};

/// A word that stands for several kinds.
struct Group {
  std::string_view name;
  std::initializer_list<coff_kind> kinds;
};
const Group kGroups[] = {
    {"process", {COFF_KIND_fork, COFF_KIND_exec, COFF_KIND_exit, COFF_KIND_oom_kill}},
    {"credentials", {COFF_KIND_setid, COFF_KIND_capset, COFF_KIND_setsid, COFF_KIND_loginuid}},
    {"intrusion",
     {COFF_KIND_ptrace, COFF_KIND_vm_access, COFF_KIND_pidfd_getfd, COFF_KIND_memfd_create,
      COFF_KIND_userfaultfd, COFF_KIND_bpf, COFF_KIND_kill, COFF_KIND_io_uring_setup,
      COFF_KIND_io_uring, COFF_KIND_compat_call}},
    {"namespaces", {COFF_KIND_setns, COFF_KIND_unshare, COFF_KIND_chroot, COFF_KIND_pivot_root}},
    {"mounts",
     {COFF_KIND_mount, COFF_KIND_umount, COFF_KIND_move_mount, COFF_KIND_open_tree,
      COFF_KIND_fsmount}},
    {"modules", {COFF_KIND_module_load, COFF_KIND_module_unload}},
    {"cgroups", {COFF_KIND_cgroup_mkdir, COFF_KIND_cgroup_rmdir}},
    {"file_changes",
     {COFF_KIND_unlink, COFF_KIND_rmdir, COFF_KIND_rename, COFF_KIND_link, COFF_KIND_symlink,
      COFF_KIND_mkdir, COFF_KIND_mknod, COFF_KIND_chmod, COFF_KIND_chown, COFF_KIND_truncate,
      COFF_KIND_setxattr}},
    {"mappings", {COFF_KIND_mmap, COFF_KIND_mprotect}},
    {"connections",
     {COFF_KIND_bind, COFF_KIND_listen, COFF_KIND_connect, COFF_KIND_accept, COFF_KIND_dup_stdio}},
    {"datagrams", {COFF_KIND_sendto, COFF_KIND_recvfrom}},
};

constexpr std::string_view kOpenNames[] = {"read", "write", "create", "execute"};
constexpr std::string_view kWhereNames[] = {"everywhere", "host", "containers"};
constexpr std::string_view kResultNames[] = {"any", "success", "failure"};
constexpr std::string_view kRecordNames[] = {"live", "trail"};

std::vector<std::string_view> event_words() {
  std::vector<std::string_view> words(std::begin(kKindNames), std::end(kKindNames));
  for (const Group& group : kGroups) words.push_back(group.name);
  return words;
}

void read_events(Reader& reader, const YamlNode& node, FilterClause& filter) {
  const std::vector<std::string_view> words = event_words();
  std::vector<unsigned> kinds;
  reader.elements(node, "events", words.size(), [&](const YamlNode& item) {
    size_t index = words.size();
    reader.choice(item, "an event", words, index);
    if (index < COFF_KINDS) {
      kinds.push_back(static_cast<unsigned>(index));
    } else if (index < words.size()) {
      const Group& group = kGroups[index - COFF_KINDS];
      kinds.insert(kinds.end(), group.kinds.begin(), group.kinds.end());
    }
  });
  std::ranges::sort(kinds);
  kinds.erase(std::ranges::unique(kinds).begin(), kinds.end());
  filter.kinds = std::move(kinds);
}

void read_path(Reader& reader, const YamlNode& node, FilterClause& filter) {
  constexpr ListLimit kLimit = {kPatternsMax, check_pattern};
  const Member known[] = {
      {"exact", [&](const auto& n) { reader.texts(n, "exact", kLimit, filter.path_exact); }},
      {"prefix", [&](const auto& n) { reader.texts(n, "prefix", kLimit, filter.path_prefix); }},
      {"suffix", [&](const auto& n) { reader.texts(n, "suffix", kLimit, filter.path_suffix); }},
      {"contains",
       [&](const auto& n) { reader.texts(n, "contains", kLimit, filter.path_contains); }},
  };
  reader.members(node, "path", known);
  if (filter.path_exact.empty() && filter.path_prefix.empty() && filter.path_suffix.empty() &&
      filter.path_contains.empty()) {
    reader.problem(node, "path names no pattern: leave it out to mean every path");
  }
}

void read_open(Reader& reader, const YamlNode& node, FilterClause& filter) {
  reader.elements(node, "open", std::size(kOpenNames), [&](const YamlNode& item) {
    size_t index = std::size(kOpenNames);
    reader.choice(item, "an element of open", kOpenNames, index);
    if (index < std::size(kOpenNames)) filter.open_flags_any |= 1U << index;
  });
}

ProfileClause read_clause(Reader& reader, const YamlNode& node) {
  ProfileClause clause;
  FilterClause& filter = clause.filter;
  size_t where = 0;
  size_t result = 0;
  size_t record = 1;
  const Member known[] = {
      {"reason", [&](const auto& n) { reader.text(n, "reason", check_pattern, filter.reason); }},
      {"events", [&](const auto& n) { read_events(reader, n, filter); }},
      {"where", [&](const auto& n) { reader.choice(n, "where", kWhereNames, where); }},
      {"open", [&](const auto& n) { read_open(reader, n, filter); }},
      {"result", [&](const auto& n) { reader.choice(n, "result", kResultNames, result); }},
      {"path", [&](const auto& n) { read_path(reader, n, filter); }},
      {"record", [&](const auto& n) { reader.choice(n, "record", kRecordNames, record); }},
  };
  reader.members(node, "a clause", known);
  const auto has = [&](std::string_view key) {
    return std::ranges::find(node.keys, key, &YamlNode::scalar) != node.keys.end();
  };
  if (!has("events")) reader.problem(node, "a clause must name its events");
  if (!has("reason")) reader.problem(node, "a clause must give its reason");
  if (filter.open_flags_any != 0 &&
      std::ranges::find(filter.kinds, unsigned{COFF_KIND_open}) == filter.kinds.end()) {
    reader.problem(node, "open is a condition on the event open, which this clause does not name");
  }
  filter.on_host = where != 2;
  filter.in_containers = where != 1;
  filter.only_success = result == 1;
  filter.only_failure = result == 2;
  clause.record = record == 0 ? Recording::kLive : Recording::kTrail;
  return clause;
}

void write_list(JsonWriter& json, std::string_view name, const std::vector<std::string>& list) {
  if (list.empty()) return;
  json.key(name).begin_array();
  for (const std::string& value : list) json.string(value);
  json.end_array();
}

void write_clause(JsonWriter& json, const ProfileClause& clause) {
  const FilterClause& filter = clause.filter;
  json.begin_object().member("reason", filter.reason).key("events").begin_array();
  for (const unsigned kind : filter.kinds) json.string(kKindNames[kind]);
  json.end_array();
  if (!filter.in_containers) json.member("where", kWhereNames[1]);
  if (!filter.on_host) json.member("where", kWhereNames[2]);
  if (filter.open_flags_any != 0) {
    json.key("open").begin_array();
    for (size_t i = 0; i < std::size(kOpenNames); ++i) {
      if ((filter.open_flags_any & (1U << i)) != 0) json.string(kOpenNames[i]);
    }
    json.end_array();
  }
  if (filter.only_success) json.member("result", kResultNames[1]);
  if (filter.only_failure) json.member("result", kResultNames[2]);
  if (!filter.path_exact.empty() || !filter.path_prefix.empty() || !filter.path_suffix.empty() ||
      !filter.path_contains.empty()) {
    json.key("path").begin_object();
    write_list(json, "exact", filter.path_exact);
    write_list(json, "prefix", filter.path_prefix);
    write_list(json, "suffix", filter.path_suffix);
    write_list(json, "contains", filter.path_contains);
    json.end_object();
  }
  json.member("record", kRecordNames[clause.record == Recording::kTrail ? 1 : 0]).end_object();
}

}  // namespace

void read_clauses(Reader& reader, const YamlNode& node, std::vector<ProfileClause>& out) {
  std::vector<ProfileClause> clauses;
  reader.elements(node, "clauses", kProfileClausesMax,
                  [&](const YamlNode& item) { clauses.push_back(read_clause(reader, item)); });
  size_t bytes = 0;
  for (const ProfileClause& clause : clauses) {
    const FilterClause& filter = clause.filter;
    for (const auto* list :
         {&filter.path_exact, &filter.path_prefix, &filter.path_suffix, &filter.path_contains}) {
      for (const std::string& pattern : *list) bytes += pattern.size();
    }
  }
  if (bytes > kPatternBytesMax) {
    reader.problem(node, "the path patterns of all clauses hold " + std::to_string(bytes) +
                             " bytes; the kernel's automaton has room for " +
                             std::to_string(kPatternBytesMax));
  }
  out = std::move(clauses);
}

void write_clauses(JsonWriter& json, const std::vector<ProfileClause>& clauses) {
  json.begin_array();
  for (const ProfileClause& clause : clauses) write_clause(json, clause);
  json.end_array();
}

std::string event_groups_markdown() {
  std::string out = "| group | events |\n|---|---|\n";
  for (const Group& group : kGroups) {
    out += "| `" + std::string(group.name) + "` |";
    for (const coff_kind kind : group.kinds) out += " `" + std::string(kKindNames[kind]) + "`";
    out += " |\n";
  }
  return out;
}

}  // namespace coff::config
