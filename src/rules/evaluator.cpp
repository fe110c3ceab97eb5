// Asks events against a rule set.
#include <algorithm>
#include <bit>
#include <unordered_map>

#include "rules/bucket.hpp"

namespace coff::rules {

class Evaluator::State {
 public:
  State(std::shared_ptr<const RuleSet> rules, Matching matching)
      : rules_(std::move(rules)),
        evaluation_(rules_->program()),
        matching_(matching),
        matched_count_(rules_->compiled().size(), 0) {}

  std::span<const std::uint32_t> matches(const schema::Subject& subject) {
    wall_ns_ = subject.event.wall_ns;
    evaluation_.begin(subject);
    matched_.clear();
    Bucket& bucket = bucket_of(subject.event);
    ++bucket.events;
    if (bucket.candidates.empty()) return matched_;
    next_epoch();
    const std::span<const std::uint64_t> possible = bucket.filter.possible(evaluation_);
    for (size_t word = 0; word < possible.size(); ++word) {
      for (std::uint64_t left = possible[word]; left != 0; left &= left - 1) {
        const size_t at = word * 64 + static_cast<size_t>(std::countr_zero(left));
        const Bucket::Candidate& candidate = bucket.candidates[at];
        if (candidate.node != Bucket::kAlways && !holds(bucket, candidate.node)) continue;
        ++matched_count_[candidate.rule];
        matched_.push_back(candidate.rule);
        if (matching_ == Matching::kFirst) return matched_;
      }
    }
    return matched_;
  }

  Finding finding(std::uint32_t at) {
    const CompiledRule& compiled = rules_->compiled()[at];
    Finding finding;
    finding.rule = compiled.rule.name;
    finding.priority = compiled.rule.priority;
    finding.source = compiled.rule.source;
    finding.tags.assign(compiled.rule.tags.begin(), compiled.rule.tags.end());
    finding.wall_ns = wall_ns_;
    finding.provenance = compiled.rule.provenance;
    compiled.output.render(rules_->program(), evaluation_, finding.output, finding.fields);
    return finding;
  }

  [[nodiscard]] std::vector<RuleCount> counts() const {
    std::vector<RuleCount> counts;
    const auto& compiled = rules_->compiled();
    for (size_t at = 0; at < compiled.size(); ++at) {
      counts.push_back({&compiled[at].rule, 0, matched_count_[at]});
    }
    for (const auto& [key, bucket] : buckets_) {
      for (const Bucket::Candidate& each : bucket.candidates) {
        counts[each.rule].evaluated += bucket.events;
      }
    }
    return counts;
  }

 private:
  Bucket& bucket_of(const Event& event) {
    Sort sort = Sort::of(event);
    const std::uint64_t key = sort.key();
    if (last_ != nullptr && key == last_key_) return *last_;
    auto found = buckets_.find(key);
    if (found == buckets_.end() && fine_ == kFineMax) {
      sort = sort.coarse();
      found = buckets_.find(sort.key());
    }
    if (found == buckets_.end()) {
      fine_ += sort.fine ? 1U : 0U;
      found = buckets_.emplace(sort.key(), make_bucket(*rules_, sort, event, evaluation_)).first;
      memo_.resize(std::max(memo_.size(), found->second.nodes.size()), 0);
    }
    last_key_ = key;
    last_ = &found->second;
    return *last_;
  }

  void next_epoch() {
    constexpr std::uint32_t kEpochMax = 0x7FFFFFFF;
    if (++epoch_ <= kEpochMax) return;
    epoch_ = 1;
    std::ranges::fill(memo_, 0);
  }

  bool holds(Bucket& bucket, std::uint32_t id) {
    const Bucket::Node& node = bucket.nodes[id];
    switch (node.type) {
      case Bucket::Node::Type::kCheck: return evaluation_.check(node.first, node.place);
      case Bucket::Node::Type::kNot: return !holds(bucket, node.first);
      default: break;
    }
    if (!node.shared) return chain(bucket, node);
    std::uint32_t& memo = memo_[id];
    if ((memo >> 1) == epoch_) return (memo & 1) != 0;
    const bool result = chain(bucket, node);
    memo = epoch_ << 1 | (result ? 1U : 0U);
    return result;
  }

  // Depth is bounded by kHeightMax. What decided moves one place forward if it costs little: the
  // order settles on what the events of this host decide by.
  bool chain(Bucket& bucket, const Bucket::Node& node) {
    const bool stops = node.type == Bucket::Node::Type::kOr;
    std::uint32_t* const links = &bucket.links[node.first];
    for (std::uint32_t at = 0; at < node.count; ++at) {
      if (holds(bucket, links[at]) != stops) continue;
      if (at > 0 && bucket.nodes[links[at]].cheap) std::swap(links[at], links[at - 1]);
      return stops;
    }
    return !stops;
  }

  /// Buckets of fine sorts; events of others are asked in coarse ones.
  static constexpr size_t kFineMax = 256;

  std::shared_ptr<const RuleSet> rules_;
  Evaluation evaluation_;
  Matching matching_;
  std::unordered_map<std::uint64_t, Bucket> buckets_;
  size_t fine_ = 0;
  std::uint64_t last_key_ = 0;
  Bucket* last_ = nullptr;
  std::vector<std::uint32_t> memo_;
  std::uint32_t epoch_ = 0;
  std::vector<std::uint32_t> matched_;
  std::vector<std::uint64_t> matched_count_;
  std::int64_t wall_ns_ = 0;
};

Evaluator::Evaluator(std::shared_ptr<const RuleSet> rules, Matching matching)
    : state_(std::make_unique<State>(std::move(rules), matching)) {}
Evaluator::~Evaluator() = default;

std::span<const std::uint32_t> Evaluator::matches(const schema::Subject& subject) {
  return state_->matches(subject);
}
Finding Evaluator::finding(std::uint32_t rule) { return state_->finding(rule); }
std::vector<RuleCount> Evaluator::counts() const { return state_->counts(); }

}  // namespace coff::rules
