// The calls of the control socket: who may make them, how they are recorded, who answers.
#include <boost/json.hpp>

#include <algorithm>

#include "agent/child.hpp"
#include "agent/control_server.hpp"
#include "base/bytes.hpp"
#include "base/json_writer.hpp"

namespace coff::agent {
namespace {

namespace json = boost::json;
using config::Permission;

constexpr std::size_t kJsonDepthMax = 8;
/// Arguments longer than this stand in the entry as their SHA-256.
constexpr std::size_t kRecordedArgumentsMax = 2048;
constexpr std::size_t kFilterKindsMax = 64;

/// kKeeperForCaller: the keeper, told who asks.
enum class Target : unsigned char { kControl, kSensor, kKeeper, kKeeperForCaller, kAll, kFollow };

struct CallRow {
  std::string_view name;
  Permission permission;
  Target target;
};
// A new call is one row here, and a handler in the process that answers it.
constexpr CallRow kCalls[] = {
    {"ping", Permission::kSee, Target::kControl},
    {"status", Permission::kSee, Target::kAll},
    {"ps", Permission::kSee, Target::kSensor},
    {"doctor", Permission::kSee, Target::kSensor},
    {"rules", Permission::kSee, Target::kSensor},
    {"flows", Permission::kSee, Target::kSensor},
    {"events.follow", Permission::kSee, Target::kFollow},
    {"events.query", Permission::kSee, Target::kKeeper},
    {"evidence.seal", Permission::kRespond, Target::kKeeperForCaller},
    {"trail.checkpoint", Permission::kAudit, Target::kKeeper},
    {"trail.erase", Permission::kConfigure, Target::kKeeperForCaller},
    {"trail.prove", Permission::kAudit, Target::kKeeper},
    {"trail.show", Permission::kAudit, Target::kKeeper},
    {"config.show", Permission::kAudit, Target::kControl},
    {"baseline.list", Permission::kSee, Target::kSensor},
    {"baseline.show", Permission::kSee, Target::kSensor},
    {"baseline.export", Permission::kAudit, Target::kSensor},
    {"baseline.import", Permission::kConfigure, Target::kSensor},
    {"baseline.pin", Permission::kConfigure, Target::kSensor},
    {"baseline.unpin", Permission::kConfigure, Target::kSensor},
    {"baseline.accept", Permission::kConfigure, Target::kSensor},
    {"baseline.forget", Permission::kConfigure, Target::kSensor},
};

Result<json::object> parse_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  // The memory is bounded by the length of the line.
  return guard(Code::kInvalid, "malformed request", [&]() -> json::object {
    json::error_code problem;
    json::value value = json::parse(text, problem, {}, options);
    if (problem || !value.is_object()) return {};
    return std::move(value.as_object());
  });
}

}  // namespace

struct ControlServer::Request {
  const CallRow* row = nullptr;
  json::object arguments;
  std::string arguments_text;
};

void ControlServer::handle_request(Session& session, std::string_view line) {
  auto object = parse_object(line);
  Request request;
  if (object) {
    const json::value* name = object->if_contains("call");
    if (name != nullptr && name->is_string()) {
      const std::string_view wanted(name->get_string());
      const auto* found = std::ranges::find(kCalls, wanted, &CallRow::name);
      if (found != std::end(kCalls)) request.row = found;
    }
  }
  if (request.row == nullptr) {
    ++counters_.malformed;
    session.finish(fail(Code::kInvalid,
                        "a request is one line: {\"call\":\"<name>\",…}, and the "
                        "name one of the calls in docs/formats/control.md"));
    return;
  }
  object->erase("call");
  request.arguments = std::move(*object);
  request.arguments_text = json::serialize(request.arguments);
  if (!within_rate(session.caller().peer.uid)) {
    ++counters_.refused_rate;
    session.finish(fail(Code::kBusy, "too many calls; wait a moment"));
    return;
  }
  const bool allowed =
      config::allowed(settings_.roles, session.caller().peer, request.row->permission);
  ++counters_.calls;
  if (!allowed) ++counters_.denied;
  if (auto recorded = record(session, request, allowed); !recorded) {
    // What can't be recorded isn't done.
    session.finish(recorded);
    return;
  }
  if (!allowed) {
    const auto permission =
        config::kPermissionNames[static_cast<std::size_t>(request.row->permission)];
    session.finish(fail(Code::kDenied, std::string(request.row->name) + " needs the permission \"" +
                                           std::string(permission) +
                                           "\", which none of your roles has"));
    return;
  }
  answer(sessions_.at(&session), request);
}

std::string ControlServer::who(const Session& session) const {
  const Caller& caller = session.caller();
  std::string text;
  JsonWriter writer(text);
  writer.begin_object()
      .member("uid", caller.peer.uid)
      .member("user", caller.peer.user)
      .member("pid", caller.pid)
      .member("loginuid", caller.loginuid);
  writer.key("roles").begin_array();
  for (const std::string_view role : config::roles_of(settings_.roles, caller.peer)) {
    writer.string(role);
  }
  writer.end_array().end_object();
  return text;
}

Result<void> ControlServer::record(const Session& session, const Request& request, bool allowed) {
  std::string members;
  JsonWriter writer(members);
  writer.begin_object()
      .member("call", request.row->name)
      .member("allowed", allowed)
      .key("who")
      .raw(who(session));
  if (request.arguments_text.size() <= kRecordedArgumentsMax) {
    writer.key("arguments").raw(request.arguments_text);
  } else {
    writer.member("arguments_sha256", to_hex(sha256(request.arguments_text)));
  }
  writer.end_object();
  TRY(trail_.append(make_agent_entry("view", members.substr(1, members.size() - 2))));
  return {};
}

void ControlServer::answer(const SessionPtr& session, const Request& request) {
  switch (request.row->target) {
    case Target::kSensor: return forward(session, sensor_, sensor_calls_, request);
    case Target::kKeeper: return forward(session, keeper_, keeper_calls_, request);
    case Target::kKeeperForCaller: {
      Request told = request;
      json::error_code problem;
      // Whatever the client said of it is replaced.
      told.arguments["who"] = json::parse(who(*session), problem);
      told.arguments_text = json::serialize(told.arguments);
      return forward(session, keeper_, keeper_calls_, told);
    }
    case Target::kAll: return answer_status(session);
    case Target::kFollow: {
      if (auto started = start_following(*session, request); !started) session->finish(started);
      return update_live();
    }
    case Target::kControl: break;
  }
  if (request.row->name == "config.show") session->item(config::to_json(settings_));
  else session->item("{\"version\":\"" COFF_VERSION "\"}");
  session->finish({});
}

void ControlServer::forward(const SessionPtr& session, Peer& peer, PendingCalls& calls,
                            const Request& request) {
  const std::weak_ptr<Session> weak = session;
  calls.call(peer, request.row->name, request.arguments_text,
             {.on_lines =
                  [weak](std::string_view lines) {
                    const SessionPtr waiting = weak.lock();
                    while (waiting && !lines.empty()) {
                      const std::size_t end = lines.find('\n');
                      if (end == std::string_view::npos) return;
                      waiting->item(lines.substr(0, end));
                      lines.remove_prefix(end + 1);
                    }
                  },
              .on_done =
                  [weak](const Result<void>& outcome) {
                    if (const SessionPtr waiting = weak.lock()) waiting->finish(outcome);
                  }});
}

void ControlServer::answer_status(const SessionPtr& session) {
  session->item(processes_);
  std::string own;
  write_counters(own);
  session->item(own);
  // One after the other; a process that is away is an item that says so.
  const std::weak_ptr<Session> weak = session;
  const auto ask = [weak](Peer& peer, PendingCalls& calls, std::string part,
                          std::function<void(SessionPtr)> then) {
    calls.call(peer, "status", "{}",
               {.on_lines =
                    [weak](std::string_view lines) {
                      const SessionPtr waiting = weak.lock();
                      if (waiting && !lines.empty()) {
                        waiting->item(lines.substr(0, lines.size() - 1));
                      }
                    },
                .on_done =
                    [weak, part, then](const Result<void>& outcome) {
                      const SessionPtr waiting = weak.lock();
                      if (!waiting) return;
                      if (!outcome) {
                        std::string line;
                        JsonWriter(line)
                            .begin_object()
                            .member("part", part)
                            .member("error", outcome.error().message())
                            .end_object();
                        waiting->item(line);
                      }
                      then(waiting);
                    }});
  };
  ask(sensor_, sensor_calls_, "sensor", [this, ask](const SessionPtr&) {
    ask(keeper_, keeper_calls_, "trail", [](const SessionPtr& waiting) { waiting->finish({}); });
  });
}

Result<void> ControlServer::start_following(Session& session, const Request& request) {
  FollowFilter filter;
  const auto text = [&](std::string_view name, std::string& out) -> Result<void> {
    const json::value* value = request.arguments.if_contains(name);
    if (value == nullptr) return {};
    if (!value->is_string()) {
      return fail(Code::kInvalid, std::string(name) + " must be a string");
    }
    out = std::string(value->get_string());
    return {};
  };
  TRY(text("container", filter.container));
  TRY(text("text", filter.text));
  if (const json::value* kinds = request.arguments.if_contains("kind")) {
    if (kinds->is_string()) filter.kinds.emplace_back(kinds->get_string());
    else if (kinds->is_array() && kinds->get_array().size() <= kFilterKindsMax) {
      for (const json::value& kind : kinds->get_array()) {
        if (!kind.is_string()) return fail(Code::kInvalid, "kind must hold strings");
        filter.kinds.emplace_back(kind.get_string());
      }
    } else {
      return fail(Code::kInvalid, "kind must be a string or a short list of strings");
    }
  }
  session.follow(std::move(filter));
  return {};
}

}  // namespace coff::agent
