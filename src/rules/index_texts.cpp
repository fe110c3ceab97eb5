// Chooses the checks that one pass over a text answers together, and gives answers their places.
#include <algorithm>
#include <map>

#include "rules/program.hpp"

namespace coff::rules {

namespace {

// Checks with longer lists are computed by themselves.
constexpr size_t kListMax = 16384;

/// How a check looks at its text; nothing for those that no index can answer.
struct Look {
  TextIndex::Kind kind = TextIndex::Kind::kExact;
  bool fold_case = false;
  bool negated = false;
};

std::optional<Look> look_of(const Check& check, const Source& left) {
  using schema::Type;
  const bool text =
      left.type == Type::kText || left.type == Type::kPath || left.type == Type::kBytes;
  if (!text || check.right != kNone || left.reach == Reach::kList) return std::nullopt;
  const bool any = check.modifier == Modifier::kAnyOf;
  if (check.modifier != Modifier::kNone && !any) return std::nullopt;
  const auto& texts = check.constants.texts;
  if (texts.empty() || texts.size() > kListMax) return std::nullopt;
  Look look;
  switch (check.op) {
    case Operator::kEqual:
    case Operator::kIn:
    case Operator::kIntersects: return look;
    case Operator::kNotEqual:
      // Of several values some may differ while another is equal.
      look.negated = true;
      return any || left.reach != Reach::kOne ? std::nullopt : std::optional(look);
    case Operator::kStartsWith:
    case Operator::kBStartsWith: look.kind = TextIndex::Kind::kPrefix; break;
    case Operator::kEndsWith: look.kind = TextIndex::Kind::kSuffix; break;
    case Operator::kIContains: look.fold_case = true; [[fallthrough]];
    case Operator::kContains:
    case Operator::kBContains: look.kind = TextIndex::Kind::kContains; break;
    default: return std::nullopt;
  }
  for (const std::string& each : texts) {
    if (each.empty()) return std::nullopt;
  }
  return look;
}

}  // namespace

Owner Program::owner(SourceId id) const {
  const Source& source = sources_[id];
  if (source.kind == Source::Kind::kField) return owner_of(source.field);
  // What is made of literals alone does not depend on the process either.
  Owner owner = Owner::kParent;
  for (const SourceId input : source.inputs) owner = common_owner(owner, this->owner(input));
  return owner;
}

void Program::add_index(SourceId source, bool fold_case, const std::vector<CheckId>& checks) {
  SourceIndex index{.source = source, .owner = owner(source), .texts = TextIndex(fold_case)};
  if (sources_[source].kind == Source::Kind::kField) {
    index.get = sources_[source].field.field->get;
    index.argument = sources_[source].field.argument;
  }
  std::uint32_t bit = 0;
  for (const CheckId id : checks) {
    const Look look = *look_of(checks_[id], sources_[source]);
    bool whole = true;
    for (const std::string& text : checks_[id].constants.texts) {
      whole = whole && index.texts.add(look.kind, text, bit);
    }
    // A check with a part that did not fit is computed by itself; its bit stays unused.
    if (whole) {
      places_[id].index = static_cast<std::uint32_t>(indexes_.size());
      places_[id].bit = bit;
      places_[id].negated = look.negated;
    }
    ++bit;
  }
  if (index.texts.empty()) return;
  index.texts.build();
  indexes_.push_back(std::move(index));
}

void Program::place_answers() {
  std::array<std::uint32_t, kOwners> slots{};
  for (SourceIndex& index : indexes_) index.slot = slots[static_cast<size_t>(index.owner)]++;
  for (CheckId id = 0; id < checks_.size(); ++id) {
    CheckPlace& place = places_[id];
    if (place.index != kNone) {
      place.owner = indexes_[place.index].owner;
      place.slot = indexes_[place.index].slot;
      continue;
    }
    const Check& check = checks_[id];
    place.owner = owner(check.left);
    if (check.right != kNone) place.owner = common_owner(place.owner, owner(check.right));
    place.slot = slots[static_cast<size_t>(place.owner)]++;
  }
  for (size_t at = 0; at < kOwners; ++at) {
    words_[at].flags = (slots[at] + 63) / 64;
    words_[at].all = words_[at].flags * 2;
  }
  for (SourceIndex& index : indexes_) {
    AnswerWords& words = words_[static_cast<size_t>(index.owner)];
    index.word = words.all;
    words.all += static_cast<std::uint32_t>(index.texts.words());
  }
  for (CheckPlace& place : places_) {
    if (place.index != kNone) place.bit += indexes_[place.index].word * 64;
  }
}

void Program::index_texts() {
  places_.assign(checks_.size(), {});
  std::map<std::pair<SourceId, bool>, std::vector<CheckId>> groups;
  for (CheckId id = 0; id < checks_.size(); ++id) {
    const auto look = look_of(checks_[id], sources_[checks_[id].left]);
    if (look) groups[{checks_[id].left, look->fold_case}].push_back(id);
  }
  for (const auto& [key, ids] : groups) add_index(key.first, key.second, ids);
  place_answers();
}

}  // namespace coff::rules
