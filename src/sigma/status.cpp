// What became of Sigma rules, for people and programs.
#include <algorithm>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"
#include "sigma/sigma.hpp"

namespace coff::sigma {

std::string_view state_name(State state) {
  constexpr std::string_view kNames[] = {"runs", "blind", "no log source"};
  return kNames[static_cast<size_t>(state)];
}

size_t Loaded::count(State state) const {
  return static_cast<size_t>(std::ranges::count(statuses, state, &RuleStatus::state));
}

std::string Loaded::summary() const {
  if (statuses.empty()) return {};
  return std::to_string(statuses.size()) + " Sigma rules: " + std::to_string(count(State::kRuns)) +
         " run, " + std::to_string(count(State::kBlind)) + " ask for what is not observed here, " +
         std::to_string(count(State::kNoLogSource)) + " have no log source here";
}

std::string to_text(const RuleStatus& status) {
  const auto padded = [](std::string text, size_t width) {
    text.resize(std::max(text.size() + 1, width), ' ');
    return text;
  };
  std::string text = padded(std::string(state_name(status.state)), 14);
  text += padded(printable(status.log_source), 26);
  append_printable(text, status.title);
  for (const std::string& note : status.notes) {
    text += "\n    ";
    append_printable(text, note);
  }
  return text;
}

std::string to_json(const RuleStatus& status) {
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .member("rule", status.title)
      .member("rule_id", status.id)
      .member("log_source", status.log_source)
      .member("state", state_name(status.state))
      .member("file", status.file)
      .member("line", status.line);
  json.key("notes").begin_array();
  for (const std::string& note : status.notes) json.string(note);
  json.end_array().end_object();
  return text;
}

}  // namespace coff::sigma
