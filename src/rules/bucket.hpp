// Private to the room: the rules that events of one sort can match, with everything that is the
// same for all events of the sort already decided.
#pragma once

#include <string_view>
#include <vector>

#include "rules/evaluate.hpp"
#include "rules/rule_set.hpp"
#include "rules/text_filter.hpp"

namespace coff::rules {

/// What sorts events: equal keys give equal answers of every check that is a fact of the sort.
struct Sort {
  std::uint16_t kind = 0;
  std::int16_t syscall = -1;
  std::uint16_t acting = 0;  ///< Kind of the event that departs; else `kind`.
  bool container = false;
  std::uint8_t access = 0;  ///< O_ACCMODE bits of an open.
  // Of a fine sort alone; a process can make many of these.
  bool fine = true;
  bool failed = false;
  std::uint8_t detail = 0;  ///< What the event tells of: nothing that matters here, file, socket.
  std::uint8_t file = 0;    ///< Flags of a file.
  std::uint8_t socket = 0;  ///< Family, type and protocol of a socket.

  static Sort of(const Event& event);
  /// The same without what only fine sorts have.
  [[nodiscard]] Sort coarse() const;
  /// A number that differs between sorts.
  [[nodiscard]] std::uint64_t key() const;
  /// Whether the field has one value for all events of the sort.
  [[nodiscard]] bool decides(std::string_view field) const;
};

struct Bucket {
  struct Node {
    enum class Type : unsigned char { kCheck, kNot, kAnd, kOr };
    Type type = Type::kCheck;
    bool shared = false;      ///< More than one node or rule has it: worth remembering.
    bool cheap = false;       ///< It may be moved before its neighbours.
    std::uint32_t first = 0;  ///< kCheck: the check; kNot: the child; else the first link.
    std::uint32_t count = 0;  ///< Links of kAnd and kOr.
    CheckPlace place;         ///< Of kCheck.
  };
  struct Candidate {
    std::uint32_t rule = 0;
    std::uint32_t node = 0;  ///< kAlways: holds for every event of the sort.
  };
  static constexpr std::uint32_t kAlways = 0xFFFFFFFF;

  std::vector<Node> nodes;
  std::vector<std::uint32_t> links;
  std::vector<Candidate> candidates;  ///< Enabled rules that can hold, in the order of loading.
  TextFilter filter;
  std::uint64_t events = 0;
};

/// Makes the bucket of a sort; `evaluation` has begun `event`, which is of that sort.
Bucket make_bucket(const RuleSet& rules, const Sort& sort, const Event& event,
                   Evaluation& evaluation);

}  // namespace coff::rules
