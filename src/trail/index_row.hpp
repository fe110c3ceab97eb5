// What the index keeps of one entry, read from its JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coff::trail {

/// Most bytes of text that are searchable in one entry; the rest is not indexed.
inline constexpr size_t kIndexedTextBytesMax = 16384;

/// Everything that is absent in the entry, or has another type than expected, stays empty.
struct IndexRow {
  std::optional<std::int64_t> wall_ns;     ///< "time".
  std::optional<std::int64_t> boot_ns;     ///< "boot".
  std::string type;                        ///< "type".
  std::string kind;                        ///< "kind".
  std::string container_id;                ///< "container"."id".
  std::string container_name;              ///< "container"."name".
  std::string image;                       ///< "container"."image".
  std::optional<std::int64_t> pid;         ///< "process"."pid".
  std::optional<std::int64_t> process_id;  ///< "process"."id", 16 hexadecimal digits.
  std::optional<std::int64_t> uid;         ///< "user"."uid".
  std::optional<std::int64_t> login_uid;   ///< "user"."login"."uid".
  std::string exe;                         ///< "process"."exe".
  std::string path;                        ///< "file"."path", else "socket"."path".
  std::string text;                        ///< All other strings, for full-text search.
};

/// An entry that isn't JSON gives an empty row: the index must not stumble over any bytes.
IndexRow read_index_row(std::string_view entry);

}  // namespace coff::trail
