// Ways to find something in a file, and where in a core's memory a place of its file is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/search/search.hpp"

namespace coff::evidence {

struct Hit {
  std::uint64_t offset = 0;
  std::string_view match;
  std::string_view rule;    ///< YARA's.
  std::string_view string;  ///< YARA's name of the string in the rule.
};
/// False: no more are wanted.
using OnHit = std::function<bool(const Hit& hit)>;

class Finder {
 public:
  Finder() = default;
  Finder(const Finder&) = delete;
  Finder& operator=(const Finder&) = delete;
  virtual ~Finder() = default;
  /// Tells every hit in the file, from its start.
  virtual Result<void> find(const Fd& file, const OnHit& on_hit) = 0;
};

Result<std::unique_ptr<Finder>> make_text_finder(std::string pattern);
Result<std::unique_ptr<Finder>> make_regex_finder(const std::string& pattern);
Result<std::unique_ptr<Finder>> make_yara_finder(const std::string& rules);

/// Gets pieces of a file, each beginning with the last `overlap` bytes of the one before; false
/// ends it.
using OnPiece = std::function<bool(std::uint64_t offset, std::string_view bytes)>;
Result<void> read_pieces(const Fd& file, std::size_t overlap, const OnPiece& on_piece);

/// Segments of an ELF core file: the address of an offset. Empty for any other file.
class CoreMap {
 public:
  static CoreMap read(const Fd& file);
  [[nodiscard]] bool is_core() const { return !segments_.empty(); }
  /// 0 where no memory stands.
  [[nodiscard]] std::uint64_t address_of(std::uint64_t offset) const;

 private:
  struct Segment {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::uint64_t address = 0;
  };
  std::vector<Segment> segments_;
};

}  // namespace coff::evidence
