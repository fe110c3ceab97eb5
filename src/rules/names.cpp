// The fields that conditions and outputs may name.
#include "rules/names.hpp"

#include <algorithm>

namespace coff::rules {

namespace {

enum Trait : unsigned {
  kNoRight = 1,
  kNoTransform = 2,
  kFilterOnly = 4,
  kAncestors = 8,
  kBothEnds = 16,
  kOld = 32,
};

struct Special {
  std::string_view name;
  unsigned traits;
};
constexpr unsigned kSelfish = kNoRight | kNoTransform;
constexpr Special kSpecial[] = {
    {"evt.around", kFilterOnly},
    {"evt.dir", kOld},
    {"evt.latency", kOld},
    {"evt.latency.human", kOld},
    {"evt.latency.ns", kOld},
    {"evt.latency.quantized", kOld},
    {"evt.latency.s", kOld},
    {"evt.rawarg", kSelfish},
    {"evt.wait_latency", kOld},
    {"fd.cip.name", kSelfish},
    {"fd.cnet", kSelfish | kFilterOnly},
    {"fd.ip", kSelfish | kFilterOnly | kBothEnds},
    {"fd.lip.name", kSelfish},
    {"fd.lnet", kSelfish | kFilterOnly},
    {"fd.net", kSelfish | kFilterOnly | kBothEnds},
    {"fd.port", kSelfish | kFilterOnly | kBothEnds},
    {"fd.proto", kSelfish | kFilterOnly | kBothEnds},
    {"fd.rip.name", kSelfish},
    {"fd.rnet", kSelfish | kFilterOnly},
    {"fd.sip.name", kSelfish},
    {"fd.snet", kSelfish | kFilterOnly},
    {"fd.types", kNoRight},
    {"proc.aargs", kAncestors},
    {"proc.acmdline", kSelfish | kAncestors},
    {"proc.aenv", kSelfish | kAncestors},
    {"proc.aexe", kSelfish | kAncestors},
    {"proc.aexepath", kSelfish | kAncestors},
    {"proc.aname", kSelfish | kAncestors},
    {"proc.apid", kSelfish | kAncestors},
};

unsigned traits_of(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kSpecial, name, {}, &Special::name);
  return found != std::end(kSpecial) && found->name == name ? found->traits : 0;
}

// Names that evt.rawarg gives as a number; the others are the text of evt.arg.
bool is_raw_number(std::string_view name) {
  constexpr std::string_view kNumbers[] = {"res", "fd", "mode", "sig", "pid", "uid", "gid"};
  return std::ranges::find(kNumbers, name) != std::end(kNumbers);
}

schema::Argument argument_of(const Operand& operand) {
  schema::Argument argument{.index = std::nullopt, .name = *operand.argument};
  const std::string& text = *operand.argument;
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || number > 0xFFFFFFFFU) return argument;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (!text.empty() && number <= 0xFFFFFFFFU) argument.index = static_cast<std::uint32_t>(number);
  return argument;
}

Result<schema::FieldReference> with_argument(const schema::Field& field, const Operand& operand) {
  using enum schema::Takes;
  const std::string& name = operand.text;
  schema::FieldReference reference{.field = &field, .argument = {}};
  if (!operand.argument) {
    if (field.takes == kNothing || field.takes == kOptIndex || field.takes == kOptName) {
      return reference;
    }
    return fail(Code::kInvalid, name + " needs an argument in brackets");
  }
  if (field.takes == kNothing) return fail(Code::kInvalid, name + " takes no argument");
  reference.argument = argument_of(operand);
  const bool number = field.takes == kIndex || field.takes == kOptIndex;
  if (number && !reference.argument.index) {
    return fail(Code::kInvalid, name + " takes a number in brackets");
  }
  return reference;
}

Result<schema::FieldReference> find_reference(const Operand& operand,
                                              std::span<const schema::Field> extra) {
  for (const schema::Field& field : extra) {
    if (field.name == operand.text) return with_argument(field, operand);
  }
  if (const schema::Field* field = schema::find_field(operand.text)) {
    return with_argument(*field, operand);
  }
  // "evt.arg.flags": the argument behind a dot.
  auto dotted = operand.argument ? fail(Code::kNotFound, "") : schema::resolve_field(operand.text);
  if (dotted) return dotted;
  if (!operand.argument && dotted.error().code == Code::kInvalid) return dotted;
  return fail(Code::kNotFound,
              "filter_check called with nonexistent field " + operand.text.substr(0, 128));
}

}  // namespace

Result<FieldMeaning> find_meaning(const Operand& operand, std::span<const schema::Field> extra) {
  FieldMeaning meaning{.reference = TRY(find_reference(operand, extra))};
  schema::FieldReference& reference = meaning.reference;
  const unsigned traits = traits_of(reference.field->name);
  if (reference.field->name == "evt.rawarg" && !is_raw_number(reference.argument.name)) {
    reference.field = schema::find_field("evt.arg");
  }
  meaning.right_side = (traits & kNoRight) == 0;
  meaning.transform = (traits & kNoTransform) == 0;
  meaning.output = (traits & kFilterOnly) == 0;
  meaning.deprecated = (traits & kOld) != 0;
  const bool whole = reference.argument.name.empty();
  if (reference.field->list && whole) {
    meaning.reach = (traits & kAncestors) != 0  ? Reach::kAny
                    : (traits & kBothEnds) != 0 ? Reach::kEnds
                                                : Reach::kList;
  }
  return meaning;
}

bool field_is_known(const Operand& operand) { return find_meaning(operand).has_value(); }

}  // namespace coff::rules
