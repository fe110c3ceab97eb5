// Correlations at work.
#include "sigma/correlator.hpp"

#include <algorithm>
#include <charconv>

#include "base/bytes.hpp"
#include "sigma/fields.hpp"

namespace coff::sigma {

namespace {

// Correlations of correlations of correlations: loops are refused when they are loaded.
constexpr unsigned kDepthMax = 16;
constexpr size_t kGroupBytesMax = 512;

std::string text_of(const schema::Subject& subject, const std::string& field) {
  if (field.empty()) return {};
  std::string text = schema::value_text(value_of(subject, field));
  if (text.size() > kValueBytesMax) text.resize(kValueBytesMax);
  return text;
}

double number_of(const std::string& text) {
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The values of the group, joined; long ones end with the hash of the whole.
std::string group_text(const schema::Subject& subject, const std::vector<std::string>& fields) {
  std::string text;
  for (const std::string& field : fields) {
    if (&field != fields.data()) text += '\x1f';
    text += text_of(subject, field);
  }
  if (text.size() <= kGroupBytesMax) return text;
  const std::string hash = to_hex(sha256(text));
  text.resize(kGroupBytesMax - hash.size());
  return text + hash;
}

std::vector<Watch> watches_of(const Correlations& correlations) {
  std::vector<Watch> watches;
  for (const auto& plan : correlations.plans()) watches.push_back(plan.watch);
  return watches;
}

std::string shown_number(double number) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number);
  return {buffer, end.ptr};
}

}  // namespace

Correlator::Correlator(std::shared_ptr<const Correlations> correlations)
    : correlations_(std::move(correlations)), memory_(watches_of(*correlations_)) {}

void Correlator::ask(const schema::Subject& subject, std::span<const std::uint32_t> matched,
                     std::vector<Correlated>& out) {
  if (correlations_->plans().empty()) return;
  pass(subject.event.boot_ns, out);
  for (const std::uint32_t rule : matched) {
    if (rule >= correlations_->inputs_.size()) continue;
    for (const auto& input : correlations_->inputs_[rule]) feed(subject, input, 0, out);
  }
}

void Correlator::feed(const schema::Subject& subject, const Correlations::Input& input,
                      unsigned depth, std::vector<Correlated>& out) {
  if (depth > kDepthMax) return;
  const Correlations::Plan& plan = correlations_->plans_[input.plan];
  if (!plan.rule.enabled) return;
  Entry entry{.boot_ns = subject.event.boot_ns,
              .rule = input.place,
              .value = text_of(subject, input.value)};
  entry.number = number_of(entry.value);
  const std::string group = group_text(subject, input.group);
  if (plan.watch.at_end()) {
    if (last_.size() >= kGroupsMax) last_.erase(last_.begin());
    last_.insert_or_assign(std::to_string(input.plan) + '\0' + group, subject.event);
  }
  Firing firing;
  if (!memory_.add(input.plan, group, std::move(entry), firing)) return;
  if (!plan.silent) out.push_back(describe(firing, subject.event.wall_ns));
  for (const auto& next : plan.outputs) feed(subject, next, depth + 1, out);
}

void Correlator::pass(std::uint64_t boot_ns, std::vector<Correlated>& out) {
  std::vector<Firing> judged;
  memory_.pass(boot_ns, judged);
  for (const Firing& firing : judged) {
    const auto last = last_.find(std::to_string(firing.watch) + '\0' + firing.group);
    if (last == last_.end()) continue;
    const Event event = std::move(last->second);
    last_.erase(last);
    if (!firing.fulfilled) continue;
    const Correlations::Plan& plan = correlations_->plans_[firing.watch];
    if (!plan.silent) {
      out.push_back(describe(firing, event.wall_ns));
      out.back().event = event;
    }
    for (const auto& next : plan.outputs) feed({.event = event}, next, 1, out);
  }
}

Correlated Correlator::describe(const Firing& firing, std::int64_t wall_ns) const {
  const Correlations::Plan& plan = correlations_->plans_[firing.watch];
  Correlated made{.rule = &plan.rule, .finding = {}, .group = firing.group, .event = {}};
  rules::Finding& finding = made.finding;
  finding.rule = plan.rule.name;
  finding.priority = plan.rule.priority;
  finding.source = plan.rule.source;
  finding.tags.assign(plan.rule.tags.begin(), plan.rule.tags.end());
  finding.provenance = plan.rule.provenance;
  finding.wall_ns = wall_ns;
  finding.output = plan.rule.name + " (" + std::string(correlation_name(plan.watch.type)) + ' ' +
                   shown_number(firing.measured) + " within " +
                   shown_number(static_cast<double>(plan.watch.timespan_ns) / 1e9) + " s";
  size_t at = 0;
  for (const std::string& name : plan.group_names) {
    const size_t end = std::min(firing.group.find('\x1f', at), firing.group.size());
    std::string value = firing.group.substr(std::min(at, end), end - std::min(at, end));
    finding.output += ' ' + name + '=' + value;
    finding.fields.push_back({name, std::move(value)});
    at = end + 1;
  }
  finding.output += ')';
  finding.fields.push_back({"correlation.measured", shown_number(firing.measured)});
  return made;
}

}  // namespace coff::sigma
