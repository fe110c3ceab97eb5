// Edges as a graph: grouped, walked, drawn.
#include "flow/graph.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "base/bytes.hpp"
#include "base/json_writer.hpp"

namespace coff::flow {

namespace {

std::string ports_text(const Link& link) {
  constexpr size_t kPortsMax = 5;
  std::string text;
  size_t shown = 0;
  for (const auto& [port, count] : link.connections_by_port) {
    if (++shown > kPortsMax) {
      text += fmt::format(" +{}", link.connections_by_port.size() - kPortsMax);
      break;
    }
    text += (text.empty() ? "" : " ") + std::to_string(port);
  }
  return text;
}

std::string label_of(const Link& link) {
  std::string label = ports_text(link) + fmt::format(", {} x", link.connections);
  if (link.bytes != 0) label += ", " + bytes_text(link.bytes);
  if (link.failed != 0) label += fmt::format(", {} failed", link.failed);
  return label;
}

// Names come from containers: nothing of them may end a string of the drawing's language.
std::string quoted(std::string_view name, std::string_view quote) {
  std::string text;
  for (const char c : printable(name)) {
    if (c == '"' || c == '\\' || c == '<' || c == '>' || c == '`' || c == '[' || c == ']') {
      text += c == '"' ? quote : std::string_view("_");
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double amount = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < std::size(kUnits); ++unit) amount /= 1024;
  return fmt::format("{:.1f} {}", amount, kUnits[unit]);
}

void Graph::add(const std::string& from, const std::string& to, std::uint16_t port,
                const Link& link) {
  Link& known = links_[from][to];
  known.connections_by_port[port] += link.connections + link.failed;
  known.connections += link.connections;
  known.failed += link.failed;
  known.bytes += link.bytes;
  if (known.first.empty() || link.first < known.first) known.first = link.first;
  known.last = std::max(known.last, link.last);
}

std::vector<std::string> Graph::nodes() const {
  std::set<std::string> names;
  for (const auto& [from, targets] : links_) {
    names.insert(from);
    for (const auto& [to, link] : targets) names.insert(to);
  }
  return {names.begin(), names.end()};
}

std::vector<std::vector<std::string>> Graph::walk(const std::string& start, bool forward) const {
  std::map<std::string, std::set<std::string>> next;
  for (const auto& [from, targets] : links_) {
    for (const auto& [to, link] : targets) {
      // An attempt that never succeeded leads nowhere.
      if (link.connections == 0) continue;
      if (forward) next[from].insert(to);
      else next[to].insert(from);
    }
  }
  std::vector<std::vector<std::string>> ways;
  std::set<std::string> seen = {start};
  std::deque<std::vector<std::string>> waiting = {{start}};
  while (!waiting.empty()) {
    const std::vector<std::string> way = std::move(waiting.front());
    waiting.pop_front();
    if (way.size() > 1) ways.push_back(way);
    for (const auto& name : next[way.back()]) {
      if (!seen.insert(name).second) continue;
      waiting.push_back(way);
      waiting.back().push_back(name);
    }
  }
  return ways;
}

std::vector<std::vector<std::string>> Graph::reach(const std::string& from) const {
  return walk(from, true);
}
std::vector<std::vector<std::string>> Graph::reached_by(const std::string& to) const {
  auto ways = walk(to, false);
  for (auto& way : ways) std::reverse(way.begin(), way.end());
  return ways;
}

std::vector<std::string> Graph::path(const std::string& from, const std::string& to) const {
  for (auto& way : walk(from, true)) {
    if (way.back() == to) return way;
  }
  return {};
}

std::string Graph::dot() const {
  std::string text = "digraph flows {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const auto& [from, targets] : links_) {
    for (const auto& [to, link] : targets) {
      text +=
          fmt::format("  \"{}\" -> \"{}\" [label=\"{}\"{}];\n", quoted(from, "'"), quoted(to, "'"),
                      label_of(link), link.connections == 0 ? ", style=dashed" : "");
    }
  }
  return text + "}\n";
}

std::string Graph::mermaid() const {
  std::string text = "flowchart LR\n";
  std::map<std::string, size_t> numbers;
  for (const auto& name : nodes()) {
    const size_t number = numbers.size();
    numbers[name] = number;
    text += fmt::format("  n{}[\"{}\"]\n", number, quoted(name, "#quot;"));
  }
  for (const auto& [from, targets] : links_) {
    for (const auto& [to, link] : targets) {
      text += fmt::format("  n{} {}|\"{}\"| n{}\n", numbers[from],
                          link.connections == 0 ? "-.->" : "-->", label_of(link), numbers[to]);
    }
  }
  return text;
}

std::string Graph::json() const {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("nodes").begin_array();
  for (const auto& name : nodes()) json.string(name);
  json.end_array().key("links").begin_array();
  for (const auto& [from, targets] : links_) {
    for (const auto& [to, link] : targets) {
      json.begin_object().member("from", from).member("to", to).key("ports").begin_array();
      for (const auto& [port, count] : link.connections_by_port) json.number(int{port});
      json.end_array()
          .member("connections", link.connections)
          .member("failed", link.failed)
          .member("bytes", link.bytes)
          .member("first", link.first)
          .member("last", link.last)
          .end_object();
    }
  }
  json.end_array().end_object();
  return text;
}

}  // namespace coff::flow
