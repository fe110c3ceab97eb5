// A playbook as people read it: an outline, or a Mermaid diagram.
#include "playbook/show.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/bytes.hpp"

namespace coff::playbook {
namespace {

constexpr size_t kLabelBytes = 80;
constexpr size_t kIndentMax = 20;

std::string label_of(const Step& step) {
  std::string label = step.name.empty() ? std::string(step_type_name(step.type)) : step.name;
  if (label.size() > kLabelBytes) label = label.substr(0, kLabelBytes) + "...";
  return printable(label);
}

class Outline {
 public:
  explicit Outline(const Playbook& playbook) : playbook_(playbook) {}

  std::string write() {
    out_ = printable(playbook_.name) + "\n";
    waiting_.push_back({playbook_.start, 0, ""});
    if (!playbook_.exception.empty()) {
      waiting_.insert(waiting_.begin(), {playbook_.exception, 0, "on exception"});
    }
    while (!waiting_.empty()) {
      const Line line = waiting_.back();
      waiting_.pop_back();
      if (const Step* step = playbook_.step(line.step); step != nullptr) write(*step, line);
    }
    return std::move(out_);
  }

 private:
  struct Line {
    std::string step;
    size_t depth;
    std::string why;
  };

  void write(const Step& step, const Line& line) {
    const std::string indent(2 * (std::min(line.depth, kIndentMax) + 1), ' ');
    if (!line.why.empty()) out_ += indent + "-- " + printable(line.why) + ":\n";
    if (!seen_.insert(step.id).second) {
      out_ += indent + "(goes on at: " + label_of(step) + ")\n";
      return;
    }
    out_ += indent + label_of(step);
    if (!step.condition.empty()) out_ += "  [" + printable(step.condition) + "]";
    out_ += '\n';
    for (const Command& command : step.commands) {
      out_ += indent + "  " + printable(command.type) + ": " +
              printable(command.text.substr(0, 2 * kLabelBytes)) + '\n';
    }
    // Last in, first out: what comes next is put in first.
    if (!step.on_failure.empty()) waiting_.push_back({step.on_failure, line.depth, "on failure"});
    if (!step.next().empty()) waiting_.push_back({step.next(), line.depth, ""});
    const auto branch = [&](const std::string& to, std::string why) {
      if (!to.empty()) waiting_.push_back({to, line.depth + 1, std::move(why)});
    };
    for (auto at = step.next_steps.rbegin(); at != step.next_steps.rend(); ++at) {
      branch(*at, "at the same time");
    }
    for (auto at = step.cases.rbegin(); at != step.cases.rend(); ++at) {
      branch(at->second, "if it is " + at->first);
    }
    branch(step.on_false, "else");
    branch(step.on_true, step.type == StepType::kWhile ? "as long as it holds" : "if it holds");
  }

  const Playbook& playbook_;
  std::string out_;
  std::vector<Line> waiting_;
  std::set<std::string> seen_;
};

// Mermaid takes entities for what would end a label.
std::string quoted(const std::string& text) {
  std::string out;
  for (const char byte : text) {
    if (byte == '"') out += "#quot;";
    else if (byte == '<') out += "#lt;";
    else if (byte == '>') out += "#gt;";
    else if (byte == '#') out += "#35;";
    else if (byte == '|' || byte == '\\') out += '/';
    else out += byte;
  }
  return out;
}

}  // namespace

std::string outline(const Playbook& playbook) { return Outline(playbook).write(); }

std::string mermaid(const Playbook& playbook) {
  std::map<std::string, std::string> names;
  for (const auto& [id, step] : playbook.steps) names[id] = fmt::format("s{}", names.size());
  std::string out = "flowchart TD\n";
  for (const auto& [id, step] : playbook.steps) {
    const std::string label = quoted(label_of(step));
    const bool decides = step.type == StepType::kIf || step.type == StepType::kWhile ||
                         step.type == StepType::kSwitch;
    const bool ends = step.type == StepType::kStart || step.type == StepType::kEnd;
    const std::string_view open = decides ? "{\"" : ends ? "([\"" : "[\"";
    const std::string_view close = decides ? "\"}" : ends ? "\"])" : "\"]";
    out += fmt::format("  {}{}{}{}\n", names[id], open, label, close);
  }
  for (const auto& [id, step] : playbook.steps) {
    const auto edge = [&](const std::string& to, const std::string& why) {
      if (!names.contains(to)) return;
      out += why.empty()
                 ? fmt::format("  {} --> {}\n", names[id], names[to])
                 : fmt::format("  {} -->|{}| {}\n", names[id], quoted(printable(why)), names[to]);
    };
    edge(step.next(), "");
    edge(step.on_failure, "failure");
    for (const std::string& next : step.next_steps) edge(next, "branch");
    edge(step.on_true, "true");
    edge(step.on_false, "false");
    for (const auto& [value, next] : step.cases) edge(next, value);
  }
  return out;
}

}  // namespace coff::playbook
