// For tests of the push-down: events of file calls, and what a filter forwards of them.
#pragma once

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "schema/kernel_filter.hpp"
#include "schema/testing/sample_events.hpp"

namespace coff::rules::testing {

inline bool some(const std::vector<std::string>& list, auto&& fits) {
  return std::ranges::any_of(list, fits);
}

// What the kernel does with absolute paths, from the filter's own definition: it asks those of the
// call and that of the file. An open by handle has none and goes on.
inline bool forwards(const KernelFilter& filter, const Event& event) {
  const auto& file = std::get<FileInfo>(event.detail);
  const auto fits = [&](const std::vector<std::string>& list, auto&& match) {
    return some(list, [&](const std::string& p) {
      return match(file.path.name, p) || match(file.path.resolved, p) ||
             (!file.path2.name.empty() && match(file.path2.name, p));
    });
  };
  return std::ranges::any_of(filter.clauses, [&](const FilterClause& clause) {
    if (std::ranges::find(clause.kinds, static_cast<unsigned>(event.kind)) == clause.kinds.end()) {
      return false;
    }
    if (event.container == nullptr ? !clause.on_host : !clause.in_containers) return false;
    if (event.failed() ? clause.only_success : clause.only_failure) return false;
    std::uint32_t bits = (file.open_flags & (O_WRONLY | O_RDWR)) != 0 ? COFF_OPEN_WRITE : 0;
    if ((file.open_flags & (O_WRONLY | O_PATH)) == 0) bits |= COFF_OPEN_READ;
    const bool open = event.kind == Kind::open;
    if (open && clause.open_flags_any != 0 && (clause.open_flags_any & bits) == 0) return false;
    const bool any = clause.path_exact.empty() && clause.path_prefix.empty() &&
                     clause.path_suffix.empty() && clause.path_contains.empty();
    using Text = const std::string&;
    return any || file.path.raw.empty() ||
           fits(clause.path_exact, [](Text path, Text p) { return path == p; }) ||
           fits(clause.path_prefix, [](Text path, Text p) { return path.starts_with(p); }) ||
           fits(clause.path_suffix, [](Text path, Text p) { return path.ends_with(p); }) ||
           fits(clause.path_contains, [](Text path, Text p) { return path.contains(p); });
  });
}

inline Event file_event(coff_kind kind, int call, std::string_view path, std::uint32_t flags,
                        bool container, bool fails = false, std::string_view second = {}) {
  schema::testing::RecordBuilder builder(kind);
  builder.header().syscall = call;
  if (kind == COFF_KIND_open) {
    builder.file().open_flags = flags;
    builder.header().ret = builder.file().fd = 5;
  }
  if (fails) {
    builder.header().ret = path.size() % 2 == 0 ? -ENOENT : -EACCES;
    builder.file().fd = -1;
  }
  builder.text(&coff_file::raw, path);
  if (!second.empty()) builder.text(&coff_file::raw2, second);
  Event event = schema::testing::sample_event(builder);
  if (container) return event;
  Process process = *event.process;
  process.container = event.container = nullptr;
  event.process = std::make_shared<const Process>(std::move(process));
  return event;
}

}  // namespace coff::rules::testing
