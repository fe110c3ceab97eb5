// Deterministic JSON output: the hot path of every event, bounded and always valid (RFC 8259).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coff {

/// Writes one JSON document into a string that it does not own. Members appear in call order, so
/// equal calls give equal bytes. Invalid UTF-8 in a value is written as U+FFFD and counted by
/// replaced_count(), so that callers can keep the exact bytes elsewhere. Not thread-safe.
///
///   JsonWriter json(out);
///   json.begin_object().key("pid").number(7).key("args").begin_array().string("-l").end_array();
///   json.end_object();
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);  ///< `name` must be plain ASCII without escapes.
  JsonWriter& string(std::string_view value);
  JsonWriter& number(std::int64_t value);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& number(int value) { return number(static_cast<std::int64_t>(value)); }
  JsonWriter& number(unsigned value) { return number(static_cast<std::uint64_t>(value)); }
  JsonWriter& number(double value);  ///< Shortest form that reads back equal; NaN and Inf as null.
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  ///< A complete JSON value made elsewhere.

  /// Member in one call: key and value.
  template <typename T>
  JsonWriter& member(std::string_view name, const T& value) {
    key(name);
    if constexpr (std::is_same_v<T, bool>) return boolean(value);
    else if constexpr (std::is_arithmetic_v<T>) return number(value);
    else return string(value);
  }

  /// How many values had invalid UTF-8 replaced.
  [[nodiscard]] std::uint64_t replaced_count() const { return replaced_; }

 private:
  void separate();

  std::string& out_;
  bool need_comma_ = false;
  std::uint64_t replaced_ = 0;
};

}  // namespace coff
