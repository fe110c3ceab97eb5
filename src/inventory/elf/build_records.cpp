// Records that compilers and packagers leave in a program: Go build info, Rust crates, package
// note.
#include "inventory/elf/build_records.hpp"

#include <zlib.h>

#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <memory>

#include "inventory/json_text.hpp"
#include "inventory/packages/text_lines.hpp"

namespace coff::inventory {
namespace {

namespace json = boost::json;

constexpr std::size_t kUnpackedBytesMax = std::size_t{16} << 20U;
constexpr std::size_t kModulesMax = 20'000;

/// An unsigned LEB128 length and as many bytes; nothing when `bytes` is too short.
bool take_counted(std::string_view& bytes, std::string_view& taken) {
  std::uint64_t size = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    if (bytes.empty()) return false;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    size |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) != 0) continue;
    if (size > bytes.size()) return false;
    taken = bytes.substr(0, size);
    bytes.remove_prefix(size);
    return true;
  }
  return false;
}

std::string_view take_word(std::string_view& line) {
  const std::size_t tab = line.find('\t');
  const std::string_view word = line.substr(0, tab);
  line = tab == std::string_view::npos ? std::string_view() : line.substr(tab + 1);
  return word;
}

Package go_module(std::string_view name, std::string_view version) {
  return {.type = PackageType::kGo, .name = std::string(name), .version = std::string(version)};
}

/// "dep\tpath\tversion\tsum", and "=>\t…" on the next line for what replaced it.
std::vector<Package> modules_of(std::string_view text) {
  std::vector<Package> modules;
  TextLines lines(text);
  for (std::string_view line; lines.next(line) && modules.size() < kModulesMax;) {
    const std::string_view kind = take_word(line);
    if (kind != "dep" && kind != "=>" && kind != "mod") continue;
    const std::string_view name = take_word(line);
    const std::string_view version = take_word(line);
    if (kind == "=>" && !modules.empty()) modules.pop_back();
    // A program that was built in its own folder has no version of itself.
    if (!name.empty() && !version.empty() && version != "(devel)") {
      modules.push_back(go_module(name, version));
    }
  }
  return modules;
}

Result<std::string> unpack(std::string_view packed) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return fail(Code::kInternal, "zlib can't be started");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ending(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  std::array<char, 65536> buffer{};
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    code = inflate(&stream, Z_NO_FLUSH);
    text.append(buffer.data(), buffer.size() - stream.avail_out);
    if (text.size() > kUnpackedBytesMax) return fail(Code::kLimit, "a record is too large");
  }
  if (code != Z_STREAM_END) return fail(Code::kInvalid, "a record is not valid zlib data");
  return text;
}

}  // namespace

Result<std::vector<Package>> read_go_build_info(std::string_view bytes) {
  constexpr std::size_t kHeaderBytes = 32;
  constexpr std::size_t kSentinelBytes = 16;
  if (!bytes.starts_with(kGoMagic) || bytes.size() < kHeaderBytes) {
    return fail(Code::kInvalid, "no Go build info");
  }
  constexpr unsigned kInline = 2;
  if ((static_cast<unsigned char>(bytes[15]) & kInline) == 0) {
    return fail(Code::kUnsupported, "Go build info of a release before 1.18 is not read");
  }
  bytes.remove_prefix(kHeaderBytes);
  std::string_view release;
  std::string_view text;
  if (!take_counted(bytes, release) || !take_counted(bytes, text)) {
    return fail(Code::kInvalid, "Go build info is cut off");
  }
  if (text.size() >= 2 * kSentinelBytes) {
    text = text.substr(kSentinelBytes, text.size() - 2 * kSentinelBytes);
  }
  std::vector<Package> found = modules_of(text);
  if (release.starts_with("go")) {
    // Experiments follow after a space: "go1.22.1 X:…".
    found.push_back(go_module("stdlib", release.substr(2, release.find(' ') - 2)));
  }
  return found;
}

Result<std::vector<Package>> read_rust_crates(std::string_view section) {
  const std::string text = TRY(unpack(section));
  const json::value root = TRY(parse_json(text));
  std::vector<Package> found;
  for (const json::value& item : items_of(root, "packages")) {
    if (text_of(item, "kind") == "build") continue;  // ran at build time alone
    Package crate{.type = PackageType::kRust,
                  .name = std::string(text_of(item, "name")),
                  .version = std::string(text_of(item, "version"))};
    if (crate.name.empty() || crate.version.empty()) {
      return fail(Code::kInvalid, "a crate has no name or no version");
    }
    if (found.size() < kModulesMax) found.push_back(std::move(crate));
  }
  return found;
}

Result<std::vector<Package>> read_package_note(std::string_view text) {
  const std::size_t end = text.find('\0');
  const json::value root = TRY(parse_json(text.substr(0, end)));
  Package package{.name = std::string(text_of(root, "name")),
                  .version = std::string(text_of(root, "version")),
                  .arch = std::string(text_of(root, "architecture"))};
  std::vector<Package> found;
  if (!type_of(text_of(root, "type"), package.type)) return found;
  if (package.name.empty() || package.version.empty()) {
    return fail(Code::kInvalid, "a package note has no name or no version");
  }
  found.push_back(std::move(package));
  return found;
}

}  // namespace coff::inventory
