// Bytes that tell where in a text one of many patterns may be.
#include "rules/anchors.hpp"

namespace coff::rules {

namespace {

// How often a byte occurs in paths and command lines, about, in hundredths.
unsigned frequency(std::uint8_t byte) {
  constexpr std::string_view kOften = "/esratinol- cdpu.mhb";
  constexpr unsigned kPercent[] = {900, 700, 600, 600, 600, 600, 600, 500, 500, 500,
                                   400, 400, 350, 350, 300, 300, 300, 250, 200, 200};
  const size_t at = kOften.find(static_cast<char>(byte));
  return at == kOften.npos ? 80 : kPercent[at];
}

}  // namespace

Anchors Anchors::choose(const std::vector<std::string>& patterns, bool fold_case) {
  // One comparison for each anchor and sixteen bytes is worth about so many hits.
  constexpr unsigned kComparison = 100;
  Anchors chosen;
  chosen.case_bits_ = fold_case ? 0x20 : 0;
  std::vector<std::string> open = patterns;
  for (std::string& pattern : open) {
    for (char& byte : pattern) byte = static_cast<char>(byte | chosen.case_bits_);
  }
  while (!open.empty()) {
    std::array<size_t, 256> patterns_with{};
    for (const std::string& pattern : open) {
      std::array<bool, 256> seen{};
      for (const char c : pattern) seen[static_cast<std::uint8_t>(c)] = true;
      for (size_t byte = 0; byte < 256; ++byte) patterns_with[byte] += seen[byte] ? 1U : 0U;
    }
    const auto worth = [&](size_t byte) {
      return static_cast<double>(patterns_with[byte]) /
             (frequency(static_cast<std::uint8_t>(byte)) + kComparison);
    };
    size_t best = 0;
    for (size_t byte = 1; byte < 256; ++byte) {
      if (worth(byte) > worth(best)) best = byte;
    }
    Anchor anchor{.byte = static_cast<std::uint8_t>(best), .offsets = {}};
    std::erase_if(open, [&](const std::string& pattern) {
      const size_t offset = pattern.find(static_cast<char>(best));
      if (offset == pattern.npos) return false;
      anchor.offsets.push_back(static_cast<std::uint16_t>(offset));
      return true;
    });
    std::ranges::sort(anchor.offsets);
    const auto last = std::unique(anchor.offsets.begin(), anchor.offsets.end());
    anchor.offsets.erase(last, anchor.offsets.end());
    if (anchor.offsets.size() > kOffsetsMax || chosen.anchors_.size() == kAnchorsMax) return {};
    chosen.anchors_.push_back(std::move(anchor));
  }
  return chosen;
}

}  // namespace coff::rules
