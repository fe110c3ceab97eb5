// Private to the room: answers about processes, kept from one event to the next.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "rules/program.hpp"

namespace coff::rules {

/// Words with the answers about the processes that were asked about last. Keeps no process alive.
class ProcessAnswers {
 public:
  /// Processes that are remembered at a time.
  static constexpr size_t kProcessesMax = 1024;

  explicit ProcessAnswers(const AnswerWords& words)
      : flags_(words.flags), stride_(words.all), known_(kProcessesMax + 1) {
    words_.resize((kProcessesMax + 1) * stride_);
  }

  /// The words of the process, with no flag "known" set when it was not remembered. Those of no
  /// process (null) are always forgotten. Valid until the next call.
  std::uint64_t* of(const ProcessPtr& process) {
    const size_t at = place_of(process.get());
    Known& known = known_[at];
    std::uint64_t* const words = words_.data() + at * stride_;
    // While the process that was asked about lives, no other one has its address.
    if (process != nullptr && known.process == process.get() && !known.alive.expired()) {
      return words;
    }
    known.process = process.get();
    known.alive = process;
    std::fill_n(words, flags_, 0);
    return words;
  }

 private:
  struct Known {
    const Process* process = nullptr;
    std::weak_ptr<const Process> alive;
  };

  static size_t place_of(const Process* process) {
    if (process == nullptr) return kProcessesMax;
    const std::uint64_t mixed = reinterpret_cast<std::uintptr_t>(process) * 0x9E3779B97F4A7C15ULL;
    return static_cast<size_t>(mixed >> 32) % kProcessesMax;
  }

  size_t flags_;
  size_t stride_;
  std::vector<Known> known_;
  std::vector<std::uint64_t> words_;
};

}  // namespace coff::rules
