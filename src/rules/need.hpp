// Private to the room: what must be true of an event before a condition can hold, in the terms that
// the kernel knows.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

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
  std::uint32_t open_flags = 0;  ///< COFF_OPEN_*, of which some must be there; 0: any.
  std::optional<Paths> paths;    ///< Of opens. Nothing: any.
};

/// The needs of the nodes of a program for events of one kind. Borrows the program.
class KindNeed {
 public:
  KindNeed(const Program& program, unsigned kind) : program_(program), kind_(kind) {}

  const Need& of(NodeId id);

 private:
  Need compute(const Node& node);
  [[nodiscard]] Need of_check(const Check& check) const;

  const Program& program_;
  unsigned kind_;
  std::map<NodeId, Need> done_;
};

}  // namespace coff::rules
