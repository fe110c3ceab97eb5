// Chooses the checks that one pass over a text answers together.
#include <map>

#include "rules/program.hpp"

namespace coff::rules {

namespace {

// Fewer checks of a text are cheaper by themselves.
constexpr size_t kChecksMin = 3;
// Longer lists are asked as a hashed set.
constexpr size_t kListMax = 512;

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

void Program::index_texts() {
  indexed_.assign(checks_.size(), {});
  std::map<std::pair<SourceId, bool>, std::vector<CheckId>> groups;
  for (CheckId id = 0; id < checks_.size(); ++id) {
    const auto look = look_of(checks_[id], sources_[checks_[id].left]);
    if (look) groups[{checks_[id].left, look->fold_case}].push_back(id);
  }
  for (const auto& [key, ids] : groups) {
    if (ids.size() < kChecksMin) continue;
    SourceIndex index{.source = key.first, .texts = TextIndex(key.second)};
    std::uint32_t bit = 0;
    for (const CheckId id : ids) {
      const Look look = *look_of(checks_[id], sources_[key.first]);
      bool whole = true;
      for (const std::string& text : checks_[id].constants.texts) {
        whole = whole && index.texts.add(look.kind, text, bit);
      }
      // A check with a part that did not fit is computed by itself; its bit stays unused.
      if (whole) {
        indexed_[id] = {.index = static_cast<std::uint32_t>(indexes_.size()),
                        .bit = bit,
                        .negated = look.negated};
      }
      ++bit;
    }
    if (index.texts.empty()) continue;
    index.texts.build();
    indexes_.push_back(std::move(index));
  }
}

}  // namespace coff::rules
