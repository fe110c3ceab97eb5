// Cuts text into the words that a search compares.
#include "trail/words.hpp"

#include <sqlite3.h>

namespace coff::trail {

/// FTS5 gives its tokenizers to whoever has a connection: one to an empty database in memory.
struct WordCutter::State {
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (tokenizer != nullptr) methods.xDelete(tokenizer);
    sqlite3_close_v2(connection);
  }

  sqlite3* connection = nullptr;
  fts5_tokenizer methods = {};
  Fts5Tokenizer* tokenizer = nullptr;
};

WordCutter::WordCutter(std::unique_ptr<State> state) : state_(std::move(state)) {}
WordCutter::WordCutter(WordCutter&&) noexcept = default;
WordCutter& WordCutter::operator=(WordCutter&&) noexcept = default;
WordCutter::~WordCutter() = default;

Result<WordCutter> WordCutter::open() {
  auto state = std::make_unique<State>();
  const auto refused = [] { return fail(Code::kInternal, "SQLite has no tokenizer of FTS5"); };
  if (sqlite3_open_v2(":memory:", &state->connection,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                      nullptr) != SQLITE_OK) {
    return refused();
  }
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(state->connection, "SELECT fts5(?1)", -1, &statement, nullptr) ==
      SQLITE_OK) {
    sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
  }
  sqlite3_finalize(statement);
  void* context = nullptr;
  if (api == nullptr ||
      api->xFindTokenizer(api, "unicode61", &context, &state->methods) != SQLITE_OK ||
      state->methods.xCreate(context, nullptr, 0, &state->tokenizer) != SQLITE_OK) {
    return refused();
  }
  return WordCutter(std::move(state));
}

Result<void> WordCutter::cut(std::string_view text,
                             const std::function<void(std::string_view)>& each) {
  const auto take = [](void* context, int, const char* word, int size_bytes, int, int) {
    const auto& call = *static_cast<const std::function<void(std::string_view)>*>(context);
    call(std::string_view(word, static_cast<size_t>(size_bytes)));
    return SQLITE_OK;
  };
  // The callback gets the function back as it was: FTS5's interface has no const.
  void* context = const_cast<std::function<void(std::string_view)>*>(&each);
  if (state_->methods.xTokenize(state_->tokenizer, context, FTS5_TOKENIZE_DOCUMENT, text.data(),
                                static_cast<int>(text.size()), take) != SQLITE_OK) {
    return fail(Code::kInternal, "SQLite could not cut a text into words");
  }
  return {};
}

}  // namespace coff::trail
