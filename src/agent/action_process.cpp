// The process of one action of response: what it is asked, and how it says what it did.
#include "agent/action_process.hpp"

#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>

#include "agent/action_approval.hpp"
#include "agent/call_arguments.hpp"
#include "agent/child.hpp"
#include "agent/payload.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "base/log.hpp"
#include "response/netlink.hpp"
#include "response/responder.hpp"

namespace coff::agent {
namespace {

namespace json = boost::json;

/// Every capability that some action needs; each action keeps its own part of them.
constexpr unsigned kCapabilities[] = {CAP_NET_ADMIN,    CAP_SYS_ADMIN,  CAP_BPF,
                                      CAP_PERFMON,      CAP_SYS_PTRACE, CAP_DAC_OVERRIDE,
                                      CAP_SYS_RESOURCE, CAP_KILL};
constexpr std::uint64_t kDescriptors = 4096;
constexpr std::uint64_t kMemoryBytes = 512U << 20U;
constexpr int kCallTimeoutMs = 10'000;
/// Members of one entry; longer ones are told to the caller alone, and their hash recorded.
constexpr std::size_t kEntryMembersMax = 50'000;
/// The guard looks this often whether a time is over, and this often whether all still holds.
constexpr int kTickMs = 1000;
constexpr std::int64_t kRoundMs = 10'000;
/// After a change of interfaces the guard looks without pause for so long: the engine makes an
/// interface, and moves it into the container some milliseconds later.
constexpr std::int64_t kAlertMs = 1500;
constexpr int kAlertTickMs = 2;

class ActionCall {
 public:
  ActionCall(Channel& supervisor, std::uint64_t call) : supervisor_(supervisor), call_(call) {}

  Result<void> line(std::string_view object) {
    std::string payload;
    PayloadWriter(payload).number(call_).text(std::string(object) + "\n");
    return supervisor_.send(static_cast<std::uint16_t>(Message::kAnswer), payload);
  }

  Result<void> finish(const Result<void>& outcome) {
    std::string payload;
    const auto code = outcome ? 0 : static_cast<unsigned>(outcome.error().code) + 1;
    PayloadWriter(payload)
        .number(call_)
        .number(static_cast<std::uint8_t>(code))
        .text(outcome ? "" : outcome.error().message());
    return supervisor_.send(static_cast<std::uint16_t>(Message::kDone), payload);
  }

  /// A stage: into the trail, and to whoever asked.
  Result<void> tell(std::string_view stage, std::string_view members) {
    std::string told = "\"stage\":\"" + std::string(stage) + "\"," + std::string(members);
    if (call_ != 0) TRY(line("{" + told + "}"));
    if (told.size() > kEntryMembersMax) {
      told = "\"stage\":\"" + std::string(stage) + "\",\"members_sha256\":\"" +
             to_hex(sha256(members)) + "\"";
    }
    std::string payload;
    PayloadWriter(payload).text(told);
    return supervisor_.send(static_cast<std::uint16_t>(Message::kRecord), payload);
  }

 private:
  Channel& supervisor_;
  std::uint64_t call_;
};

Result<void> keep_only(std::span<const unsigned> kept) {
  std::vector<unsigned> dropped;
  for (const unsigned capability : kCapabilities) {
    if (std::ranges::find(kept, capability) == kept.end()) dropped.push_back(capability);
  }
  return drop_capabilities(dropped);
}

response::Responder::Settings settings_of(const config::Config& config) {
  return {.engine_sockets = config.engine_sockets(),
          .directory = config.response_dir(),
          .rails = {.protect = config.response.protect,
                    .containers_max = config.response.containers_max,
                    .window_s = config.response.window_s,
                    .healthy_min = config.response.healthy_min},
          // Who enrols keys wants to be asked.
          .approvals_wanted = ::access(config.response.approvers.c_str(), F_OK) == 0};
}

Result<response::Request> read_request(const json::object& arguments,
                                       const std::string& approvers) {
  response::Request request{.action = TRY(text_argument(arguments, "action")),
                            .container = TRY(text_argument(arguments, "container")),
                            .reason = TRY(text_argument(arguments, "reason")),
                            .break_glass = TRY(text_argument(arguments, "break_glass")),
                            .allowed = TRY(names_of(arguments, "allow"))};
  request.ttl_s = static_cast<std::int64_t>(
      std::min<std::uint64_t>(TRY(number_of(arguments, "ttl_s", 0)), 1ULL << 40U));
  request.pid = static_cast<std::int64_t>(
      std::min<std::uint64_t>(TRY(number_of(arguments, "pid", 0)), 1ULL << 40U));
  if (const json::value* who = arguments.if_contains("who"); who && who->is_object()) {
    request.who = json::serialize(*who);
  }
  if (const json::value* approval = arguments.if_contains("approval")) {
    request.approve = [approval = *approval, approvers](const response::Plan& plan) {
      return check_approval(approval, plan, approvers);
    };
  }
  return request;
}

Result<void> answer(response::Responder& responder, ActionCall& call, std::string_view name,
                    std::string_view text, const std::string& approvers) {
  const json::object arguments = TRY(arguments_of(text));
  response::Request request = TRY(read_request(arguments, approvers));
  if (name == "respond.list") {
    for (const response::Record& record : TRY(responder.list())) {
      TRY(call.line(response::to_json(record)));
    }
    return {};
  }
  if (request.container.empty()) return fail(Code::kInvalid, "container: which one?");
  if (name == "respond.release") {
    return responder.release(request.container, request.action, request.who, request.reason);
  }
  if (name == "respond.allow") return responder.allow(request);
  if (name == "respond.plan") request.dry_run = true;
  else if (name != "respond.run") return fail(Code::kUnsupported, "no action process does this");
  return responder.run(request);
}

/// True when the supervisor wants the end, or is gone.
Result<bool> ended(Channel& supervisor) {
  for (;;) {
    auto frame = supervisor.receive();
    if (!frame && frame.error().code == Code::kNotFound) return true;
    if (!frame) return std::unexpected(frame.error());
    if (!*frame) return false;
    if ((*frame)->type == static_cast<std::uint16_t>(Message::kStop)) return true;
  }
}

/// Reads everything that waits; true when there was something.
bool drain(int descriptor) {
  char buffer[8192];
  bool any = false;
  while (::recv(descriptor, buffer, sizeof buffer, MSG_DONTWAIT) > 0) any = true;
  // A full queue lost notices, which is one too.
  return any || errno == ENOBUFS;
}

Result<void> guard(response::Responder& responder, Channel& supervisor) {
  auto links = TRY(response::Netlink::open(NETLINK_ROUTE, RTMGRP_LINK));
  std::int64_t alert_until_ns = 0;
  std::int64_t round_due_ns = 0;
  for (;;) {
    if (TRY(ended(supervisor))) return {};
    const auto records = TRY(responder.list());
    if (records.empty()) return {};
    const std::int64_t now_ns = boot_now_ns();
    const bool due = std::ranges::any_of(records, [](const response::Record& record) {
      return record.until_wall_ns != 0 && record.until_wall_ns <= wall_now_ns();
    });
    if (due || now_ns < alert_until_ns || now_ns >= round_due_ns) {
      round_due_ns = now_ns + kRoundMs * 1'000'000;
      // What fails now is tried again, and stands in the trail already.
      if (auto tended = responder.tend(); !tended) {
        log_error("guard", tended.error().message());
        round_due_ns = now_ns + kTickMs * std::int64_t{1'000'000};
      }
    }
    pollfd waits[] = {{supervisor.fd(), POLLIN, 0}, {links.fd(), POLLIN, 0}};
    ::poll(waits, 2, boot_now_ns() < alert_until_ns ? kAlertTickMs : kTickMs);
    if ((waits[1].revents & POLLIN) != 0 && drain(links.fd())) {
      alert_until_ns = boot_now_ns() + kAlertMs * 1'000'000;
    }
  }
}

Result<void> run(Channel& supervisor) {
  Setup setup = TRY(receive_setup(supervisor));
  TRY(lock_in(Sandbox()
                  .capabilities({std::begin(kCapabilities), std::end(kCapabilities)})
                  .descriptors({supervisor.fd()})
                  .limits({.memory_bytes = kMemoryBytes, .descriptors = kDescriptors})
                  .syscalls(Syscalls::kSensor),
              supervisor));
  const Frame frame = TRY(supervisor.receive_wait(kCallTimeoutMs));
  if (frame.type != static_cast<std::uint16_t>(Message::kCall)) {
    return fail(Code::kInvalid, "an action process was not told what to do");
  }
  PayloadReader reader(frame.payload);
  const auto number = reader.number<std::uint64_t>();
  const std::string name(reader.text());
  const std::string arguments(reader.text());
  TRY(reader.done());
  ActionCall call(supervisor, number);
  auto responder = TRY(response::Responder::open(
      settings_of(setup.settings), [&call](std::string_view stage, std::string_view members) {
        return call.tell(stage, members);
      }));
  if (name == kGuardCall) return guard(responder, supervisor);
  responder.confine_with(keep_only);
  TRY(call.finish(answer(responder, call, name, arguments, setup.settings.response.approvers)));
  return supervisor.flush_wait(kCallTimeoutMs);
}

}  // namespace

int action_main(Channel supervisor) {
  const Result<void> outcome = run(supervisor);
  return end_child(Role::kAction, outcome, supervisor);
}

}  // namespace coff::agent
