// Private to the room: values and checks of one event.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "rules/answers.hpp"
#include "rules/program.hpp"

namespace coff::rules {

/// Computes values and checks of one event, each at most once, and what depends on a process alone
/// once for its events. Belongs to one thread; borrows the program, and the event until the next
/// begin().
class Evaluation {
 public:
  explicit Evaluation(const Program& program);

  /// A new event: everything computed before is forgotten, except about its process.
  void begin(const schema::Subject& subject);

  const schema::Value& value(SourceId source) {
    Slot& slot = slots_[source];
    if (slot.epoch == epoch_) return slot.value;
    return extract(source);
  }
  bool check(CheckId id) { return check(id, program_.places()[id]); }
  /// The same for a caller that has the check's place.
  bool check(CheckId id, const CheckPlace& place) {
    std::uint64_t* const words = answers_[static_cast<size_t>(place.owner)];
    const std::uint64_t flag = std::uint64_t{1} << (place.slot % 64);
    if ((words[place.slot / 64] & flag) == 0) answer(id, place);
    const bool so = (words[flags_[static_cast<size_t>(place.owner)] + place.slot / 64] & flag) != 0;
    if (place.index == kNone) return so;
    return so && ((words[place.bit / 64] >> (place.bit % 64) & 1) != 0) != place.negated;
  }
  /// The bits of an index for the event; none is set when its text is not known.
  std::span<const std::uint64_t> bits(const SourceIndex& index) {
    std::uint64_t* const words = answers_[static_cast<size_t>(index.owner)];
    if ((words[index.slot / 64] >> (index.slot % 64) & 1) == 0) run(index);
    return {words + index.word, index.texts.words()};
  }

 private:
  struct Slot {
    schema::Value value;
    std::uint32_t epoch = 0;
  };

  void answer(CheckId id, const CheckPlace& place);
  void run(const SourceIndex& index);
  void note(Owner owner, std::uint32_t slot, bool so) {
    std::uint64_t* const words = answers_[static_cast<size_t>(owner)];
    const std::uint64_t flag = std::uint64_t{1} << (slot % 64);
    words[slot / 64] |= flag;
    std::uint64_t& is_so = words[flags_[static_cast<size_t>(owner)] + slot / 64];
    is_so = so ? is_so | flag : is_so & ~flag;
  }
  const schema::Value& extract(SourceId source);
  [[nodiscard]] schema::Value transform(const Source& source);
  bool compute(const Check& check);

  const Program& program_;
  std::optional<schema::Subject> subject_;
  std::uint32_t epoch_ = 0;
  std::vector<const Source*> sources_;
  std::vector<Slot> slots_;
  std::vector<std::uint64_t> event_answers_;
  ProcessAnswers process_answers_;
  ProcessAnswers parent_answers_;
  std::array<std::uint64_t*, kOwners> answers_{};
  std::array<std::uint32_t, kOwners> flags_{};
};

/// Whether the check holds for a value that is not a missing one.
bool holds(const Check& check, const Source& left, const schema::Value& value);
/// The same for a value on the right instead of constants.
bool holds_between(Operator op, const Source& left, const schema::Value& a, const schema::Value& b);

/// Applies a transformer to its inputs' values; nothing when it fails.
schema::Value transformed(const Source& source, const std::vector<const schema::Value*>& inputs);

}  // namespace coff::rules
