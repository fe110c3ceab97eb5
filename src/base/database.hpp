// SQLite as values: a connection and prepared statements that close themselves.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace coff {

class Database;

/// A prepared statement. Bindings are numbered from 1, columns from 0.
class Statement {
 public:
  Statement& bind(int at, std::int64_t value);
  Statement& bind_text(int at, std::string_view value);  ///< Borrowed until the next reset().
  Statement& bind_blob(int at, std::string_view value);  ///< Likewise.
  Statement& bind_null(int at);
  /// True when there is a row, false at the end.
  Result<bool> step();
  /// step() for statements without rows, then reset().
  Result<void> run();
  void reset();
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::string_view blob(int column) const;  ///< Valid until the next step().

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A connection, to be used by one thread. Errors of a damaged file have Code::kCorrupt.
class Database {
 public:
  enum class Mode : unsigned char { kReadOnly, kReadWrite };
  static Result<Database> open(const std::string& path, Mode mode);
  /// A database in memory from the bytes of a file that may be hostile; nothing can be written.
  static Result<Database> open_copy(std::string_view bytes);
  Result<void> execute(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  /// True when the file was removed or replaced since it was opened.
  [[nodiscard]] bool was_replaced() const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace coff
