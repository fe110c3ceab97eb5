// Private to the room: values and checks of one event.
#pragma once

#include <vector>

#include "rules/program.hpp"

namespace coff::rules {

/// Computes values and checks of one event, each at most once. Belongs to one thread; borrows the
/// program, and the event until the next begin().
class Evaluation {
 public:
  explicit Evaluation(const Program& program);

  /// A new event: everything computed before is forgotten.
  void begin(const schema::Subject& subject) {
    subject_.emplace(subject);
    if (++epoch_ > kEpochMax) restart();
  }

  const schema::Value& value(SourceId source) {
    Slot& slot = slots_[source];
    if (slot.epoch == epoch_) return slot.value;
    return extract(source);
  }
  bool check(CheckId id) {
    const IndexedCheck& indexed = program_.indexed()[id];
    if (indexed.index != kNone) return answer(indexed);
    return lone_check(id);
  }
  /// A check that has an index.
  bool answer(const IndexedCheck& indexed) {
    IndexSlot& slot = indexes_[indexed.index];
    if (slot.epoch != epoch_) fill(indexed.index);
    const bool found = (slot.bits[indexed.bit / 64] >> (indexed.bit % 64) & 1) != 0;
    return slot.present && found != indexed.negated;
  }
  /// A check that has none.
  bool lone_check(CheckId id) {
    std::uint32_t& memo = checks_[id];
    if ((memo >> 1) == epoch_) return (memo & 1) != 0;
    const bool holds = compute(program_.checks()[id]);
    memo = (epoch_ << 1) | (holds ? 1U : 0U);
    return holds;
  }

 private:
  struct Slot {
    schema::Value value;
    std::uint32_t epoch = 0;
  };

  /// An epoch shares its word with a result.
  static constexpr std::uint32_t kEpochMax = 0x7FFFFFFF;

  /// Answers of one index for the event.
  struct IndexSlot {
    std::uint32_t epoch = 0;
    bool present = false;  ///< The value is known.
    std::vector<std::uint64_t> bits;
  };

  void restart();
  void fill(std::uint32_t index);
  const schema::Value& extract(SourceId source);
  [[nodiscard]] schema::Value transform(const Source& source);
  bool compute(const Check& check);

  const Program& program_;
  std::optional<schema::Subject> subject_;
  std::uint32_t epoch_ = 0;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> checks_;
  std::vector<IndexSlot> indexes_;
};

/// Whether the check holds for a value that is not a missing one.
bool holds(const Check& check, const Source& left, const schema::Value& value);
/// The same for a value on the right instead of constants.
bool holds_between(Operator op, const Source& left, const schema::Value& a, const schema::Value& b);

/// Applies a transformer to its inputs' values; nothing when it fails.
schema::Value transformed(const Source& source, const std::vector<const schema::Value*>& inputs);

}  // namespace coff::rules
