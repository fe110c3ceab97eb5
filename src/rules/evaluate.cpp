// Values and checks of one event, each computed at most once.
#include "rules/evaluate.hpp"

#include <algorithm>

namespace coff::rules {

Evaluation::Evaluation(const Program& program)
    : program_(program), slots_(program.sources().size()), checks_(program.checks().size(), 0) {
  for (const SourceIndex& each : program.indexes()) {
    indexes_.emplace_back().bits.resize(each.texts.words());
  }
}

void Evaluation::restart() {
  epoch_ = 1;
  for (Slot& slot : slots_) slot.epoch = 0;
  for (IndexSlot& slot : indexes_) slot.epoch = 0;
  checks_.assign(checks_.size(), 0);
}

void Evaluation::fill(std::uint32_t index) {
  IndexSlot& slot = indexes_[index];
  slot.epoch = epoch_;
  std::ranges::fill(slot.bits, 0);
  const SourceIndex& of = program_.indexes()[index];
  const schema::Value& value = this->value(of.source);
  slot.present = true;
  if (const auto* view = std::get_if<std::string_view>(&value)) {
    of.texts.run(*view, slot.bits);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    of.texts.run(*text, slot.bits);
  } else if (const auto* list = std::get_if<schema::TextList>(&value)) {
    for (const std::string& each : *list) of.texts.run(each, slot.bits);
  } else {
    slot.present = false;
  }
}

const schema::Value& Evaluation::extract(SourceId id) {
  const Source& source = program_.sources()[id];
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
  const Source& source = program_.sources()[check.left];
  if (check.right == kNone) return holds(check, source, left);
  const schema::Value& right = value(check.right);
  if (std::holds_alternative<std::monostate>(right)) return false;
  return holds_between(check.op, source, left, right);
}

}  // namespace coff::rules
