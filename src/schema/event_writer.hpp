// Private to the room: JSON members with a byte budget, exact bytes of broken UTF-8, and paths.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_writer.hpp"
#include "schema/event_json.hpp"

namespace coff::schema {

/// Writes the members of one event. Untrusted strings go through text() and element(): they are
/// left out when empty, cut when the budget is used up, and kept as base64 when they are not
/// UTF-8. Numbers and our own words are small and are paid for by the reserve.
class EventWriter {
 public:
  EventWriter(std::string& out, const JsonOptions& options);

  JsonWriter json;

  void open(std::string_view key);        ///< Begins an object member.
  void open_array(std::string_view key);  ///< Begins an array member.
  void open_element();                    ///< Begins an object in an array.
  void close();                           ///< Ends the innermost of those.

  void text(std::string_view key, std::string_view value);
  void element(std::string_view value);
  /// A member whose name is untrusted too (labels).
  void pair(std::string_view untrusted_key, std::string_view value);
  /// Our own text: left out when empty.
  void word(std::string_view key, std::string_view value);
  template <typename T>
  void number(std::string_view key, T value) {
    json.member(key, value);
  }
  /// A number that is left out when it is zero.
  template <typename T>
  void positive(std::string_view key, T value) {
    if (value != 0) json.member(key, value);
  }
  void flag(std::string_view key, bool value) {
    if (value) json.member(key, true);
  }
  void hex(std::string_view key, std::uint64_t value);  ///< 16 digits, a string.

  /// True while at least `bytes` of the budget are left; otherwise the current place is noted as
  /// cut. For loops over lists whose length is untrusted.
  bool has_room(size_t bytes);
  /// Writes "bytes" and "cut" into the open object.
  void finish();

 private:
  struct Level {
    std::string_view key;
    bool array = false;
    size_t count = 0;
  };

  [[nodiscard]] size_t left() const;
  [[nodiscard]] std::string place(std::string_view key) const;
  void value(std::string_view key, std::string_view value);
  void note_cut(std::string_view key);

  std::string& out_;
  size_t start_;
  size_t limit_;
  size_t pending_ = 0;  // Bytes that finish() will add.
  std::array<Level, 8> levels_{};
  size_t depth_ = 0;
  std::vector<std::pair<std::string, std::string>> bytes_;
  std::vector<std::string> cut_;
};

// The groups of an event, each a member of the open object.
void write_process(EventWriter& writer, const Event& event, const JsonOptions& options);
void write_user(EventWriter& writer, const Event& event, const JsonOptions& options);
void write_person(EventWriter& writer, const Event& event);
void write_container(EventWriter& writer, const Event& event, const JsonOptions& options);
void write_detail(EventWriter& writer, const Event& event, const JsonOptions& options);

/// The text with its secrets replaced as the options say.
std::string redacted(std::string_view text, const JsonOptions& options);

/// User name in the event's own terms: host users by `names`; in a container only root is known.
std::string_view user_name(const Event& event, const UserNames* names, std::uint32_t uid);
std::string_view group_name(const Event& event, const UserNames* names, std::uint32_t gid);

}  // namespace coff::schema
