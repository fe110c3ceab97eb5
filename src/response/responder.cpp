// Runs actions from plan to proof: pins, plans, keeps the guard rails, records, acts, measures,
// undoes.
#include "response/responder.hpp"

#include <algorithm>
#include <set>

#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::response {
namespace {

/// Another action on this host ends within this time, or the new one is refused.
constexpr int kLockTimeoutMs = 15'000;

std::string members_of(const Record& record, std::string_view more = "") {
  std::string text;
  JsonWriter writer(text);
  writer.begin_object()
      .member("action", record.action)
      .key("container")
      .begin_object()
      .member("id", record.container_id)
      .member("name", record.container_name)
      .end_object()
      .end_object();
  std::string members = text.substr(1, text.size() - 2);
  if (!more.empty()) members.append(",").append(more);
  return members;
}

std::string text_member(std::string_view name, std::string_view value) {
  std::string text;
  JsonWriter(text).begin_object().member(name, value).end_object();
  return text.substr(1, text.size() - 2);
}

Result<void> check_request(const Request& request) {
  if (request.reason.size() > kReasonBytesMax || request.break_glass.size() > kReasonBytesMax) {
    return fail(Code::kLimit, "a reason is at most 1024 bytes long");
  }
  if (request.ttl_s < 0 || request.ttl_s > kTtlMaxSeconds) {
    return fail(Code::kInvalid, "the time limit must be 0 to 30 days");
  }
  if (request.allowed.size() > 64) return fail(Code::kLimit, "at most 64 addresses can be allowed");
  return {};
}

}  // namespace

Result<Responder> Responder::open(Settings settings, Tell tell) {
  Journal journal = TRY(Journal::open(settings.directory));
  return Responder(std::move(settings), std::move(journal), std::move(tell));
}

Result<Plan> Responder::make_plan(const Action& action, const Request& request,
                                  const Target& target, Record& record) {
  Plan plan{.action = std::string(action.name),
            .container_id = target.about.id,
            .container_name = target.about.name,
            .image = target.about.image,
            .init_pid = target.init_pid,
            .start_ticks = target.start_ticks,
            .netns_inode = target.netns_inode,
            .approval_class = action.approval_class,
            .rate_class = std::string(action.rate_class)};
  TRY(action.plan(target, record, plan));
  plan.refusals = TRY(check_guard_rails(settings_.rails, action, target, journal_));
  if (request.ttl_s > 0 && !action.stays) {
    return fail(Code::kInvalid, std::string(action.name) + " is done once: it has no time limit");
  }
  if (request.ttl_s > 0) {
    plan.warnings.push_back("released by itself after " + std::to_string(request.ttl_s) + " s");
  }
  return plan;
}

// JSON of who approved the plan; "" with a refusal in it where somebody must.
std::string Responder::approval_of(const Action& action, const Request& request, Plan& plan) const {
  if (request.approve) {
    auto approved = request.approve(plan);
    if (approved) return *approved;
    plan.refusals.push_back("not approved: " + approved.error().message());
  } else if (action.approval_class == 'C') {
    plan.refusals.emplace_back("class C needs the approval of two people");
  } else if (action.approval_class == 'B' && settings_.approvals_wanted) {
    plan.refusals.emplace_back("class B needs the approval of a person");
  }
  return {};
}

Result<void> Responder::run(const Request& request) {
  TRY(check_request(request));
  const Action* action = find_action(request.action);
  if (action == nullptr) return fail(Code::kInvalid, "there is no action " + request.action);
  if (confine_) TRY(confine_(action->capabilities));
  const Fd lock = TRY(journal_.lock(kLockTimeoutMs));
  const Target target = TRY(pin(request.container, settings_.engine_sockets));
  Record record{.action = request.action,
                .container_id = target.about.id,
                .container_name = target.about.name,
                .since_wall_ns = wall_now_ns(),
                .who = request.who,
                .reason = request.reason,
                .break_glass = request.break_glass,
                .allowed = request.allowed};
  if (request.ttl_s > 0) {
    record.until_wall_ns = record.since_wall_ns + request.ttl_s * 1'000'000'000;
  }
  if (request.pid != 0) record.before["pid"] = std::to_string(request.pid);
  Plan plan = TRY(make_plan(*action, request, target, record));
  const std::string approved = approval_of(*action, request, plan);
  TRY(tell_("planned",
            members_of(record, text_member("reason", request.reason) +
                                   ",\"who\":" + (request.who.empty() ? "{}" : request.who) +
                                   (approved.empty() ? "" : ",\"approved_by\":" + approved) +
                                   ",\"dry_run\":" + (request.dry_run ? "true" : "false") +
                                   ",\"plan\":" + to_json(plan))));
  if (request.dry_run) return {};
  if (!plan.refusals.empty() && request.break_glass.empty()) {
    std::string all;
    for (const std::string& refusal : plan.refusals) all += (all.empty() ? "" : "; ") + refusal;
    return fail(Code::kDenied, all);
  }
  // What was before the first time is what release restores, however often it is done.
  for (const Record& old : TRY(matching(record.container_id, record.action))) {
    for (const auto& [name, value] : old.before) record.before[name] = value;
  }
  return carry_out(*action, target, record);
}

Result<void> Responder::carry_out(const Action& action, const Target& target, Record& record) {
  // Durable before the first change: nothing is ever in force without a record.
  if (action.stays) TRY(journal_.put(record));
  if (action.name != kProtect.name) {
    TRY(journal_.note_use(record.since_wall_ns, record.container_id));
  }
  std::string more = "\"class\":\"" + std::string(1, action.approval_class) + "\"";
  if (!record.break_glass.empty()) {
    more += "," + text_member("break_glass", record.break_glass) + ",\"review\":\"required\"";
  }
  TRY(tell_("started", members_of(record, more)));
  const std::int64_t begun_ns = boot_now_ns();
  TRY(check_pinned(target));
  if (auto done = action.perform(target, record); !done) {
    return give_up(action, record, done.error());
  }
  const std::int64_t took_us = (boot_now_ns() - begun_ns) / 1000;
  record.stage = Stage::kApplied;
  if (action.stays) TRY(journal_.put(record));
  TRY(tell_("done", members_of(record, "\"took_us\":" + std::to_string(took_us))));
  return verify(action, target, record);
}

Result<void> Responder::give_up(const Action& action, Record& record, const Error& why) {
  std::string outcome = "nothing was changed";
  if (action.stays) {
    record.stage = Stage::kReleasing;
    TRY(journal_.put(record));
    const auto undone = action.inverse(record);
    outcome = undone ? "what was done is undone" : "undoing failed: " + undone.error().message();
    if (undone) TRY(journal_.erase(record));
  }
  TRY(tell_("failed", members_of(record, text_member("error", why.message()) + "," +
                                             text_member("outcome", outcome))));
  return std::unexpected(why);
}

Result<void> Responder::verify(const Action& action, const Target& target, const Record& record) {
  auto measured = action.verify(target, record);
  if (!measured) {
    TRY(tell_("failed", members_of(record, text_member("error", measured.error().message()) + "," +
                                               text_member("outcome", "done, but not verified"))));
    return std::unexpected(measured.error());
  }
  TRY(tell_("verified", members_of(record, std::string("\"as_planned\":") +
                                               (measured->as_planned ? "true" : "false") +
                                               ",\"measured\":{" + measured->members + "}")));
  if (measured->as_planned) return {};
  return fail(Code::kCorrupt, "it was done, but what was measured is not what was planned: {" +
                                  measured->members + "}");
}

Result<std::vector<Record>> Responder::matching(const std::string& container,
                                                const std::string& action) const {
  std::vector<Record> found = TRY(journal_.list());
  std::erase_if(found, [&](const Record& record) {
    const bool named = record.container_name == container || record.container_id == container ||
                       (container.size() >= 12 && record.container_id.starts_with(container));
    return !named || (!action.empty() && record.action != action);
  });
  std::ranges::sort(found, std::ranges::greater(), &Record::since_wall_ns);
  return found;
}

Result<void> Responder::undo(Record record, std::string_view cause, const std::string& who) {
  const Action* action = find_action(record.action);
  if (action == nullptr || action->inverse == nullptr) {
    return fail(Code::kUnsupported, "this version cannot undo " + record.action);
  }
  record.stage = Stage::kReleasing;
  TRY(journal_.put(record));
  auto measured = action->inverse(record);
  if (!measured) {
    TRY(tell_("failed", members_of(record, text_member("error", measured.error().message()) + "," +
                                               text_member("outcome", "not released"))));
    return std::unexpected(measured.error());
  }
  if (measured->as_planned) TRY(journal_.erase(record));
  TRY(tell_(
      "released",
      members_of(record, text_member("cause", cause) + ",\"who\":" + (who.empty() ? "{}" : who) +
                             ",\"as_planned\":" + (measured->as_planned ? "true" : "false") +
                             ",\"measured\":{" + measured->members + "}")));
  if (measured->as_planned) return {};
  return fail(Code::kCorrupt, "the release did not restore what was: {" + measured->members + "}");
}

Result<void> Responder::release(const std::string& container, const std::string& action,
                                const std::string& who, const std::string& reason) {
  const Fd lock = TRY(journal_.lock(kLockTimeoutMs));
  const std::vector<Record> records = TRY(matching(container, action));
  if (records.empty()) {
    return fail(Code::kNotFound,
                "nothing is in force on " + container + "; see: cofferdam respond list");
  }
  std::set<std::string> ids;
  for (const Record& record : records) ids.insert(record.container_id);
  if (ids.size() > 1) {
    return fail(Code::kInvalid, "several containers have this name: give the id");
  }
  const std::string cause = reason.empty() ? "released by a person" : reason;
  Result<void> outcome;
  for (const Record& record : records) {
    // One that fails must not keep the others in force.
    if (auto undone = undo(record, cause, who); !undone) outcome = undone;
  }
  return outcome;
}

Result<void> Responder::allow(const Request& request) {
  TRY(check_request(request));
  const Fd lock = TRY(journal_.lock(kLockTimeoutMs));
  const auto records = TRY(matching(request.container, std::string(kQuarantine.name)));
  if (records.size() != 1) {
    return fail(Code::kNotFound, "no quarantine is in force on " + request.container);
  }
  Record record = records.front();
  const Target target = TRY(pin(record.container_id, settings_.engine_sockets));
  record.allowed = request.allowed;
  Plan plan;
  TRY(kQuarantine.plan(target, record, plan));
  std::string changed;
  JsonWriter writer(changed);
  writer.begin_object().key("who").raw(request.who.empty() ? "{}" : request.who);
  writer.key("allowed").begin_array();
  for (const std::string& address : record.allowed) writer.string(address);
  writer.end_array().end_object();
  TRY(journal_.put(record));
  TRY(tell_("started", members_of(record, changed.substr(1, changed.size() - 2))));
  TRY(kQuarantine.perform(target, record));
  TRY(journal_.put(record));
  return verify(kQuarantine, target, record);
}

Result<void> Responder::tend() {
  const Fd lock = TRY(journal_.lock(kLockTimeoutMs));
  Result<void> outcome;
  for (Record& record : TRY(journal_.list())) {
    if (auto tended = tend_one(std::move(record)); !tended) outcome = tended;
  }
  return outcome;
}

Result<void> Responder::tend_one(Record record) {
  const Action* action = find_action(record.action);
  if (action == nullptr) return fail(Code::kUnsupported, "this version has no " + record.action);
  if (record.stage == Stage::kReleasing) return undo(std::move(record), "resumed", "");
  if (record.until_wall_ns != 0 && record.until_wall_ns <= wall_now_ns()) {
    return undo(std::move(record), "its time is over", "");
  }
  if (record.stage == Stage::kApplying) return finish(std::move(record));
  if (action->renew == nullptr) return {};
  return renew(*action, std::move(record));
}

Result<void> Responder::finish(Record record) {
  const Action* action = find_action(record.action);
  auto target = pin(record.container_id, settings_.engine_sockets);
  if (!target && target.error().code == Code::kNotFound) {
    return undo(std::move(record), "the container is gone", "");
  }
  if (!target) return std::unexpected(target.error());
  TRY(action->perform(*target, record));
  record.stage = Stage::kApplied;
  TRY(journal_.put(record));
  TRY(tell_("resumed", members_of(record)));
  return verify(*action, *target, record);
}

Result<void> Responder::renew(const Action& action, Record record) {
  const std::string changed = TRY(action.renew(record));
  if (changed.empty()) return {};
  TRY(journal_.put(record));
  return tell_("renewed", members_of(record, changed));
}

}  // namespace coff::response
