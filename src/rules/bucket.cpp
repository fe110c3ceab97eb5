// Rules with everything decided that is the same for all events of one sort.
#include "rules/bucket.hpp"

#include <algorithm>
#include <unordered_map>

#include "schema/arguments.hpp"
#include "schema/constants.hpp"

namespace coff::rules {

namespace {

// What a check costs beside others, in about the time of comparing two numbers.
unsigned cost_of(const Program& program, const Check& check) {
  constexpr unsigned kOperator[] = {1,  2, 2, 1, 1, 1,  1, 20, 20, 8,
                                    30, 8, 2, 2, 2, 60, 4, 4,  20, 60};
  const Source& left = program.sources()[check.left];
  unsigned cost = kOperator[static_cast<size_t>(check.op)];
  const std::string_view name = left.name;
  if (left.kind == Source::Kind::kTransform) cost += 40;
  if (left.reach == Reach::kAny) cost += 40;
  if (name.ends_with("cmdline") || name.ends_with("args") || name.ends_with("env")) cost += 20;
  if (name.starts_with("fd.directory") || name.starts_with("evt.arg")) cost += 8;
  if (left.type == schema::Type::kNetwork || left.type == schema::Type::kAddress) cost += 6;
  if (check.modifier != Modifier::kNone)
    cost += static_cast<unsigned>(check.constants.texts.size());
  return check.right == kNone ? cost : cost + 20;
}

// The pass over the text is shared with other checks; making the text may not be.
unsigned index_cost(const Source& left) {
  if (left.reach == Reach::kAny || left.kind == Source::Kind::kTransform) return 20;
  const std::string_view name = left.name;
  const bool made = name.ends_with("cmdline") || name.ends_with("args") || name.ends_with("env");
  return made ? 8 : 2;
}

class BucketMaker {
 public:
  BucketMaker(const RuleSet& rules, const Sort& sort, const Event& event, Evaluation& evaluation)
      : rules_(rules),
        program_(rules.program()),
        sort_(sort),
        event_(event),
        evaluation_(evaluation) {}

  Bucket make() {
    const auto& compiled = rules_.compiled();
    for (std::uint32_t at = 0; at < compiled.size(); ++at) {
      if (!compiled[at].rule.enabled) continue;
      const std::uint32_t node = local(compiled[at].condition);
      if (node == kNever) continue;
      bucket_.candidates.push_back({at, node});
    }
    bucket_.filter = TextFilter(program_, bucket_);
    return std::move(bucket_);
  }

 private:
  static constexpr std::uint32_t kNever = 0xFFFFFFFE;
  static constexpr std::uint32_t kAlways = Bucket::kAlways;

  std::uint32_t local(NodeId id) {
    const auto known = done_.find(id);
    if (known != done_.end()) {
      if (known->second < kNever) bucket_.nodes[known->second].shared = true;
      return known->second;
    }
    const std::uint32_t made = specialise(program_.nodes()[id]);
    done_.emplace(id, made);
    return made;
  }

  std::uint32_t specialise(const Node& node) {
    switch (node.type) {
      case Node::Type::kFalse: return kNever;
      case Node::Type::kTrue: return kAlways;
      case Node::Type::kCheck: return check(node.check);
      case Node::Type::kNot: {
        const std::uint32_t child = local(node.children.front());
        if (child == kNever) return kAlways;
        if (child == kAlways) return kNever;
        return add({.type = Bucket::Node::Type::kNot, .first = child}, costs_[child]);
      }
      case Node::Type::kAnd: return chain(node, kNever, kAlways, Bucket::Node::Type::kAnd);
      case Node::Type::kOr: break;
    }
    return chain(node, kAlways, kNever, Bucket::Node::Type::kOr);
  }

  // `decides` makes the whole of it so; `drops` says nothing.
  std::uint32_t chain(const Node& node, std::uint32_t decides, std::uint32_t drops,
                      Bucket::Node::Type type) {
    std::vector<std::uint32_t> children;
    for (const NodeId id : node.children) {
      const std::uint32_t child = local(id);
      if (child == decides) return decides;
      if (child == drops) continue;
      // "a and (b and c)" is "a and b and c", which can be sorted as one.
      if (bucket_.nodes[child].type == type) {
        const Bucket::Node inner = bucket_.nodes[child];
        for (std::uint32_t at = 0; at < inner.count; ++at) {
          children.push_back(bucket_.links[inner.first + at]);
        }
      } else {
        children.push_back(child);
      }
    }
    if (children.empty()) return drops;
    if (children.size() == 1) return children.front();
    // Checks have no effects, so the cheap ones may go first.
    std::ranges::stable_sort(children, {}, [&](std::uint32_t child) { return costs_[child]; });
    const auto last = std::unique(children.begin(), children.end());
    children.erase(last, children.end());
    unsigned cost = 0;
    for (const std::uint32_t child : children) cost += costs_[child];
    const auto first = static_cast<std::uint32_t>(bucket_.links.size());
    bucket_.links.insert(bucket_.links.end(), children.begin(), children.end());
    return add({.type = type, .first = first, .count = static_cast<std::uint32_t>(children.size())},
               cost);
  }

  std::uint32_t check(CheckId id) {
    const Check& check = program_.checks()[id];
    if (is_fact(check)) return answer(id, check) ? kAlways : kNever;
    const CheckPlace& place = program_.places()[id];
    const unsigned cost = place.index == kNone ? cost_of(program_, check)
                                               : index_cost(program_.sources()[check.left]);
    return add({.type = Bucket::Node::Type::kCheck, .first = id, .place = place}, cost);
  }

  [[nodiscard]] bool is_fact(const Check& check) const {
    const Source& left = program_.sources()[check.left];
    if (check.right != kNone || left.kind != Source::Kind::kField) return false;
    const std::string_view name = left.field.field->name;
    // Events are counted from 1.
    if (name == "evt.num") return check.op == Operator::kEqual && check.constants.unsigneds[0] == 0;
    // The id of a container is never the word for there being none.
    if (name == "container.id" && check.op != Operator::kExists) {
      return std::ranges::all_of(check.constants.texts,
                                 [](const std::string& text) { return text == "host"; }) &&
             check.op <= Operator::kNotEqual;
    }
    // An argument that the call doesn't have is missing in all such events.
    const schema::Argument& argument = left.field.argument;
    if (name == "evt.arg" && !argument.index &&
        !schema::has_named_argument(event_, argument.name)) {
      return true;
    }
    return sort_.decides(name);
  }

  bool answer(CheckId id, const Check& check) {
    const bool own = evaluation_.check(id);
    const Source& left = program_.sources()[check.left];
    if (event_.kind != Kind::container_start || left.name != "evt.type") return own;
    // libsinsp has one type for all that an engine tells.
    const bool other = check.op == Operator::kExists ||
                       holds(check, left, schema::Value{std::string_view("container")});
    return check.op == Operator::kNotEqual ? own && other : own || other;
  }

  std::uint32_t add(Bucket::Node node, unsigned cost) {
    constexpr unsigned kCostMax = 1'000'000;
    constexpr unsigned kCheapMax = 24;
    node.cheap = cost <= kCheapMax;
    bucket_.nodes.push_back(node);
    costs_.push_back(std::min(cost, kCostMax));
    return static_cast<std::uint32_t>(bucket_.nodes.size() - 1);
  }

  const RuleSet& rules_;
  const Program& program_;
  const Sort& sort_;
  const Event& event_;
  Evaluation& evaluation_;
  Bucket bucket_;
  std::vector<unsigned> costs_;
  std::unordered_map<NodeId, std::uint32_t> done_;
};

}  // namespace

Bucket make_bucket(const RuleSet& rules, const Sort& sort, const Event& event,
                   Evaluation& evaluation) {
  return BucketMaker(rules, sort, event, evaluation).make();
}

}  // namespace coff::rules
