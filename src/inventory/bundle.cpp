// Files of one root file system on their way to the process that parses them.
#include "inventory/bundle.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace coff::inventory {

void append_entry(std::string& bundle, std::string_view name, std::string_view bytes) {
  const std::array<std::uint64_t, 2> sizes = {name.size(), bytes.size()};
  bundle.append(reinterpret_cast<const char*>(sizes.data()), sizeof sizes);
  bundle.append(name).append(bytes);
}

Result<std::vector<BundleEntry>> read_bundle(std::string_view bundle) {
  std::vector<BundleEntry> entries;
  while (!bundle.empty()) {
    std::array<std::uint64_t, 2> sizes{};
    if (bundle.size() < sizeof sizes) return fail(Code::kInvalid, "a bundle is cut off");
    std::memcpy(sizes.data(), bundle.data(), sizeof sizes);
    bundle.remove_prefix(sizeof sizes);
    if (sizes[0] > bundle.size() || sizes[1] > bundle.size() - sizes[0]) {
      return fail(Code::kInvalid, "a bundle is cut off");
    }
    entries.push_back({bundle.substr(0, sizes[0]), bundle.substr(sizes[0], sizes[1])});
    bundle.remove_prefix(sizes[0] + sizes[1]);
  }
  return entries;
}

void append_text(std::string& list, std::string_view text) { list.append(text).append(1, '\0'); }

std::vector<std::string_view> read_texts(std::string_view list) {
  std::vector<std::string_view> texts;
  while (!list.empty()) {
    const std::size_t end = list.find('\0');
    texts.push_back(list.substr(0, end));
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
  }
  return texts;
}

}  // namespace coff::inventory
