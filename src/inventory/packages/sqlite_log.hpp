// A SQLite database as it is after its write-ahead log: nothing is written, and no lock is taken.
#pragma once

#include <string>
#include <string_view>

namespace coff::inventory {

/// `database` with the committed frames of `log` in it (sqlite.org/fileformat2.html section 4), and
/// marked as a database without a log, so that a copy in memory can be opened. A frame whose salt
/// or checksum is wrong ends the log, as it does for SQLite.
std::string with_sqlite_log(std::string_view database, std::string_view log);

}  // namespace coff::inventory
