// Cuts text into the words that a search compares.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/result.hpp"

namespace coff::trail {

/// The tokenizer "unicode61" of SQLite's FTS5: words are runs of letters and digits of any script,
/// in lower case and without diacritics. One thread at a time.
class WordCutter {
 public:
  static Result<WordCutter> open();
  WordCutter(WordCutter&&) noexcept;
  WordCutter& operator=(WordCutter&&) noexcept;
  ~WordCutter();

  /// Calls `each` with every word in order; one is valid during its call.
  Result<void> cut(std::string_view text, const std::function<void(std::string_view)>& each);

 private:
  struct State;
  explicit WordCutter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace coff::trail
