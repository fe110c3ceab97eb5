// A finding as an entry of the trail: what the rule says, the event, and what came before it.
#include "agent/finding_entry.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.hpp"
#include "schema/constants.hpp"
#include "schema/event_json.hpp"
#include "schema/sentence.hpp"

namespace coff::agent {

namespace {

// Together below the trail's 60,000 bytes, with room for what the keeper puts in.
constexpr size_t kEventBytesMax = 32'000;
constexpr size_t kOutputBytesMax = 4096;
constexpr size_t kFieldBytesMax = 512;
constexpr size_t kFieldsBytesMax = 6000;
constexpr size_t kBeforeBytesMax = 9000;

// Tags that name a technique of ATT&CK: T1611, T1552.004.
bool is_technique(std::string_view tag) {
  if (tag.size() < 5 || tag[0] != 'T') return false;
  return std::ranges::all_of(tag.substr(1),
                             [](char byte) { return byte == '.' || (byte >= '0' && byte <= '9'); });
}

class Composer {
 public:
  Composer(const Found& found, const FindingContext& context)
      : found_(found), context_(context), json_(entry_.json) {}

  FindingEntry compose() {
    json_.begin_object()
        .member("type", std::string_view("finding"))
        .member("time", format_time(found_.event.wall_ns))
        .member("boot", found_.event.boot_ns)
        .key("finding")
        .begin_object();
    refer(context_.number);
    write_rule();
    write_fields();
    if (context_.events_before > 0) write_before();
    json_.end_object();
    entry_.json += ',';
    schema::append_json_members(entry_.json, found_.event,
                                {.names = &context_.names,
                                 .redactor = &context_.redactor,
                                 .commit = context_.commit,
                                 .size_bytes_max = kEventBytesMax,
                                 .full_context = true});
    entry_.json += '}';
    return std::move(entry_);
  }

 private:
  // The place behind the brace that was written last.
  void refer(const std::optional<std::uint64_t>& number) {
    if (!number || entry_.references.size() >= kReferencesMax) return;
    entry_.references.push_back(
        {.offset = static_cast<std::uint32_t>(entry_.json.size()), .number = *number});
  }

  [[nodiscard]] std::string shown(std::string_view text, size_t bytes_max) const {
    return context_.redactor.redact_text(text, context_.commit).substr(0, bytes_max);
  }

  void write_rule() {
    const rules::Finding& finding = found_.finding;
    json_.member("id", found_.id)
        .member("rule", finding.rule)
        .member("priority", rules::priority_name(finding.priority));
    json_.key("tags").begin_array();
    for (const auto& tag : finding.tags) json_.string(tag);
    json_.end_array().key("attack").begin_array();
    for (const auto& tag : finding.tags) {
      if (is_technique(tag)) json_.string(tag);
    }
    for (const auto& technique : finding.provenance.attack) json_.string(technique);
    json_.end_array();
    rules::write_provenance(json_, finding.provenance);
    json_.member("output", shown(finding.output, kOutputBytesMax));
  }

  void write_fields() {
    json_.key("fields").begin_object();
    const size_t begin = entry_.json.size();
    for (const auto& field : found_.finding.fields) {
      if (entry_.json.size() - begin > kFieldsBytesMax) break;
      json_.member(field.name, shown(rules::shown_value(field.value), kFieldBytesMax));
    }
    json_.end_object();
  }

  void write_before() {
    const Before before = context_.window.before(found_.event, context_.events_before);
    // The newest that fit: an event close to the finding says more than one long before it.
    std::vector<std::string> lines;
    size_t bytes = 0;
    for (auto at = before.events.rbegin(); at != before.events.rend(); ++at) {
      lines.push_back(sentence_of((*at)->event));
      bytes += lines.back().size();
      if (bytes > kBeforeBytesMax) {
        lines.pop_back();
        break;
      }
    }
    std::ranges::reverse(lines);
    const size_t skipped = before.events.size() - lines.size();
    json_.key("before").begin_object().key("events").begin_array();
    for (size_t at = 0; at < lines.size(); ++at) {
      const KeptEvent& kept = *before.events[skipped + at];
      json_.begin_object();
      refer(kept.number);
      json_.member("time", format_time(kept.event.wall_ns))
          .member("kind", schema::kind_name(kept.event.kind));
      if (kept.event.process != nullptr) {
        json_.member("process", fmt::format("{:016x}", kept.event.process->id));
      }
      json_.member("what", lines[at]).end_object();
    }
    json_.end_array().member("since", since_of(before)).key("lacks").begin_array();
    json_.string("files and calls that the recording profile leaves out");
    if (before.forgotten > 0) {
      json_.string(std::to_string(before.forgotten) + " older events that the window forgot");
    }
    if (before.lost > 0) {
      json_.string(std::to_string(before.lost) + " events that the kernel could not hand over");
    }
    json_.end_array().end_object();
  }

  [[nodiscard]] std::string sentence_of(const Event& event) const {
    std::string text;
    schema::append_sentence(
        text, event, {.names = &context_.names, .redactor = &context_.redactor, .utc = true});
    return text;
  }

  [[nodiscard]] std::string since_of(const Before& before) const {
    const auto ago = static_cast<std::int64_t>(found_.event.boot_ns) -
                     static_cast<std::int64_t>(before.since_boot_ns);
    return format_time(found_.event.wall_ns - ago);
  }

  const Found& found_;
  const FindingContext& context_;
  FindingEntry entry_;
  JsonWriter json_;
};

}  // namespace

FindingEntry make_finding_entry(const Found& found, const FindingContext& context) {
  return Composer(found, context).compose();
}

}  // namespace coff::agent
