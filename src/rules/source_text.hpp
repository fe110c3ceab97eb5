// Private to the room: text made of pieces of rule files that still knows where each byte came
// from, so that an error in a condition points into the file although lists were put in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/yaml.hpp"

namespace coff::rules {

/// A scalar of a rule file.
struct Piece {
  std::uint32_t file = 0;
  size_t line = 1;
  size_t column = 1;
  std::string text;
};

/// A place in a rule file.
struct FilePlace {
  std::uint32_t file = 0;
  size_t line = 1;
  size_t column = 1;
};

class SourceText {
 public:
  static constexpr std::uint32_t kMade = 0xFFFFFFFF;  ///< A byte that stands in no file.

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

  /// Text of no file.
  void append(std::string_view text);
  void append_piece(std::uint32_t piece, std::string_view text);
  void append(const SourceText& other);
  /// The part [begin, end) becomes `text`, which stands for what was at `begin`.
  void replace(size_t begin, size_t end, std::string_view text);

  struct Origin {
    std::uint32_t piece = kMade;
    std::uint32_t offset = 0;
  };
  /// Where the byte came from, or the nearest one before it that came from a file.
  [[nodiscard]] Origin origin(size_t offset) const;

 private:
  std::string text_;
  std::vector<Origin> origins_;
};

/// Where the byte `offset` of a scalar stands in the text of its file. Folding and indentation
/// change only blanks, so the other bytes are counted; where escapes defeat that it is the place
/// of the scalar itself.
FilePlace locate(const Piece& piece, std::string_view file_text, size_t offset);

}  // namespace coff::rules
