// What a rule found: the event in the rule's own words, with the fields that it used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.hpp"
#include "rules/rule.hpp"
#include "schema/field.hpp"

namespace coff::rules {

/// A field of an output. The value owns its text and is empty when it was not known.
struct FindingField {
  std::string name;  ///< As written, e.g. "proc.aname[2]".
  schema::Value value;
};

struct Finding {
  std::string rule;
  Priority priority = Priority::kDebug;
  std::string source;
  std::vector<std::string> tags;
  std::string output;                ///< Bytes as they came from the event: print with care.
  std::vector<FindingField> fields;  ///< In the order of the output, each once.
  std::int64_t wall_ns = 0;
  Provenance provenance;
};

/// Adds what is known of a rule's provenance as members: language, rule_id, author, license, level,
/// status, references. Nothing for a rule that says nothing of it.
void write_provenance(JsonWriter& json, const Provenance& provenance);

/// Text of a value as libsinsp prints it: lists in parentheses, "<NA>" for nothing.
std::string shown_value(const schema::Value& value);

/// One JSON object in the shape that Falco writes: time, rule, priority, source, hostname, output,
/// tags, output_fields. Bytes that are no UTF-8 are replaced.
std::string falco_json(const Finding& finding, std::string_view hostname);
/// "10:11:12.000000000: Warning text", as Falco prints it; control characters made visible.
std::string falco_text(const Finding& finding);

}  // namespace coff::rules
