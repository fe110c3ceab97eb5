// Values of a rule as checks of a text.
#include "sigma/match_texts.hpp"

#include <algorithm>
#include <array>

namespace coff::sigma {

namespace {

using rules::Expression;
using rules::Operand;
using rules::Operator;

Operand lowered(const std::string& field) {
  Operand made{.type = Operand::Type::kTransform, .text = {}, .argument = {}};
  made.transform = rules::Transform::kToLower;
  made.items.push_back(field_operand(field));
  return made;
}

/// Texts by how they are compared.
struct Groups {
  std::vector<std::string> equal;
  std::vector<std::string> prefix;
  std::vector<std::string> suffix;
  std::vector<std::string> inside;
};

// A check for one text or for a list of them.
void add(std::vector<Part>& parts, const Operand& left, Operator op,
         const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  if (texts.size() == 1) {
    parts.push_back(Part::of(check(left, op, text_operand(texts.front()))));
    return;
  }
  Expression made = check(left, op == Operator::kEqual ? Operator::kIn : op, list_operand(texts));
  if (op != Operator::kEqual) made.modifier = rules::Modifier::kAnyOf;
  parts.push_back(Part::of(std::move(made)));
}

void add(std::vector<Part>& parts, const Operand& left, const Groups& groups) {
  add(parts, left, Operator::kEqual, groups.equal);
  add(parts, left, Operator::kStartsWith, groups.prefix);
  add(parts, left, Operator::kEndsWith, groups.suffix);
  add(parts, left, Operator::kContains, groups.inside);
}

// Where the pattern is no glob: the group of its text and the text.
std::vector<std::string>* group_of(const Pattern& pattern, Groups& groups, std::string& text) {
  const auto& runs = pattern.runs;
  if (pattern.is_text()) {
    text = runs[0];
    return &groups.equal;
  }
  if (pattern.wild == "*" && runs[0].empty()) {
    text = runs[1];
    return &groups.suffix;
  }
  if (pattern.wild == "*" && runs[1].empty()) {
    text = runs[0];
    return &groups.prefix;
  }
  if (pattern.wild == "**" && runs[0].empty() && runs[2].empty()) {
    text = runs[1];
    return &groups.inside;
  }
  return nullptr;
}

/// The texts that a glob's value must have at its ends and inside; "" for none.
struct Anchors {
  std::string prefix;
  std::string suffix;
  std::string inside;
};

Anchors anchors_of(const Pattern& pattern) {
  Anchors anchors{.prefix = pattern.runs.front(), .suffix = pattern.runs.back(), .inside = {}};
  for (size_t at = 1; at + 1 < pattern.runs.size(); ++at) {
    if (pattern.runs[at].size() > anchors.inside.size()) anchors.inside = pattern.runs[at];
  }
  return anchors;
}

// The cheap checks first: one pass over the text answers those of all rules.
Part glob(const Operand& left, const Pattern& pattern, bool cased) {
  const auto text = [&](const std::string& run) { return cased ? run : lower(run); };
  const Anchors anchors = anchors_of(pattern);
  std::vector<Part> parts;
  if (!anchors.suffix.empty()) add(parts, left, Operator::kEndsWith, {text(anchors.suffix)});
  if (!anchors.prefix.empty()) add(parts, left, Operator::kStartsWith, {text(anchors.prefix)});
  if (!anchors.inside.empty()) add(parts, left, Operator::kContains, {text(anchors.inside)});
  parts.push_back(Part::of(check(left, Operator::kGlob, text_operand(text(to_glob(pattern))))));
  return part_chain(true, std::move(parts));
}

}  // namespace

Part is_known(const std::string& field) {
  return Part::of(check(field_operand(field), Operator::kExists, {.text = {}, .argument = {}}));
}

Part is_absent(const std::string& field) {
  std::vector<Part> parts;
  parts.push_back(part_not(is_known(field)));
  parts.push_back(Part::of(check(field_operand(field), Operator::kEqual, text_operand(""))));
  return part_chain(false, std::move(parts));
}

Part match_texts(const std::string& field, const std::vector<const Pattern*>& patterns,
                 bool cased) {
  const Operand left = cased ? field_operand(field) : lowered(field);
  std::vector<Part> parts;
  Groups groups;
  for (const Pattern* pattern : patterns) {
    if (pattern->is_any()) {
      parts.push_back(is_known(field));
      continue;
    }
    std::string text;
    std::vector<std::string>* group = group_of(*pattern, groups, text);
    if (group == nullptr) parts.push_back(glob(left, *pattern, cased));
    else if (text.empty()) parts.push_back(is_absent(field));
    else group->push_back(cased ? text : lower(text));
  }
  add(parts, left, groups);
  return part_chain(false, std::move(parts));
}

Part match_opened(const std::vector<const Pattern*>& patterns) {
  Groups groups;
  const auto add_both = [](std::vector<std::string>& group, const std::string& text) {
    group.push_back(text);
    std::string low = lower(text);
    if (low != text) group.push_back(std::move(low));
  };
  for (const Pattern* pattern : patterns) {
    std::string text;
    if (std::vector<std::string>* group = group_of(*pattern, groups, text)) {
      if (text.empty()) return is_known("file.path");
      add_both(*group, text);
      continue;
    }
    // One anchor is enough for the kernel; names differ most at their ends.
    const Anchors anchors = anchors_of(*pattern);
    if (!anchors.suffix.empty()) add_both(groups.suffix, anchors.suffix);
    else if (!anchors.inside.empty()) add_both(groups.inside, anchors.inside);
    else if (!anchors.prefix.empty()) add_both(groups.prefix, anchors.prefix);
    else return is_known("file.path");
  }
  std::vector<Part> parts;
  add(parts, field_operand("file.path"), groups);
  return part_chain(false, std::move(parts));
}

}  // namespace coff::sigma
