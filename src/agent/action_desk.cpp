// The supervisor's desk for actions of response: a process for each, and one that guards what is in
// force.
#include "agent/action_desk.hpp"

#include <signal.h>
#include <sys/epoll.h>

#include <algorithm>
#include <filesystem>

#include "agent/action_process.hpp"
#include "agent/messages.hpp"
#include "agent/payload.hpp"
#include "base/clock.hpp"
#include "base/json_writer.hpp"
#include "base/log.hpp"

namespace coff::agent {
namespace {

/// Overdue processes are looked for this often.
constexpr int kLookMs = 1000;
/// Files of the journal's folder that are looked at.
constexpr std::size_t kFilesMax = 4096;

constexpr std::uint16_t number(Message message) { return static_cast<std::uint16_t>(message); }

}  // namespace

ActionDesk::ActionDesk(Loop& loop, Record record, SetupPayload setup_payload)
    : loop_(loop),
      record_(std::move(record)),
      setup_payload_(std::move(setup_payload)),
      control_(
          loop,
          [this](Frame&& frame) -> Result<void> {
            if (auto handled = handle_control(std::move(frame)); !handled) {
              log_error("supervisor", handled.error().message());
              control_.detach();  // Until it is started anew.
            }
            return {};
          },
          [](const Error&) -> Result<void> { return {}; }) {}

Result<void> ActionDesk::start(std::string directory) {
  directory_ = std::move(directory);
  loop_.before_wait([this] { return look_around(); });
  return {};
}

bool ActionDesk::in_force() const {
  std::error_code problem;
  std::size_t count = 0;
  for (auto entry = std::filesystem::directory_iterator(directory_, problem);
       !problem && entry != std::filesystem::directory_iterator() && ++count < kFilesMax;
       entry.increment(problem)) {
    if (entry->path().extension() == ".json") return true;
  }
  return false;
}

ActionDesk::Running* ActionDesk::guard() {
  const auto found = std::ranges::find(running_, std::uint64_t{0}, &Running::call);
  return found == running_.end() ? nullptr : &*found;
}

Result<int> ActionDesk::look_around() {
  running_.remove_if([](const Running& one) { return one.over; });
  if (stopping_ || directory_.empty()) return -1;
  const std::int64_t now_ns = boot_now_ns();
  for (const Running& one : running_) {
    if (one.call == 0 || now_ns - one.started_boot_ns < kActionMsMax * 1'000'000) continue;
    log_error("supervisor", "an action takes too long and is killed: " + one.name);
    ::kill(one.process.pid, SIGKILL);
  }
  if (guard() == nullptr && now_ns >= guard_due_boot_ns_ && in_force()) {
    guard_due_boot_ns_ = now_ns + kGuardRestartMs * 1'000'000;
    TRY(launch(0, kGuardCall, "{}"));
  }
  return kLookMs;
}

Result<void> ActionDesk::handle_control(Frame&& frame) {
  if (frame.type == number(Message::kCancel)) return {};  // What is begun is brought to its end.
  if (frame.type != number(Message::kCall)) {
    return fail(Code::kInvalid, "control sent a message that the desk of actions doesn't know");
  }
  PayloadReader reader(frame.payload);
  const auto call = reader.number<std::uint64_t>();
  const std::string_view name = reader.text();
  const std::string_view arguments = reader.text();
  TRY(reader.done());
  if (call == 0 || name == kGuardCall) {
    return fail(Code::kInvalid, "control asked for what only the supervisor may start");
  }
  const auto busy = std::ranges::count_if(running_, [](const Running& one) { return !one.over; });
  if (stopping_ || busy >= std::ptrdiff_t{kActionsMax}) {
    answer_failure(call, Error{Code::kBusy, "too many actions at once; try again in a moment"});
    return {};
  }
  if (auto launched = launch(call, name, arguments); !launched) {
    answer_failure(call, launched.error());
  }
  return {};
}

Result<void> ActionDesk::launch(std::uint64_t call, std::string_view name,
                                std::string_view arguments) {
  auto [ours, theirs] = TRY(Channel::pair());
  const std::string words[] = {std::string(kChildArgument), std::string(role_name(Role::kAction))};
  const int given[] = {theirs.fd()};
  Running& running = running_.emplace_back();
  running.call = call;
  running.name = name;
  running.over = true;  // Until all of it stands.
  running.process = TRY(spawn_self(words, given));
  running.started_boot_ns = boot_now_ns();
  running.peer = std::make_unique<Peer>(
      loop_,
      [this, &running](Frame&& frame) -> Result<void> {
        if (auto handled = handle_action(running, std::move(frame)); !handled) {
          log_error("supervisor", handled.error().message());
          ::kill(running.process.pid, SIGKILL);
        }
        return {};
      },
      [this, &running](const Error&) -> Result<void> {
        running.silent = true;
        return finish(running);
      });
  TRY(running.peer->attach(std::move(ours)));
  TRY(loop_.watch(running.process.handle.get(), EPOLLIN,
                  [this, &running](std::uint32_t) { return handle_death(running); }));
  running.over = false;
  TRY(running.peer->send(number(Message::kSetup), setup_payload_()));
  std::string payload;
  PayloadWriter(payload).number(call).text(name).text(arguments);
  return running.peer->send(number(Message::kCall), payload);
}

Result<void> ActionDesk::handle_action(Running& running, Frame&& frame) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kReady:
    case Message::kFatal: return {};
    case Message::kRecord: {
      PayloadReader reader(frame.payload);
      const std::string_view members = reader.text();
      TRY(reader.done());
      record_("action", members);
      return {};
    }
    case Message::kAnswer:
    case Message::kDone: {
      running.answered |= frame.type == number(Message::kDone);
      PayloadReader reader(frame.payload);
      if (running.call == 0 || reader.number<std::uint64_t>() != running.call) break;
      // A control process that is dying loses the answer; what was done stands in the trail.
      [[maybe_unused]] const auto ignored = control_.send(frame.type, frame.payload);
      return {};
    }
    default: break;
  }
  return fail(Code::kInvalid, "an action process sent a message it may not send");
}

Result<void> ActionDesk::handle_death(Running& running) {
  running.ending = TRY(reap(running.process));
  if (!running.ending) return {};
  loop_.forget(running.process.handle.get());
  return finish(running);
}

/// Its last words may be read after its death is known: both must have come.
Result<void> ActionDesk::finish(Running& running) {
  if (!running.ending || !running.silent || running.over) return {};
  running.over = true;
  const Ending& ending = *running.ending;
  const bool well = ending.signal == 0 && ending.status == 0;
  if (!running.answered && running.call != 0) {
    answer_failure(running.call,
                   Error{Code::kInternal, "the action's process ended without an answer (" +
                                              ending.text() + "); see: cofferdam respond list"});
  }
  if (running.call == 0) {
    guard_due_boot_ns_ = boot_now_ns() + (well ? 0 : kGuardRestartMs * 1'000'000);
  }
  if (well) return {};
  std::string members;
  JsonWriter(members)
      .begin_object()
      .member("action", "process_died")
      .member("process", running.name)
      .member("pid", static_cast<std::int64_t>(running.process.pid))
      .member("ending", ending.text())
      .end_object();
  record_("agent", members.substr(1, members.size() - 2));
  log_error("supervisor", "the process of " + running.name + " died: " + ending.text());
  return {};
}

void ActionDesk::answer_failure(std::uint64_t call, const Error& error) {
  std::string payload;
  PayloadWriter(payload)
      .number(call)
      .number(static_cast<std::uint8_t>(static_cast<unsigned>(error.code) + 1))
      .text(error.message());
  [[maybe_unused]] const auto ignored = control_.send(number(Message::kDone), payload);
}

void ActionDesk::renew_guard() {
  Running* running = guard();
  if (running == nullptr || running->over) return;
  [[maybe_unused]] const auto ignored = running->peer->send(number(Message::kStop), "");
}

Result<void> ActionDesk::stop(int timeout_ms) {
  stopping_ = true;
  renew_guard();
  const std::int64_t deadline_ns = boot_now_ns() + timeout_ms * std::int64_t{1'000'000};
  const auto any_left = [this] {
    return std::ranges::any_of(running_, [](const Running& one) { return !one.over; });
  };
  while (any_left() && boot_now_ns() < deadline_ns) TRY(loop_.dispatch(50));
  for (const Running& one : running_) {
    if (!one.over) ::kill(one.process.pid, SIGKILL);
  }
  while (any_left()) TRY(loop_.dispatch(50));
  return {};
}

}  // namespace coff::agent
