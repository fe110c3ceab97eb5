// The sensor process: what its main loop gets from the agent, and the frame around it.
#include "agent/sensor_process.hpp"

#include <linux/capability.h>

#include "agent/child.hpp"
#include "agent/own_files.hpp"
#include "agent/payload.hpp"
#include "agent/process.hpp"
#include "agent/watch_record.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"

namespace coff::agent {
namespace {

constexpr std::int64_t kHeartbeatMs = 10'000;
/// The trail gets this long to take the last entries when the agent stops.
constexpr int kDrainMs = 5000;
/// Descriptors for maps, programs, links and rings.
constexpr std::uint64_t kDescriptors = 4096;

/// Reading events and /proc, for good. No CAP_KILL, no CAP_DAC_OVERRIDE, no CAP_SETUID.
const std::vector<unsigned> kKept = {CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
/// Given up in loading_is_done(): older kernels ask CAP_SYS_ADMIN for program ids and iterators,
/// CAP_SYS_RESOURCE is for the memory limit of maps, CAP_NET_ADMIN for programs on sockets.
const std::vector<unsigned> kForLoading = {CAP_SYS_ADMIN, CAP_SYS_RESOURCE, CAP_NET_ADMIN};

}  // namespace

SensorContext::SensorContext(Loop& loop, config::Config settings, std::string config_file)
    : loop_(loop),
      settings_(std::move(settings)),
      config_file_(std::move(config_file)),
      keeper_(
          loop, [this](Frame&& frame) { return handle_keeper(std::move(frame)); },
          [this](const Error&) -> Result<void> {
            trail_.disconnect();
            return {};
          }),
      control_(
          loop, [this](Frame&& frame) { return handle_control(std::move(frame)); },
          [this](const Error&) -> Result<void> {
            live_.set_wanted(false);
            return {};
          }),
      engine_(
          loop,
          [this](Frame&& frame) -> Result<void> {
            // It parses answers of engines and may have been taken over: count, don't obey.
            if (!engines_.handle(frame)) ++malformed_frames_;
            return {};
          },
          [this](const Error&) -> Result<void> {
            engines_.disconnected();
            return {};
          }),
      live_(control_),
      engines_(loop, engine_) {
  calls_.add("status", [this](std::string_view, Answer& answer) {
    std::string line;
    JsonWriter json(line);
    json.begin_object().member("part", "sensor");
    write_counters(json);
    json.end_object();
    return answer.line(line);
  });
  loop_.before_wait([this]() -> Result<int> {
    TRY(live_.flush());
    return trail_.flush_due();
  });
}

config::ProfileSettings SensorContext::profile() const {
  config::ProfileSettings profile = settings_.profile;
  profile.clauses.push_back(own_files_clause(settings_, config_file_));
  return profile;
}

Result<void> SensorContext::attach(Link link, Channel channel) {
  switch (link) {
    case Link::kToKeeper: TRY(keeper_.attach(std::move(channel))); return trail_.connect(keeper_);
    case Link::kToControl: return control_.attach(std::move(channel));
    case Link::kToEngine: return engine_.attach(std::move(channel));
    case Link::kToSensor:
    case Link::kToWitness:
    case Link::kToActions: break;
  }
  return fail(Code::kInvalid, "the sensor got a channel that it has no use for");
}

void SensorContext::replace_settings(config::Config settings) {
  settings_ = std::move(settings);
  if (config_handler_) config_handler_(settings_);
}

Result<void> SensorContext::handle_keeper(Frame&& frame) {
  if (frame.type == static_cast<std::uint16_t>(Message::kAck)) {
    return trail_.handle_ack(frame.payload);
  }
  ++malformed_frames_;
  return {};
}

Result<void> SensorContext::handle_control(Frame&& frame) {
  // The control process reads from every local user: what it sends wrongly is counted, not obeyed.
  switch (static_cast<Message>(frame.type)) {
    case Message::kCall:
      if (!calls_.handle(frame.payload, control_)) ++malformed_frames_;
      return {};
    case Message::kLiveWanted:
      live_.set_wanted(frame.payload == std::string_view("\1", 1));
      return {};
    default: ++malformed_frames_; return {};
  }
}

void SensorContext::write_counters(JsonWriter& json) {
  const TrailWriterCounters& trail = trail_.counters();
  json.key("entries")
      .begin_object()
      .member("accepted", trail.accepted)
      .member("durable", trail.durable)
      .member("waiting_bytes", static_cast<std::uint64_t>(trail.waiting_bytes))
      .member("lost_full", trail.refused_full)
      .member("lost_size", trail.refused_size)
      .member("resent", trail.resent)
      .member("redacted_values_dropped", trail.values_dropped)
      .end_object();
  json.key("live")
      .begin_object()
      .member("published", live_.published())
      .member("dropped", live_.dropped())
      .end_object();
  json.member("malformed_messages", malformed_frames_);
  json.key("engines").begin_array();
  for (const runtime::EngineStatus& engine : engines_.statuses()) {
    json.begin_object()
        .member("socket", engine.name)
        .member("engine", engine.engine)
        .member("version", engine.version)
        .member("connected", engine.connected)
        .member("problem", engine.problem)
        .end_object();
  }
  json.end_array().member("engine_requests_dropped", engines_.requests_dropped());
  if (counter_writer_) counter_writer_(json);
}

Result<void> SensorContext::heartbeat() {
  std::string members;
  JsonWriter json(members);
  json.begin_object()
      .member("watching", watching_)
      .member("version", std::string_view(COFF_VERSION));
  write_counters(json);
  json.end_object();
  const std::string entry = make_agent_entry("heartbeat", "\"sensor\":" + members);
  // A refusal is counted by the writer and stands in the next heartbeat.
  [[maybe_unused]] const auto ignored = trail_.append(entry);
  return live_.publish({.kind = "heartbeat", .json = entry});
}

Result<void> SensorContext::start() {
  TRY(engines_.start());
  TRY(heartbeat());
  return loop_.every(kHeartbeatMs, [this] { return heartbeat(); });
}

Result<void> SensorContext::loading_is_done() { return drop_capabilities(kForLoading); }

void SensorContext::watching_begins() {
  watching_ = true;
  // A refusal is counted by the writer and stands in the next heartbeat.
  [[maybe_unused]] const auto ignored =
      trail_.append(make_agent_entry("watch", watch_members(true)));
  if (on_watching_) on_watching_();
}

void SensorContext::watching_ended(const trail::EntryTime& time) {
  watching_ = false;
  [[maybe_unused]] const auto ignored =
      trail_.append(trail::make_entry(time, "watch", watch_members(false)));
}

Result<void> SensorContext::drain() {
  const std::int64_t deadline_ns = boot_now_ns() + kDrainMs * std::int64_t{1'000'000};
  loop_.resume();
  TRY(heartbeat());
  TRY(trail_.flush());
  while (!trail_.all_durable()) {
    if (boot_now_ns() >= deadline_ns) {
      return fail(Code::kTimeout, std::to_string(trail_.counters().waiting_bytes) +
                                      " bytes of entries couldn't be handed to the trail");
    }
    TRY(loop_.dispatch(50));
  }
  return {};
}

namespace {

Result<void> handle_supervisor(Frame&& frame, SensorContext& context) {
  switch (static_cast<Message>(frame.type)) {
    case Message::kLink: {
      if (frame.payload.size() != 1 || frame.descriptors.size() != 1) break;
      const auto link = static_cast<Link>(frame.payload[0]);
      return context.attach(link, TRY(Channel::from(std::move(frame.descriptors[0]))));
    }
    case Message::kConfig: context.replace_settings(TRY(read_settings(frame.payload))); return {};
    case Message::kStop: context.loop().stop(); return {};
    default: break;
  }
  return fail(Code::kInvalid, "the supervisor sent a message that the sensor doesn't know");
}

Result<void> run(Channel& channel) {
  Setup setup = TRY(receive_setup(channel));
  std::vector<unsigned> kept = kKept;
  kept.insert(kept.end(), kForLoading.begin(), kForLoading.end());
  // No Landlock here: it would forbid reading /proc/<pid>/exe of processes outside its domain.
  TRY(lock_in(Sandbox()
                  .user(setup.uid, setup.gid)
                  .capabilities(kept)
                  .descriptors({channel.fd()})
                  .limits({.descriptors = kDescriptors})
                  .syscalls(Syscalls::kSensor),
              channel));
  Loop loop = TRY(Loop::open());
  SensorContext context(loop, std::move(setup.settings), std::move(setup.config_file));
  Peer supervisor(
      loop, [&](Frame&& frame) { return handle_supervisor(std::move(frame), context); },
      [&](const Error&) -> Result<void> {
        loop.stop();
        return {};
      });
  TRY(supervisor.attach(std::move(channel)));
  context.on_watching([&supervisor] {
    // A supervisor that is gone ends the loop.
    [[maybe_unused]] const auto ignored =
        supervisor.send(static_cast<std::uint16_t>(Message::kWatching), "");
  });
  TRY(context.start());
  return run_sensor(context);
}

}  // namespace

int sensor_main(Channel supervisor) {
  const Result<void> outcome = run(supervisor);
  return end_child(Role::kSensor, outcome, supervisor);
}

}  // namespace coff::agent
