// Findings as text and as JSON.
#include "rules/finding.hpp"

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace coff::rules {

namespace {

// A field's argument may hold anything: escape it as a string, without its quotes.
std::string escaped(std::string_view name) {
  std::string text;
  JsonWriter(text).string(name);
  return text.substr(1, text.size() - 2);
}

// Adds one value under its own JSON type.
struct Writer {
  JsonWriter& json;
  std::string_view name;

  void operator()(std::monostate) const { json.key(name).null(); }
  void operator()(bool flag) const { json.member(name, flag); }
  void operator()(std::int64_t number) const { json.member(name, number); }
  void operator()(std::uint64_t number) const { json.member(name, number); }
  void operator()(std::string_view text) const { json.member(name, text); }
  void operator()(const std::string& text) const { json.member(name, std::string_view(text)); }
  void operator()(const schema::Address& address) const {
    json.member(name, schema::value_text(address));
  }
  template <typename T>
  void operator()(const std::vector<T>& list) const {
    json.key(name).begin_array();
    for (const T& each : list) json.string(schema::value_text(schema::Value{each}));
    json.end_array();
  }
};

// "10:11:12.000000000: Warning ", as Falco's evt.time prints it.
std::string falco_prefix(const Finding& finding) {
  const std::string time = format_time(finding.wall_ns);
  const size_t begin = time.find('T') + 1;
  return time.substr(begin, time.size() - begin - 1) + ": " +
         std::string(priority_name(finding.priority)) + " ";
}

std::string falco_line(const Finding& finding) { return falco_prefix(finding) + finding.output; }

}  // namespace

void write_provenance(JsonWriter& json, const Provenance& provenance) {
  const auto text = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) json.member(name, value);
  };
  const auto list = [&](std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    json.key(name).begin_array();
    for (const std::string& value : values) json.string(value);
    json.end_array();
  };
  if (provenance.language != Provenance().language) json.member("language", provenance.language);
  text("rule_id", provenance.id);
  text("author", provenance.author);
  text("license", provenance.license);
  text("level", provenance.level);
  text("status", provenance.status);
  list("references", provenance.references);
}

std::string shown_value(const schema::Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return "<NA>";
  std::string text = schema::value_text(value);
  const bool list = std::holds_alternative<schema::TextList>(value) ||
                    std::holds_alternative<schema::NumberList>(value) ||
                    std::holds_alternative<schema::AddressList>(value);
  if (!list) return text;
  for (size_t at = text.find(", "); at != text.npos; at = text.find(", ", at))
    text.erase(at + 1, 1);
  return '(' + text + ')';
}

std::string falco_json(const Finding& finding, std::string_view hostname) {
  std::string out;
  JsonWriter json(out);
  const std::string time = format_time(finding.wall_ns);
  json.begin_object()
      .member("time", time)
      .member("rule", finding.rule)
      .member("priority", priority_name(finding.priority))
      .member("source", finding.source)
      .member("hostname", hostname)
      .member("output", falco_line(finding));
  write_provenance(json, finding.provenance);
  json.key("tags").begin_array();
  for (const std::string& tag : finding.tags) json.string(tag);
  json.end_array().key("output_fields").begin_object();
  bool has_time = false;
  for (const FindingField& field : finding.fields) {
    has_time = has_time || field.name == "evt.time";
    const std::string name = escaped(field.name);
    std::visit(Writer{json, name}, field.value);
  }
  if (!has_time) json.member("evt.time", finding.wall_ns);
  json.end_object().end_object();
  return out;
}

std::string falco_text(const Finding& finding) {
  std::string text = falco_prefix(finding);
  append_printable(text, finding.output);
  return text;
}

}  // namespace coff::rules
