// Text made of pieces of rule files that still knows where each byte came from.
#include "rules/source_text.hpp"

#include <algorithm>

namespace coff::rules {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

size_t offset_of(std::string_view text, size_t line, size_t column) {
  size_t at = 0;
  for (size_t seen = 1; seen < line && at != text.npos; ++seen) {
    at = text.find('\n', at);
    if (at != text.npos) ++at;
  }
  return at == text.npos ? text.size() : std::min(at + column - 1, text.size());
}

}  // namespace

void SourceText::append(std::string_view text) {
  text_ += text;
  origins_.resize(text_.size());
}

void SourceText::append_piece(std::uint32_t piece, std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    origins_.push_back({piece, static_cast<std::uint32_t>(at)});
  }
  text_ += text;
}

void SourceText::append(const SourceText& other) {
  text_ += other.text_;
  origins_.insert(origins_.end(), other.origins_.begin(), other.origins_.end());
}

void SourceText::replace(size_t begin, size_t end, std::string_view text) {
  const Origin stands_for = begin < origins_.size() ? origins_[begin] : Origin{};
  text_.replace(begin, end - begin, text);
  const auto first = origins_.begin() + static_cast<std::ptrdiff_t>(begin);
  const size_t kept = std::min(end - begin, text.size());
  std::fill(first, first + static_cast<std::ptrdiff_t>(kept), stands_for);
  const auto behind = first + static_cast<std::ptrdiff_t>(kept);
  if (text.size() > kept) {
    origins_.insert(behind, text.size() - kept, stands_for);
  } else {
    origins_.erase(behind, behind + static_cast<std::ptrdiff_t>(end - begin - kept));
  }
}

SourceText::Origin SourceText::origin(size_t offset) const {
  if (origins_.empty()) return {};
  size_t at = std::min(offset, origins_.size() - 1);
  while (at > 0 && origins_[at].piece == kMade) --at;
  return origins_[at];
}

FilePlace locate(const Piece& piece, std::string_view file_text, size_t offset) {
  const FilePlace start{.file = piece.file, .line = piece.line, .column = piece.column};
  size_t at = offset_of(file_text, piece.line, piece.column);
  if (at < file_text.size() && (file_text[at] == '>' || file_text[at] == '|')) {
    at = std::min(file_text.find('\n', at), file_text.size());
  } else if (at < file_text.size() && (file_text[at] == '"' || file_text[at] == '\'')) {
    ++at;
  }
  const std::string_view wanted = std::string_view(piece.text).substr(0, offset + 1);
  size_t found = at;
  for (const char c : wanted) {
    if (is_blank(c)) continue;
    while (at < file_text.size() && is_blank(file_text[at])) ++at;
    if (at >= file_text.size() || file_text[at] != c) return start;
    found = at++;
  }
  FilePlace place = start;
  const size_t line_start = found == 0 ? file_text.npos : file_text.rfind('\n', found - 1);
  place.column = line_start == file_text.npos ? found + 1 : found - line_start;
  place.line =
      1 + static_cast<size_t>(std::count(
              file_text.begin(), file_text.begin() + static_cast<std::ptrdiff_t>(found), '\n'));
  return place;
}

}  // namespace coff::rules
