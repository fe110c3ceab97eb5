// Follows one engine: version, event stream, list, inspections, and again after every loss.
#include "runtime/docker_engine.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "runtime/http_client.hpp"
#include "runtime/inspect_queue.hpp"
#include "runtime/recent_events.hpp"

namespace coff::runtime {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kMillisecondNs = 1'000'000;
// An engine that accepts the event stream but sends no headers until the first event is treated
// as connected after this time.
constexpr std::int64_t kOpenWaitNs = 2 * kSecondNs;
constexpr int kIdleWaitMs = 250;
// {"type":["container","network"]}
constexpr std::string_view kFilters = "%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D";

std::string api(std::string_view target) {
  return std::string("/") + kDockerApiVersion + std::string(target);
}

// Seconds with nanoseconds, as `since` takes it.
std::string since_text(std::int64_t wall_ns) {
  std::string fraction = std::to_string(wall_ns % kSecondNs);
  fraction.insert(0, 9 - fraction.size(), '0');
  return std::to_string(wall_ns / kSecondNs) + "." + fraction;
}

// Whether an event makes what inspect says different.
bool changes_metadata(const EngineEvent& event) {
  if (event.type == "network") return true;
  const std::string_view verb = event.verb();
  return verb == "create" || verb == "start" || verb == "rename" || verb == "update";
}

}  // namespace

class DockerEngine::Worker {
 public:
  Worker(DockerEngineOptions options, EngineListener& listener, const DockerEngine& engine)
      : options_(std::move(options)),
        listener_(listener),
        engine_(engine),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        last_event_wall_ns_(wall_now_ns()),
        retry_ms_(options_.retry_ms_min) {
    COFF_ASSERT(wake_.valid());
    status_.name = options_.name;
    status_.problem = "no connection yet";
    thread_ = std::jthread([this](const std::stop_token& stop) noexcept { run(stop); });
  }
  ~Worker() {
    thread_.request_stop();
    wake();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  EngineStatus status() const {
    const std::scoped_lock lock(mutex_);
    return status_;
  }

  void request(const std::string& id) {
    if (!is_engine_id(id)) return;
    {
      const std::scoped_lock lock(mutex_);
      if (requested_.size() >= kWaitingMax) {
        ++status_.requests_refused;
        return;
      }
      requested_.push_back(id);
    }
    wake();
  }

 private:
  void wake() const {
    const std::uint64_t one = 1;
    // Fails only when it is already readable beyond counting.
    [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);
  }
  void drain_wake() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t size = ::read(wake_.get(), &count, sizeof count);
  }

  void run(const std::stop_token& stop);
  void converse(const std::stop_token& stop);
  void wait_for_retry(const std::stop_token& stop);
  void lose(const Error& why);

  void ask_version();
  void ask_id();
  void open_stream();
  void on_open();
  void ask_list();
  void on_line(std::string_view line);
  void take_requests();
  void ask_next();
  void inspect(const std::string& id);
  void on_inspected(const std::string& id, Result<HttpAnswer> answer);
  void add_digest(Container container);
  void tell(Container container);
  void inspection_failed(const std::string& id, const Error& why);
  void probe();

  template <typename F>
  void update(F change) {
    const std::scoped_lock lock(mutex_);
    change(status_);
  }

  const DockerEngineOptions options_;
  EngineListener& listener_;
  const DockerEngine& engine_;
  const Fd wake_;

  // The thread's own.
  HttpClient* client_ = nullptr;
  InspectQueue queue_{kWaitingMax};
  RecentEvents recent_;
  std::unordered_map<std::string, std::string> digests_;
  std::string kind_;
  std::optional<Error> lost_;
  bool open_ = false;
  std::int64_t stream_asked_ns_ = 0;
  std::int64_t probed_ns_ = 0;
  std::int64_t last_event_wall_ns_;
  std::string last_problem_;
  int retry_ms_;

  mutable std::mutex mutex_;
  EngineStatus status_;
  std::vector<std::string> requested_;
  std::jthread thread_;  // last: it uses all of the above
};

void DockerEngine::Worker::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    converse(stop);
    if (std::exchange(open_, false)) listener_.on_state(engine_, false);
    queue_.restart();
    wait_for_retry(stop);
  }
}

void DockerEngine::Worker::converse(const std::stop_token& stop) {
  // A client for each connection: what it keeps open ends with it, so nobody talks on to a
  // process that the socket no longer leads to.
  HttpClient client(options_.connector);
  client_ = &client;
  lost_.reset();
  ask_version();
  while (!stop.stop_requested() && !lost_) {
    take_requests();
    if (open_) ask_next();
    client.run(kIdleWaitMs, wake_.get());
    drain_wake();
    const std::int64_t now_ns = boot_now_ns();
    if (client.streaming() && !open_ && now_ns - stream_asked_ns_ > kOpenWaitNs) on_open();
    if (open_ && now_ns - probed_ns_ > options_.probe_ms * kMillisecondNs) probe();
  }
  client_ = nullptr;
  if (!lost_) return;
  update([&](EngineStatus& status) {
    status.connected = false;
    status.problem = lost_->message();
  });
  if (last_problem_ == lost_->message()) return;
  last_problem_ = lost_->message();
  log_warning("runtime", options_.name + ": " + printable(last_problem_));
}

void DockerEngine::Worker::wait_for_retry(const std::stop_token& stop) {
  const std::int64_t until_ns = boot_now_ns() + retry_ms_ * kMillisecondNs;
  retry_ms_ = std::min(retry_ms_ * 2, options_.retry_ms_max);
  while (!stop.stop_requested()) {
    take_requests();
    const std::int64_t left_ms = (until_ns - boot_now_ns()) / kMillisecondNs;
    if (left_ms <= 0) return;
    pollfd wait{.fd = wake_.get(), .events = POLLIN, .revents = 0};
    ::poll(&wait, 1, static_cast<int>(left_ms));
    drain_wake();
  }
}

void DockerEngine::Worker::lose(const Error& why) {
  if (!lost_) lost_ = why;
}

void DockerEngine::Worker::ask_version() {
  const auto asked = client_->get("/version", kInspectBytesMax, [this](Result<HttpAnswer> answer) {
    if (!answer) return lose(answer.error());
    const auto version = parse_version(answer->body);
    if (!version) return lose(version.error());
    kind_ = version->engine;
    update([&](EngineStatus& status) {
      status.engine = version->engine;
      status.version = version->version;
    });
    ask_id();
    open_stream();
  });
  if (!asked) lose(asked.error());
}

void DockerEngine::Worker::ask_id() {
  // Only tells two sockets of one engine apart, so a failure changes nothing else.
  const auto asked =
      client_->get(api("/info"), kInspectBytesMax, [this](Result<HttpAnswer> answer) {
        if (!answer || answer->status != 200) return;
        const auto id = parse_engine_id(answer->body);
        if (id) update([&](EngineStatus& status) { status.id = *id; });
      });
  if (!asked) lose(asked.error());
}

void DockerEngine::Worker::open_stream() {
  stream_asked_ns_ = boot_now_ns();
  const auto asked = client_->stream({
      .target = api("/events?since=") + since_text(last_event_wall_ns_) +
                "&filters=" + std::string(kFilters),
      .line_bytes_max = kEventBytesMax,
      .opened = [this] { on_open(); },
      .line = [this](std::string_view line) { on_line(line); },
      .line_left_out = [this] { update([](EngineStatus& status) { ++status.events_unread; }); },
      .closed = [this](const Error& why) { lose(why); },
  });
  if (!asked) lose(asked.error());
}

void DockerEngine::Worker::on_open() {
  if (std::exchange(open_, true)) return;
  retry_ms_ = options_.retry_ms_min;
  last_problem_.clear();
  probed_ns_ = boot_now_ns();
  update([](EngineStatus& status) {
    status.connected = true;
    status.problem.clear();
    ++status.connections;
  });
  const EngineStatus now = status();
  log_info("runtime",
           printable(options_.name + ": connected to " + now.engine + " " + now.version));
  listener_.on_state(engine_, true);
  ask_list();
}

void DockerEngine::Worker::ask_list() {
  const auto asked_boot_ns = static_cast<std::uint64_t>(boot_now_ns());
  const auto asked =
      client_->get(api("/containers/json?all=1"), kListBytesMax,
                   [this, asked_boot_ns](Result<HttpAnswer> answer) {
                     if (!answer) return lose(answer.error());
                     const auto listed = parse_list(answer->body);
                     if (!listed) return lose(listed.error());
                     for (const std::string& id : listed->ids)
                       if (!queue_.add(id, Urgency::kRefresh))
                         update([](EngineStatus& status) { ++status.requests_refused; });
                     if (listed->cut)
                       log_warning("runtime", options_.name + ": more containers than are read");
                     else listener_.on_list(engine_, listed->ids, asked_boot_ns);
                   });
  if (!asked) lose(asked.error());
}

void DockerEngine::Worker::on_line(std::string_view line) {
  const auto event = parse_event(line);
  if (!event) return update([](EngineStatus& status) { ++status.events_unread; });
  if (event->id.empty() || !recent_.insert(*event)) return;
  last_event_wall_ns_ = std::max(last_event_wall_ns_, event->wall_ns);
  if (event->type != "container" && event->type != "network") return;
  update([](EngineStatus& status) { ++status.events; });
  if (event->type == "container") listener_.on_event(engine_, *event);
  if (!changes_metadata(*event)) return;
  const Urgency urgency = event->type == "container" ? Urgency::kNow : Urgency::kRefresh;
  if (!queue_.add(event->id, urgency))
    update([](EngineStatus& status) { ++status.requests_refused; });
}

void DockerEngine::Worker::take_requests() {
  std::vector<std::string> requested;
  {
    const std::scoped_lock lock(mutex_);
    requested.swap(requested_);
  }
  for (const std::string& id : requested)
    if (!queue_.add(id, Urgency::kNow))
      update([](EngineStatus& status) { ++status.requests_refused; });
}

void DockerEngine::Worker::ask_next() {
  while (client_->requests() < kRequestsMax) {
    const auto id = queue_.next(boot_now_ns());
    if (!id) return;
    inspect(*id);
  }
}

void DockerEngine::Worker::inspect(const std::string& id) {
  const auto asked =
      client_->get(api("/containers/") + id + "/json", kInspectBytesMax,
                   [this, id](Result<HttpAnswer> answer) { on_inspected(id, std::move(answer)); });
  if (!asked) lose(asked.error());
}

void DockerEngine::Worker::on_inspected(const std::string& id, Result<HttpAnswer> answer) {
  if (!answer) return inspection_failed(id, answer.error());
  if (answer->status == 404) {
    queue_.done(id);
    update([](EngineStatus& status) { ++status.inspections_failed; });
    return listener_.on_unknown(engine_, id,
                                {.code = Code::kNotFound, .what = "the engine does not know it"});
  }
  if (answer->status != 200) {
    return inspection_failed(
        id, {.code = Code::kIo,
             .what = "the engine answered with status " + std::to_string(answer->status)});
  }
  auto container = parse_inspect(answer->body);
  if (!container) return inspection_failed(id, container.error());
  // Engines take prefixes and names for ids; an answer about something else must not be mixed up.
  if (container->id != id)
    return inspection_failed(
        id, {.code = Code::kInvalid, .what = "the engine answered about another container"});
  queue_.done(id);
  container->engine = kind_;
  add_digest(std::move(*container));
}

void DockerEngine::Worker::add_digest(Container container) {
  std::string_view image = container.image_id;
  if (image.starts_with("sha256:")) image.remove_prefix(7);
  const auto known = digests_.find(container.image_id);
  if (known != digests_.end()) container.image_digest = known->second;
  if (known != digests_.end() || !is_engine_id(image)) return tell(std::move(container));
  const std::string target = api("/images/") + std::string(image) + "/json";
  const auto asked = client_->get(
      target, kInspectBytesMax,
      [this, container = std::move(container)](Result<HttpAnswer> answer) mutable {
        const auto digest = answer && answer->status == 200
                                ? parse_image_digest(answer->body)
                                : Result<std::string>(fail(Code::kNotFound, "no image"));
        if (digest) {
          if (digests_.size() >= kDigestsMax) digests_.clear();
          digests_[container.image_id] = *digest;
          container.image_digest = *digest;
        }
        tell(std::move(container));
      });
  if (!asked) lose(asked.error());
}

void DockerEngine::Worker::tell(Container container) {
  update([](EngineStatus& status) { ++status.inspections; });
  listener_.on_container(engine_, std::move(container));
}

void DockerEngine::Worker::inspection_failed(const std::string& id, const Error& why) {
  if (queue_.failed(id, boot_now_ns())) return;
  update([](EngineStatus& status) { ++status.inspections_failed; });
  listener_.on_unknown(engine_, id, why);
}

void DockerEngine::Worker::probe() {
  probed_ns_ = boot_now_ns();
  const pid_t followed = client_->stream_peer();
  const auto fresh = options_.connector();
  // Without the socket the engine that we follow may still be the right one.
  if (!fresh || followed == 0) return;
  const pid_t found = peer_of(*fresh);
  if (found != 0 && found != followed)
    lose({.code = Code::kIo, .what = "the socket leads to another process now"});
}

DockerEngine::DockerEngine(DockerEngineOptions options, EngineListener& listener)
    : worker_(std::make_unique<Worker>(std::move(options), listener, *this)) {}
DockerEngine::~DockerEngine() = default;

std::string DockerEngine::kind() const { return worker_->status().engine; }
EngineStatus DockerEngine::status() const { return worker_->status(); }
void DockerEngine::request(const std::string& id) { worker_->request(id); }

}  // namespace coff::runtime
