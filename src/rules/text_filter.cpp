// Which rules of a bucket an event's texts leave possible.
#include "rules/text_filter.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "rules/bucket.hpp"

namespace coff::rules {

namespace {

// Texts of one set, and of all sets of a bucket: what is beyond counts as "needs no text".
constexpr size_t kSetMax = 2048;
constexpr size_t kSetsMax = size_t{1} << 20;
// Candidates that make it worth to read a text that has to be made first.
constexpr size_t kReadersMin = 2;
constexpr unsigned kMade = 20;

// What choosing by the texts of a source costs, in time and in candidates that stay possible.
unsigned cost_of(const Source& source) {
  const std::string_view name = source.name;
  if (source.kind == Source::Kind::kTransform || source.reach == Reach::kAny) return kMade;
  if (name.starts_with("thread.cap") || name.starts_with("process.cap")) return kMade;
  if (name.ends_with("cmdline") || name.ends_with("args") || name.ends_with("env")) return kMade;
  if (name.starts_with("proc.aname[")) return 3;
  if (name.starts_with("proc.") || name.starts_with("fd.name") || name.starts_with("fd.file") ||
      name.starts_with("fd.dir")) {
    return 2;
  }
  return 10;  // Many events have the same.
}

}  // namespace

/// Finds the sets of texts: of what must hold together any part's will do, of alternatives all.
class TextFilterMaker {
 public:
  TextFilterMaker(const Program& program, const Bucket& bucket, TextFilter& filter)
      : program_(program), bucket_(bucket), filter_(filter), done_(bucket.nodes.size(), kUnseen) {}

  void make() {
    const size_t words = (bucket_.candidates.size() + 63) / 64;
    filter_.always_.assign(words, 0);
    filter_.possible_.assign(words, 0);
    std::vector<std::uint32_t> chosen;
    std::map<std::uint32_t, size_t> readers;
    for (const Bucket::Candidate& each : bucket_.candidates) {
      chosen.push_back(each.node == Bucket::kAlways ? kAny : set_of(each.node));
      if (chosen.back() == kAny) continue;
      for (const std::uint32_t index : indexes_of(sets_[chosen.back()])) ++readers[index];
    }
    for (size_t at = 0; at < chosen.size(); ++at) {
      const bool reads = chosen[at] != kAny && worth(sets_[chosen[at]], readers);
      if (reads) add(at, sets_[chosen[at]]);
      else filter_.always_[at / 64] |= std::uint64_t{1} << (at % 64);
    }
    for (const auto& [key, row] : rows_) {
      TextFilter::Used& used = used_of(key.first);
      filter_.wanted_[used.wanted + key.second / 64] |= std::uint64_t{1} << (key.second % 64);
      used.rows[key.second] = static_cast<std::uint32_t>(filter_.rows_.size());
      filter_.rows_.insert(filter_.rows_.end(), row.begin(), row.end());
    }
  }

 private:
  static constexpr std::uint32_t kAny = 0xFFFFFFFF;  ///< Holds without any text.
  static constexpr std::uint32_t kUnseen = 0xFFFFFFFE;
  using Set = std::vector<std::uint32_t>;  ///< Nodes, each an indexed check.

  std::uint32_t set_of(std::uint32_t id) {
    if (done_[id] == kUnseen) done_[id] = make_set(id);
    return done_[id];
  }

  std::uint32_t make_set(std::uint32_t id) {
    const Bucket::Node& node = bucket_.nodes[id];
    switch (node.type) {
      case Bucket::Node::Type::kCheck:
        return node.place.index == kNone || node.place.negated ? kAny : keep({id});
      case Bucket::Node::Type::kNot: return kAny;
      default: break;
    }
    const std::span links(&bucket_.links[node.first], node.count);
    if (node.type == Bucket::Node::Type::kAnd) {
      std::uint32_t best = kAny;
      for (const std::uint32_t child : links) {
        const std::uint32_t set = set_of(child);
        if (set != kAny && (best == kAny || costs_[set] < costs_[best])) best = set;
      }
      return best;
    }
    Set all;
    for (const std::uint32_t child : links) {
      const std::uint32_t set = set_of(child);
      if (set == kAny) return kAny;
      all.insert(all.end(), sets_[set].begin(), sets_[set].end());
      if (all.size() > kSetMax) return kAny;
    }
    return keep(std::move(all));
  }

  std::uint32_t keep(Set set) {
    kept_ += set.size();
    if (kept_ > kSetsMax) return kAny;
    unsigned cost = 0;
    for (const std::uint32_t index : indexes_of(set)) {
      cost += cost_of(program_.sources()[program_.indexes()[index].source]);
    }
    sets_.push_back(std::move(set));
    costs_.push_back(cost);
    return static_cast<std::uint32_t>(sets_.size() - 1);
  }

  [[nodiscard]] Set indexes_of(const Set& set) const {
    Set indexes;
    for (const std::uint32_t id : set) indexes.push_back(bucket_.nodes[id].place.index);
    std::ranges::sort(indexes);
    indexes.erase(std::unique(indexes.begin(), indexes.end()), indexes.end());
    return indexes;
  }

  [[nodiscard]] bool worth(const Set& set, const std::map<std::uint32_t, size_t>& readers) const {
    return std::ranges::all_of(indexes_of(set), [&](std::uint32_t index) {
      const Source& source = program_.sources()[program_.indexes()[index].source];
      return cost_of(source) < kMade || readers.at(index) >= kReadersMin;
    });
  }

  void add(size_t candidate, const Set& set) {
    for (const std::uint32_t id : set) {
      const CheckPlace& place = bucket_.nodes[id].place;
      const std::uint32_t bit = place.bit - program_.indexes()[place.index].word * 64;
      auto& row = rows_[{place.index, bit}];
      row.resize(filter_.always_.size());
      row[candidate / 64] |= std::uint64_t{1} << (candidate % 64);
    }
  }

  TextFilter::Used& used_of(std::uint32_t id) {
    const SourceIndex* const index = &program_.indexes()[id];
    if (filter_.used_.empty() || filter_.used_.back().index != index) {
      filter_.used_.push_back({.index = index,
                               .wanted = static_cast<std::uint32_t>(filter_.wanted_.size()),
                               .rows = {}});
      filter_.wanted_.resize(filter_.wanted_.size() + index->texts.words());
      filter_.used_.back().rows.resize(index->texts.words() * 64);
    }
    return filter_.used_.back();
  }

  const Program& program_;
  const Bucket& bucket_;
  TextFilter& filter_;
  std::vector<std::uint32_t> done_;
  std::vector<Set> sets_;
  std::vector<unsigned> costs_;
  size_t kept_ = 0;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::uint64_t>> rows_;
};

TextFilter::TextFilter(const Program& program, const Bucket& bucket) {
  TextFilterMaker(program, bucket, *this).make();
}

std::span<const std::uint64_t> TextFilter::possible(Evaluation& evaluation) {
  for (size_t at = 0; at < possible_.size(); ++at) possible_[at] = always_[at];
  for (const Used& used : used_) {
    const std::span<const std::uint64_t> bits = evaluation.bits(*used.index);
    const std::uint64_t* const wanted = &wanted_[used.wanted];
    for (size_t word = 0; word < bits.size(); ++word) {
      for (std::uint64_t left = bits[word] & wanted[word]; left != 0; left &= left - 1) {
        const size_t bit = word * 64 + static_cast<size_t>(std::countr_zero(left));
        const std::uint64_t* const row = &rows_[used.rows[bit]];
        for (size_t at = 0; at < possible_.size(); ++at) possible_[at] |= row[at];
      }
    }
  }
  return possible_;
}

}  // namespace coff::rules
