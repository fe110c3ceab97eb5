// Strict, bounded reading of members of a JSON object from outside. Private to this room.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace coff::runtime {

/// Deepest nesting of arrays and objects that is read.
inline constexpr size_t kJsonDepthMax = 32;
/// Longest text that is kept of one member, in bytes.
inline constexpr size_t kTextBytesMax = 4096;

/// A parsed document with the memory that it lives in. Move-only.
class JsonDocument {
 public:
  /// Parses RFC 8259 text: one value, no comments, valid UTF-8, at most kJsonDepthMax deep.
  /// Memory is bounded to `memory_bytes_max` (kLimit), since small text can make a big tree.
  static Result<JsonDocument> parse(std::string_view text, size_t memory_bytes_max);

  [[nodiscard]] const boost::json::value& root() const { return *root_; }

  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) = delete;
  ~JsonDocument();

 private:
  class Memory;
  explicit JsonDocument(std::unique_ptr<Memory> memory);
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<boost::json::value> root_;
};

/// What went wrong or was left out while reading a document.
struct JsonFindings {
  std::string problem;            ///< The first member of a wrong type; "" when all were right.
  std::vector<std::string> cuts;  ///< Names of members that a limit shortened, each once.

  void cut(std::string_view name);
};

/// One object of a document. A member that is absent or null reads as empty, 0 or false; one of
/// another type is noted in the findings, and reads the same.
class JsonMembers {
 public:
  /// Both outlive this.
  JsonMembers(const boost::json::value& value, std::string_view name, JsonFindings& findings);

  /// Longer texts are cut at kTextBytesMax, at a character's end.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  /// A whole number in [low, high]; anything else is a wrong type.
  [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t low,
                                    std::int64_t high) const;
  [[nodiscard]] JsonMembers object(std::string_view name) const;
  /// Texts of an array, the first `count_max` of them.
  [[nodiscard]] std::vector<std::string> texts(std::string_view name, size_t count_max) const;
  /// Calls `visit` with each element of an array of objects, the first `count_max` of them.
  void each(std::string_view name, size_t count_max,
            const std::function<void(const JsonMembers&)>& visit) const;
  /// Calls `visit` with name and value of every member of this object, the first `count_max`.
  void members(size_t count_max,
               const std::function<void(std::string_view, const boost::json::value&)>& visit) const;
  /// The text in `value`, as text() reads it.
  [[nodiscard]] std::string text_in(const boost::json::value& value, std::string_view name) const;
  [[nodiscard]] JsonFindings& findings() const { return *findings_; }

 private:
  [[nodiscard]] const boost::json::value* member(std::string_view name) const;
  void wrong(std::string_view name) const;

  const boost::json::object* object_ = nullptr;  // null reads as an object without members
  std::string name_;
  JsonFindings* findings_;
};

}  // namespace coff::runtime
