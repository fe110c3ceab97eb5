// Applies a recording profile: its clauses for the kernel, and the decision about each event.
#include "config/profile.hpp"

#include <fcntl.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <unordered_set>

#include "config/clause_reader.hpp"

namespace coff::config {
namespace {

auto members_of(const FilterClause& f) {
  return std::tie(f.reason, f.kinds, f.on_host, f.in_containers, f.open_flags_any, f.only_success,
                  f.only_failure, f.path_exact, f.path_prefix, f.path_suffix, f.path_contains);
}

/// The paths of an event, at most four; an event without any gives none.
std::vector<std::string_view> paths_of(const Event& event) {
  std::vector<std::string_view> paths;
  const auto add = [&](std::string_view path) {
    if (!path.empty()) paths.push_back(path);
  };
  if (const auto* file = std::get_if<FileInfo>(&event.detail)) {
    for (const Path* path : {&file->path, &file->path2}) {
      add(path->name);
      add(path->resolved);
    }
  } else if (const auto* exec = std::get_if<ExecInfo>(&event.detail)) {
    add(exec->filename);
    if (event.process && event.process->program) add(event.process->program->exe);
  } else if (const auto* socket = std::get_if<SocketInfo>(&event.detail)) {
    add(socket->unix_path);
  } else if (const auto* group = std::get_if<CgroupInfo>(&event.detail)) {
    add(group->path);
  }
  return paths;
}

}  // namespace

bool ProfileClause::operator==(const ProfileClause& other) const {
  return record == other.record && members_of(filter) == members_of(other.filter);
}

unsigned open_bits(std::uint32_t open_flags, std::uint32_t mode) {
  unsigned bits = 0;
  if ((open_flags & (O_WRONLY | O_RDWR)) != 0) bits |= COFF_OPEN_WRITE;
  if ((open_flags & (O_WRONLY | O_PATH)) == 0) bits |= COFF_OPEN_READ;
  if ((open_flags & O_CREAT) != 0 || (open_flags & O_TMPFILE) == O_TMPFILE) {
    bits |= COFF_OPEN_CREATE;
    if ((mode & 0111U) != 0) bits |= COFF_OPEN_EXEC;
  }
  return bits;
}

std::vector<ProfileClause> effective_clauses(const ProfileSettings& settings) {
  const std::string_view text = named_profile_yaml(settings.base);
  const YamlDocument document = parse_yaml(text);
  Reader reader(text, settings.base);
  std::vector<ProfileClause> clauses;
  read_clauses(reader, document.root, clauses);
  // The texts are part of the program; a test reads each of them.
  COFF_ASSERT(document.problems.empty() && reader.problem_count() == 0);
  clauses.insert(clauses.end(), settings.clauses.begin(), settings.clauses.end());
  return clauses;
}

KernelFilter kernel_filter(const ProfileSettings& settings) {
  constexpr std::uint64_t kSecondNs = 1'000'000'000;
  KernelFilter filter{.clauses = {}, .repeat_window_ns = settings.repeat_seconds * kSecondNs};
  for (ProfileClause& clause : effective_clauses(settings)) {
    clause.filter.reason = "profile: " + clause.filter.reason;
    filter.clauses.push_back(std::move(clause.filter));
  }
  return filter;
}

struct RecordingProfile::Compiled {
  ProfileClause clause;
  std::unordered_set<std::string_view> exact;  ///< Views of clause.filter.path_exact's elements.
  bool any_path = false;

  explicit Compiled(ProfileClause source) : clause(std::move(source)) {
    const FilterClause& f = clause.filter;
    exact.insert(f.path_exact.begin(), f.path_exact.end());
    any_path = f.path_exact.empty() && f.path_prefix.empty() && f.path_suffix.empty() &&
               f.path_contains.empty();
  }
  // The views stay valid: moving a vector does not move its elements.
  Compiled(Compiled&&) noexcept = default;
  Compiled& operator=(Compiled&&) noexcept = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() = default;

  [[nodiscard]] bool matches_path(std::string_view path) const {
    const FilterClause& f = clause.filter;
    return exact.contains(path) ||
           std::ranges::any_of(f.path_prefix, [&](const auto& p) { return path.starts_with(p); }) ||
           std::ranges::any_of(f.path_suffix, [&](const auto& p) { return path.ends_with(p); }) ||
           std::ranges::any_of(f.path_contains,
                               [&](const auto& p) { return path.find(p) != path.npos; });
  }

  [[nodiscard]] bool matches(const Event& event) const {
    const FilterClause& f = clause.filter;
    if (event.container ? !f.in_containers : !f.on_host) return false;
    if ((f.only_success && event.failed()) || (f.only_failure && !event.failed())) return false;
    const auto* file = std::get_if<FileInfo>(&event.detail);
    if (event.kind == Kind::open && f.open_flags_any != 0 && file != nullptr &&
        (open_bits(file->open_flags, file->mode) & f.open_flags_any) == 0) {
      return false;
    }
    if (any_path) return true;
    const auto paths = paths_of(event);
    // A file whose name could not be read may be any file.
    if (paths.empty()) return file != nullptr;
    return std::ranges::any_of(paths, [&](std::string_view path) { return matches_path(path); });
  }
};

RecordingProfile::RecordingProfile(const ProfileSettings& settings) {
  for (ProfileClause& clause : effective_clauses(settings)) {
    const auto index = static_cast<std::uint8_t>(clauses_.size());
    for (const unsigned kind : clause.filter.kinds) by_kind_.at(kind).push_back(index);
    clauses_.emplace_back(std::move(clause));
  }
}
RecordingProfile::RecordingProfile(RecordingProfile&&) noexcept = default;
RecordingProfile& RecordingProfile::operator=(RecordingProfile&&) noexcept = default;
RecordingProfile::~RecordingProfile() = default;

Recording RecordingProfile::decide(const Event& event) const {
  const auto kind = static_cast<size_t>(event.kind);
  if (kind >= by_kind_.size()) return Recording::kTrail;
  Recording strongest = Recording::kNone;
  for (const std::uint8_t index : by_kind_[kind]) {
    const Compiled& compiled = clauses_[index];
    if (compiled.clause.record <= strongest || !compiled.matches(event)) continue;
    strongest = compiled.clause.record;
    if (strongest == Recording::kTrail) break;
  }
  return strongest;
}

}  // namespace coff::config
