// What grouping needs of a finding, read from its entry in the trail.
#include <algorithm>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "incident/incident.hpp"
#include "playbook/document.hpp"

namespace coff::incident {
namespace {

namespace json = boost::json;

const json::object& object_of(const json::object& object, std::string_view name) {
  static const json::object kNone;
  const json::value* value = playbook::member_of(object, name);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

// Ancestors come nearest first. The first process of a container or host is everybody's, so that
// the one below it tells lineages apart: a session, a service, a shell that an engine started.
std::string lineage_of(const json::object& process) {
  std::string lineage = playbook::text_of(process, "id");
  const json::value* ancestors = playbook::member_of(process, "ancestors");
  if (ancestors == nullptr || !ancestors->is_array()) return lineage;
  for (const json::value& item : ancestors->get_array()) {
    if (!item.is_object()) continue;
    const json::object& ancestor = item.get_object();
    if (playbook::number_of(ancestor, "pid") <= 1) break;
    const std::string id = playbook::text_of(ancestor, "id");
    if (!id.empty()) lineage = id;
  }
  return lineage;
}

}  // namespace

Result<FindingFacts> finding_facts(std::string_view entry) {
  const json::value value = TRY(playbook::parse_document(entry));
  if (!value.is_object() || playbook::text_of(value.get_object(), "type") != "finding") {
    return fail(Code::kInvalid, "not the entry of a finding");
  }
  const json::object& root = value.get_object();
  const json::object& finding = object_of(root, "finding");
  const json::object& container = object_of(root, "container");
  FindingFacts facts;
  facts.time_ns = TRY(parse_time(playbook::text_of(root, "time")));
  facts.id = playbook::text_of(finding, "id");
  facts.rule = playbook::text_of(finding, "rule");
  facts.priority = playbook::text_of(finding, "priority");
  facts.output = playbook::text_of(finding, "output").substr(0, kTextBytesMax);
  facts.container = playbook::text_of(container, "id");
  facts.name = playbook::text_of(container, "name");
  facts.lineage = lineage_of(object_of(root, "process"));
  facts.reference = to_hex(sha256(entry));
  if (facts.rule.empty()) return fail(Code::kInvalid, "the finding names no rule");
  return facts;
}

}  // namespace coff::incident
