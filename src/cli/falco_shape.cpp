// A finding of the trail in the shape that Falco writes, for whatever reads that.
#include "cli/falco_shape.hpp"

#include <boost/json.hpp>
#include <charconv>

#include "base/clock.hpp"
#include "cli/json_read.hpp"
#include "rules/finding.hpp"

namespace coff::cli {

namespace {

namespace json = boost::json;

// The type that the field has: Falco writes numbers as numbers.
schema::Value value_of(std::string_view name, std::string_view text) {
  if (text == "<NA>") return {};
  const schema::Field* field = schema::find_field(name.substr(0, name.find('[')));
  if (field == nullptr || field->list) return std::string(text);
  const char* const end = text.data() + text.size();
  std::int64_t number = 0;
  switch (field->type) {
    case schema::Type::kBool:
      if (text == "true" || text == "false") return text == "true";
      break;
    case schema::Type::kInteger:
    case schema::Type::kUnsigned:
    case schema::Type::kDuration:
    case schema::Type::kTime:
    case schema::Type::kPort: {
      const auto [stop, problem] = std::from_chars(text.data(), end, number);
      if (problem == std::errc() && stop == end) return number;
      break;
    }
    default: break;
  }
  return std::string(text);
}

}  // namespace

Result<std::string> falco_shape(std::string_view entry, std::string_view hostname) {
  json::error_code problem;
  const json::value value = json::parse(entry, problem);
  const json::object* whole = problem ? nullptr : value.if_object();
  const json::value* told = whole == nullptr ? nullptr : whole->if_contains("finding");
  if (told == nullptr || !told->is_object()) return fail(Code::kInvalid, "this is no finding");
  const json::object& object = told->get_object();
  rules::Finding finding;
  finding.rule = std::string(text_in(object, "rule"));
  finding.source = "syscall";
  finding.output = std::string(text_in(object, "output"));
  finding.wall_ns = parse_time(text_in(*whole, "time")).value_or(0);
  if (const auto priority = rules::parse_priority(text_in(object, "priority"))) {
    finding.priority = *priority;
  }
  if (const json::value* tags = object.if_contains("tags"); tags != nullptr && tags->is_array()) {
    for (const json::value& tag : tags->get_array()) {
      if (tag.is_string()) finding.tags.emplace_back(tag.get_string());
    }
  }
  const json::value* fields = object.if_contains("fields");
  if (fields != nullptr && fields->is_object()) {
    for (const auto& field : fields->get_object()) {
      rules::FindingField& out = finding.fields.emplace_back();
      out.name = field.key();
      if (field.value().is_string()) out.value = value_of(out.name, field.value().get_string());
    }
  }
  return rules::falco_json(finding, hostname);
}

}  // namespace coff::cli
