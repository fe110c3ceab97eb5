// SQLite as values: a connection and prepared statements that close themselves.
#include "base/database.hpp"

#include <sqlite3.h>

#include <cstring>

namespace coff {

namespace {

// How long a reader or writer waits for another before it gives up.
constexpr int kBusyTimeoutMs = 5000;

std::unexpected<Error> database_error(sqlite3* connection, std::string_view doing) {
  const int code = sqlite3_errcode(connection) & 0xFF;
  Code kind = Code::kIo;
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) kind = Code::kCorrupt;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) kind = Code::kBusy;
  if (code == SQLITE_CANTOPEN) kind = Code::kNotFound;
  if (code == SQLITE_ERROR) kind = Code::kInvalid;
  return fail(kind, std::string(doing) + ": " + sqlite3_errmsg(connection));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Statement& Statement::bind(int at, std::int64_t value) {
  COFF_ASSERT(sqlite3_bind_int64(statement_.get(), at, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_text(int at, std::string_view value) {
  if (value.data() == nullptr) value = "";  // SQLite would take it for NULL.
  COFF_ASSERT(sqlite3_bind_text(statement_.get(), at, value.data(), static_cast<int>(value.size()),
                                SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_blob(int at, std::string_view value) {
  if (value.data() == nullptr) value = "";
  COFF_ASSERT(sqlite3_bind_blob(statement_.get(), at, value.data(), static_cast<int>(value.size()),
                                SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind_null(int at) {
  COFF_ASSERT(sqlite3_bind_null(statement_.get(), at) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_error(sqlite3_db_handle(statement_.get()), "the database failed");
}

Result<void> Statement::run() {
  const auto stepped = step();
  reset();
  if (!stepped) return std::unexpected(stepped.error());
  return {};
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return text == nullptr ? std::string() : std::string(text, static_cast<size_t>(size));
}

std::string_view Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<size_t>(size));
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  sqlite3* connection = nullptr;
  const int flags =
      mode == Mode::kReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database;
  database.connection_.reset(connection);
  if (code != SQLITE_OK) return database_error(connection, "cannot open " + path);
  sqlite3_busy_timeout(connection, kBusyTimeoutMs);
  // The file may have been prepared by somebody else: no functions or views out of its schema.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

Result<Database> Database::open_copy(std::string_view bytes) {
  Database database = TRY(open(":memory:", Mode::kReadWrite));
  sqlite3* connection = database.connection_.get();
  const auto size = static_cast<sqlite3_int64>(bytes.size());
  auto* copy = static_cast<unsigned char*>(sqlite3_malloc64(bytes.size() + 1));
  if (copy == nullptr) return fail(Code::kLimit, "no memory for a copy of a database");
  std::memcpy(copy, bytes.data(), bytes.size());
  // The connection owns the copy from here, also after an error.
  if (sqlite3_deserialize(connection, "main", copy, size, size,
                          SQLITE_DESERIALIZE_READONLY | SQLITE_DESERIALIZE_FREEONCLOSE) !=
      SQLITE_OK) {
    return database_error(connection, "cannot open a copy of a database");
  }
  TRY(database.execute("PRAGMA cell_size_check=ON"));
  return database;
}

Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return database_error(connection_.get(), "the database failed");
  }
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  Statement statement;
  sqlite3_stmt* handle = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK) {
    return database_error(connection_.get(), "the database failed");
  }
  statement.statement_.reset(handle);
  return statement;
}

bool Database::was_replaced() const {
  int moved = 0;
  sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

}  // namespace coff
