// Values and checks of one event, each computed at most once.
#include "rules/evaluate.hpp"

#include <algorithm>

namespace coff::rules {

Evaluation::Evaluation(const Program& program)
    : program_(program),
      slots_(program.sources().size()),
      event_answers_(program.words(Owner::kEvent).all, 0),
      process_answers_(program.words(Owner::kProcess)),
      parent_answers_(program.words(Owner::kParent)) {
  for (size_t at = 0; at < kOwners; ++at) {
    flags_[at] = program.words(static_cast<Owner>(at)).flags;
  }
  for (const Source& each : program.sources()) sources_.push_back(&each);
}

void Evaluation::begin(const schema::Subject& subject) {
  subject_.emplace(subject);
  if (++epoch_ == 0) {
    epoch_ = 1;
    for (Slot& slot : slots_) slot.epoch = 0;
  }
  std::fill_n(event_answers_.begin(), program_.words(Owner::kEvent).flags, 0);
  const ProcessPtr& process = subject.event.process;
  answers_ = {event_answers_.data(), process_answers_.of(process),
              parent_answers_.of(process == nullptr ? process : process->parent)};
}

void Evaluation::answer(CheckId id, const CheckPlace& place) {
  if (place.index != kNone) run(program_.indexes()[place.index]);
  else note(place.owner, place.slot, compute(program_.checks()[id]));
}

void Evaluation::run(const SourceIndex& index) {
  const std::span<std::uint64_t> bits(answers_[static_cast<size_t>(index.owner)] + index.word,
                                      index.texts.words());
  for (std::uint64_t& word : bits) word = 0;
  // A field's value is not kept: most texts are looked at by their index alone.
  const schema::Value fresh =
      index.get != nullptr ? index.get(*subject_, index.argument) : schema::Value{};
  const schema::Value& value = index.get != nullptr ? fresh : this->value(index.source);
  bool known = true;
  if (const auto* view = std::get_if<std::string_view>(&value)) {
    index.texts.run(*view, bits);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    index.texts.run(*text, bits);
  } else if (const auto* list = std::get_if<schema::TextList>(&value)) {
    for (const std::string& each : *list) index.texts.run(each, bits);
  } else {
    known = false;
  }
  note(index.owner, index.slot, known);
}

const schema::Value& Evaluation::extract(SourceId id) {
  const Source& source = *sources_[id];
  Slot& slot = slots_[id];
  slot.epoch = epoch_;
  switch (source.kind) {
    case Source::Kind::kField: slot.value = source.field.get(*subject_); break;
    case Source::Kind::kLiteral: slot.value = source.literal; break;
    default: slot.value = transform(source); break;
  }
  return slot.value;
}

schema::Value Evaluation::transform(const Source& source) {
  std::vector<const schema::Value*> inputs;
  inputs.reserve(source.inputs.size());
  for (const SourceId input : source.inputs) {
    const schema::Value& value = this->value(input);
    if (std::holds_alternative<std::monostate>(value)) return {};
    inputs.push_back(&value);
  }
  return transformed(source, inputs);
}

bool Evaluation::compute(const Check& check) {
  const schema::Value& left = value(check.left);
  if (std::holds_alternative<std::monostate>(left)) return false;
  if (check.op == Operator::kExists) return true;
  const Source& source = *sources_[check.left];
  if (check.right == kNone) return holds(check, source, left);
  const schema::Value& right = value(check.right);
  if (std::holds_alternative<std::monostate>(right)) return false;
  return holds_between(check.op, source, left, right);
}

}  // namespace coff::rules
