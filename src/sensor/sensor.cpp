// The sensor: kernel records in, events with their process and container out.
#include "sensor/sensor.hpp"

#include <algorithm>
#include <cstring>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "schema/make_event.hpp"
#include "sensor/proc_reader.hpp"

namespace coff::sensor {

namespace {
// Reading /proc for an unknown process costs some 50 us: a storm of them must not stop the reader.
constexpr std::uint32_t kHealsPerSecondMax = 200;
// Records of connections that are worth their cost; a storm is counted, and sampled.
constexpr std::uint64_t kFlowsPerSecondMax = 4000;
constexpr std::uint32_t kFlowSampleMaskMax = 0xFFFF;
}  // namespace

Sensor::Sensor(KernelPrograms programs, Rings rings, SensorOptions options)
    : programs_(std::move(programs)),
      rings_(std::move(rings)),
      options_(std::move(options)),
      cgroups_(programs_, options_.resolver),
      tree_(boot_id(), options_.environment),
      boot_to_wall_ns_(wall_now_ns() - boot_now_ns()),
      taken_(COFF_SLOTS * COFF_KINDS) {}

Result<std::unique_ptr<Sensor>> Sensor::open(SensorOptions options) {
  KernelPrograms programs = TRY(KernelPrograms::load(options.load));
  Rings rings = TRY(Rings::open({programs.ring_fd(COFF_LANE_PRIO), programs.ring_fd(COFF_LANE_FILE),
                                 programs.ring_fd(COFF_LANE_NET)}));
  std::unique_ptr<Sensor> sensor(
      new Sensor(std::move(programs), std::move(rings), std::move(options)));
  sensor->learn_cgroups();
  TRY(sensor->use_filter(sensor->options_.filter));
  sensor->watch_api_sockets(sensor->options_.api_sockets);
  TRY(sensor->programs_.attach());
  // Whatever starts or ends from here on is in the rings too; what began while we attached is not.
  sensor->learn_cgroups();
  if (auto read = sensor->read_processes(nullptr); !read) {
    log_warning("sensor", "processes older than the agent: " + read.error().message());
  }
  return sensor;
}

Result<std::vector<std::string>> Sensor::use_filter(const KernelFilter& filter) {
  const CompiledFilter compiled = compile_filter(filter);
  TRY(programs_.use_filter(*compiled.tables));
  options_.filter = filter;
  return compiled.notes;
}

void Sensor::watch_api_sockets(const std::vector<std::string>& names) {
  if (auto watched = programs_.watch_api_sockets(names); !watched) {
    log_warning("sensor", "sockets of engines: " + watched.error().message());
  }
}

void Sensor::learn_cgroup(std::uint64_t id, std::string_view path) {
  if (cgroups_.add(id, path) && options_.on_new_container) options_.on_new_container(path);
}

void Sensor::learn_cgroups() {
  if (!options_.list_cgroups) return;
  for (const auto& group : options_.list_cgroups()) learn_cgroup(group.id, group.path);
}

void Sensor::take_cgroup(const schema::Record& record) {
  const coff_cgroup& group = record.cgroup();
  if (group.hierarchy != options_.hierarchy) return;
  if (record.kind() == COFF_KIND_cgroup_mkdir) {
    learn_cgroup(group.id, record.text(group.path));
  } else {
    cgroups_.remove(group.id, group.hdr.time);
    if (options_.on_removed_cgroup) options_.on_removed_cgroup(record.text(group.path));
  }
}

ContainerPtr Sensor::container_of(std::uint64_t cgroup) const {
  const auto* group = cgroups_.find(cgroup);
  if (group == nullptr || group->container_id.empty()) return nullptr;
  ContainerPtr known =
      options_.find_container ? options_.find_container(group->container_id) : nullptr;
  if (known != nullptr) return known;
  // Forgotten by whoever keeps metadata, or nobody does: the id is certain all the same.
  return std::make_shared<const Container>(Container{.id = group->container_id});
}

// The fork or exec record of this process was lost, or it began while the agent started.
ProcessPtr Sensor::heal_one(const schema::Record& record) {
  const coff_hdr& header = record.header();
  if (++heals_this_second_ > kHealsPerSecondMax) return nullptr;
  Process process{.pid = header.pid,
                  .vpid = header.vpid,
                  .ppid = header.ppid,
                  .start_boot_ns = header.start,
                  .name = std::string(record.comm()),
                  .credentials = schema::credentials_of(header),
                  .cgroup = header.cgroup};
  if (!read_texts(process)) return nullptr;
  ++healed_;
  return tree_.add(std::move(process));
}

void Sensor::take_record(std::span<const std::byte> bytes, const Sink& sink) {
  const auto parsed = schema::Record::parse(bytes);
  if (!parsed) {
    if (malformed_++ == 0) log_error("sensor", parsed.error().message());
    return;
  }
  const schema::Record& record = *parsed;
  const coff_hdr& header = record.header();
  ++delivered_[header.kind];
  if (record.shape() == schema::Shape::cgroup) take_cgroup(record);
  if (cgroups_.find(header.cgroup) == nullptr && !std::exchange(listed_this_second_, true)) {
    learn_cgroups();
  }
  TreeAnswer answer = tree_.apply(record);
  if (answer.process == nullptr) answer.process = heal_one(record);
  // Memory may run out in one container and cost a process of another: the victim's is told.
  const bool told_of_victim = record.kind() == COFF_KIND_oom_kill && answer.other != nullptr;
  const ContainerPtr container =
      container_of(told_of_victim ? answer.other->cgroup : header.cgroup);
  if (record.shape() == schema::Shape::api) {
    if (options_.on_api) {
      options_.on_api({.record = record,
                       .wall_ns = static_cast<std::int64_t>(header.time) + boot_to_wall_ns_,
                       .engine = answer.process,
                       .container = container});
    }
    return;
  }
  if (answer.login_changed && record.kind() != COFF_KIND_exec) {
    Event login{.kind = Kind::loginuid,
                .wall_ns = static_cast<std::int64_t>(header.time) + boot_to_wall_ns_,
                .boot_ns = header.time,
                .tid = header.tid,
                .cgroup = header.cgroup,
                .thread_name = std::string(record.comm()),
                .credentials = schema::credentials_of(header),
                .process = answer.process,
                .container = container,
                .detail = CallInfo{.before = answer.before, .before_known = answer.has_before}};
    sink(std::move(login));
  }
  sink(schema::make_event(record, boot_to_wall_ns_,
                          {.process = answer.process,
                           .other = answer.other,
                           .container = container,
                           .before = answer.has_before ? &answer.before : nullptr}));
}

Result<size_t> Sensor::poll(const Sink& sink, size_t bytes_max) {
  const auto batch = TRY(rings_.read(bytes_max));
  for (const RawRecord& record : batch) take_record(record.bytes, sink);
  return batch.size();
}

// Halves the sample while there is too much, and doubles it again when there is room.
void Sensor::adapt_flow_sample() {
  const std::uint64_t flows =
      delivered_[COFF_KIND_flow] - std::exchange(flows_before_, delivered_[COFF_KIND_flow]);
  std::uint32_t mask = flow_sample_mask_;
  if (flows > kFlowsPerSecondMax && mask < kFlowSampleMaskMax) mask = mask * 2 + 1;
  if (flows < kFlowsPerSecondMax / 4) mask /= 2;
  if (mask == flow_sample_mask_) return;
  flow_sample_mask_ = mask;
  programs_.use_flow_sample(mask);
}

void Sensor::tick() {
  adapt_flow_sample();
  const std::int64_t boot_ns = boot_now_ns();
  boot_to_wall_ns_ = wall_now_ns() - boot_ns;
  heals_this_second_ = 0;
  listed_this_second_ = false;
  tree_.forget_ended(static_cast<std::uint64_t>(boot_ns));
  cgroups_.forget_removed(static_cast<std::uint64_t>(boot_ns));
}

Result<void> Sensor::read_processes(std::vector<std::uint32_t>* seen) {
  const std::string tasks = TRY(programs_.read_tasks());
  std::vector<Process> processes;
  for (size_t at = 0; at + sizeof(coff_exec) <= tasks.size(); at += sizeof(coff_exec)) {
    alignas(8) std::array<std::byte, sizeof(coff_exec)> bytes;
    std::memcpy(bytes.data(), tasks.data() + at, bytes.size());
    const schema::Record record = TRY(schema::Record::parse(bytes));
    Process process = schema::make_process(record);
    Program program = *process.program;
    program.exec_boot_ns = 0;  // when it was executed is not known, only that it runs
    process.program = std::make_shared<const Program>(std::move(program));
    process.since_boot_ns = 0;
    processes.push_back(std::move(process));
  }
  // Parents first, so that each finds its own in the tree.
  std::sort(processes.begin(), processes.end(),
            [](const Process& a, const Process& b) { return a.start_boot_ns < b.start_boot_ns; });
  for (auto& process : processes) {
    if (seen != nullptr) seen->push_back(process.pid);
    const ProcessPtr known = tree_.find(process.pid);
    if (known != nullptr && known->start_boot_ns == process.start_boot_ns) continue;
    read_texts(process);
    tree_.add(std::move(process));
  }
  return {};
}

Result<void> Sensor::heal() {
  std::vector<std::uint32_t> seen;
  TRY(read_processes(&seen));
  std::sort(seen.begin(), seen.end());
  tree_.retain([&](const Process& process) {
    return std::binary_search(seen.begin(), seen.end(), process.pid);
  });
  return {};
}

void Sensor::report_processes(const Sink& sink) const {
  const std::int64_t boot_ns = boot_now_ns();
  tree_.for_each([&](const Process& process) {
    sink({.kind = Kind::process_seen,
          .flags = COFF_F_SNAPSHOT,
          .wall_ns = boot_ns + boot_to_wall_ns_,
          .boot_ns = static_cast<std::uint64_t>(boot_ns),
          .tid = process.pid,
          .cgroup = process.cgroup,
          .thread_name = process.name,
          .credentials = process.credentials,
          .process = tree_.find(process.pid),
          .container = container_of(process.cgroup)});
  });
}

Result<void> Sensor::report_connections(const Sink& sink) {
  const std::string records = TRY(programs_.read_connections());
  alignas(8) std::array<std::byte, sizeof(coff_flow)> bytes;
  for (size_t at = 0; at + bytes.size() <= records.size(); at += bytes.size()) {
    std::memcpy(bytes.data(), records.data() + at, bytes.size());
    take_record(bytes, sink);
    // The iterator's, not a ring's: it has no share in the account of what was sent.
    --delivered_[COFF_KIND_flow];
  }
  return {};
}

Losses Sensor::take_losses() {
  Losses losses;
  for (const KindCount& now : programs_.read_counts()) {
    coff_count& before = taken_[now.slot * COFF_KINDS + now.kind];
    const Loss loss{.group = std::string(cgroups_.slot_name(now.slot)),
                    .kind = now.kind,
                    .ring = now.count.lost_ring - before.lost_ring,
                    .scratch = now.count.lost_scratch - before.lost_scratch};
    before = now.count;
    if (loss.ring + loss.scratch != 0) losses.rows.push_back(loss);
  }
  const std::uint64_t skipped = programs_.skipped_runs();
  losses.skipped_runs = skipped - std::exchange(taken_skipped_, skipped);
  losses.malformed = std::exchange(malformed_, 0);
  return losses;
}

std::vector<KindTotals> Sensor::totals() const {
  std::vector<KindTotals> totals(COFF_KINDS);
  for (const KindCount& row : programs_.read_counts()) {
    KindTotals& total = totals[row.kind];
    total.sent += row.count.sent;
    total.filtered += row.count.filtered;
    total.lost += row.count.lost_ring + row.count.lost_scratch;
  }
  for (size_t kind = 0; kind < COFF_KINDS; ++kind) totals[kind].delivered = delivered_[kind];
  return totals;
}

}  // namespace coff::sensor
