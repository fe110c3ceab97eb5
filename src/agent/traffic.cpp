// Edges on their way to the trail: each new one at once, the traffic of all of them every minute.
#include "agent/traffic.hpp"

#include "agent/child.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::agent {

namespace {

// What stands between the braces of an object that was written whole.
std::string_view members_of(std::string_view object) { return object.substr(1, object.size() - 2); }

}  // namespace

Traffic::Traffic(Tell tell, FindContainer find)
    : tell_(std::move(tell)),
      find_(std::move(find)),
      flows_([this](const flow::Edge& edge) {
        std::string members;
        JsonWriter json(members);
        json.begin_object().key("edge").begin_object();
        flow::write_edge(json, edge);
        json.end_object().end_object();
        tell_("edge", make_agent_entry("edge", members_of(members)));
      }),
      told_wall_ns_(wall_now_ns()) {}

void Traffic::tick() {
  flows_.tick(static_cast<std::uint64_t>(boot_now_ns()));
  flows_.refresh(find_);
  if (--ticks_left_ > 0) return;
  ticks_left_ = kRoundTicks;
  tell_round();
}

void Traffic::tell_round() {
  const std::int64_t now = wall_now_ns();
  const auto edges = flows_.edges(told_wall_ns_);
  for (size_t at = 0; at < edges.size();) {
    std::string members;
    JsonWriter json(members);
    json.begin_object().member("since", format_time(told_wall_ns_)).key("edges").begin_array();
    for (size_t end = at + kEdgesInEntry; at < edges.size() && at < end; ++at) {
      json.begin_object();
      flow::write_edge(json, *edges[at]);
      json.end_object();
    }
    json.end_array().end_object();
    tell_("traffic", make_agent_entry("traffic", members_of(members)));
  }
  told_wall_ns_ = now;
}

}  // namespace coff::agent
