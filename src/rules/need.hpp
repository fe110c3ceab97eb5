// Private to the room: what must be true of an event before a condition can hold, in the terms that
// the kernel knows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "rules/program.hpp"

namespace coff::rules {

struct Paths {
  std::set<std::string> exact;
  std::set<std::string> prefix;
  std::set<std::string> suffix;
  std::set<std::string> contains;

  [[nodiscard]] size_t size() const {
    return exact.size() + prefix.size() + suffix.size() + contains.size();
  }
  void add(const Paths& other);
};

/// A condition that holds whenever some other one does.
struct Need {
  bool possible = true;
  bool on_host = true;
  bool in_containers = true;
  bool on_success = true;        ///< The call may have succeeded; of kinds that has_result() names.
  bool on_failure = true;        ///< The call may have failed.
  std::uint32_t open_flags = 0;  ///< COFF_OPEN_*, of which some must be there; 0: any.
  std::optional<Paths> paths;    ///< Of some path of the event; of kinds with paths. Nothing: any.
};

/// Whether the kernel decides by the paths of events of this kind: opens, and calls that change
/// names, owners, modes and sizes of files.
bool has_paths(unsigned kind);
/// Whether the kernel decides by the result of such calls: those, and calls about sockets.
bool has_result(unsigned kind);

/// The needs of the nodes of a program for events of one kind. Borrows the program.
class KindNeed {
 public:
  KindNeed(const Program& program, unsigned kind) : program_(program), kind_(kind) {}

  const Need& of(NodeId id);

 private:
  Need compute(const Node& node);
  [[nodiscard]] Need of_check(const Check& check) const;
  [[nodiscard]] Need of_open(const Check& check, std::string_view name, bool equal) const;
  [[nodiscard]] Need of_any_path(const Check& check, bool equal) const;

  const Program& program_;
  unsigned kind_;
  std::map<NodeId, Need> done_;
};

}  // namespace coff::rules
