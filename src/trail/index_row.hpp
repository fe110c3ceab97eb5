// What the index reads of one entry's JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace coff::trail {

/// Most bytes of text that are searchable in one entry; the rest is not indexed.
inline constexpr size_t kIndexedTextBytesMax = 16384;

/// Everything that is absent in the entry, or has another type than expected, stays empty.
struct IndexRow {
  std::optional<std::int64_t> wall_ns;     ///< "time".
  std::string_view type;                   ///< "type".
  std::string_view kind;                   ///< "kind".
  std::string_view container_id;           ///< "container"."id".
  std::string_view container_name;         ///< "container"."name".
  std::string_view image;                  ///< "container"."image".
  std::optional<std::int64_t> pid;         ///< "process"."pid".
  std::optional<std::int64_t> process_id;  ///< "process"."id", 16 hexadecimal digits.
  std::optional<std::int64_t> uid;         ///< "user"."uid".
  std::optional<std::int64_t> login_uid;   ///< "user"."login"."uid".
  std::string_view exe;                    ///< "process"."exe".
  std::string_view file_path;              ///< "file"."path".
  std::string_view socket_path;            ///< "socket"."path".
  std::string_view by_user;                ///< "by"."user".
  std::string_view by_component;           ///< "by"."component".
  std::string_view user_name;              ///< "user"."name".
  std::string_view login_name;             ///< "user"."login"."name".
  std::vector<std::string_view> texts;     ///< All other strings, for the search of words.

  [[nodiscard]] std::string_view path() const {
    return file_path.empty() ? socket_path : file_path;
  }
};

/// Reads rows one after the other, without building a document. One thread at a time.
class IndexRowReader {
 public:
  IndexRowReader();
  IndexRowReader(IndexRowReader&&) noexcept;
  IndexRowReader& operator=(IndexRowReader&&) noexcept;
  ~IndexRowReader();

  /// The row is valid until the next call, and as long as the entry's bytes. An entry that isn't
  /// JSON gives an empty row: the index must not stumble over any bytes.
  const IndexRow& read(std::string_view entry);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace coff::trail
