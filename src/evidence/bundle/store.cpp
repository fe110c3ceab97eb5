// The local store of evidence: a folder of bundles, the host's key, custody after the seal.
#include "evidence/bundle/store.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/clock.hpp"
#include "evidence/bundle/seal.hpp"

namespace coff::evidence {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKeyFile = "host.key";
constexpr std::string_view kCustodyEnding = ".custody.jsonl";

std::uint64_t bytes_below(const std::string& folder) {
  std::uint64_t bytes = 0;
  std::error_code failed;
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    struct stat status{};
    if (::lstat(at->path().c_str(), &status) == 0) {
      bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
  }
  return bytes;
}

std::string without_ending(std::string_view name, std::string_view ending) {
  return std::string(name.substr(0, name.size() - ending.size()));
}

Result<void> make_key(const std::string& path) {
  const trail::SigningKey key = TRY(trail::SigningKey::generate());
  const std::string pem = TRY(key.to_pem());
  return replace_file(path, pem, 0600);
}

std::string safe(std::string_view text, std::size_t size_max) {
  std::string name;
  for (const char c : text.substr(0, size_max)) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    name += plain ? c : '-';
  }
  return name;
}

}  // namespace

Result<Store> Store::open(const std::string& folder) {
  std::error_code failed;
  fs::create_directories(fs::path(folder).parent_path(), failed);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("cannot make " + folder);
  }
  Store store = TRY(open_existing(folder));
  const std::string key = store.folder_ + "/" + std::string(kKeyFile);
  if (::access(key.c_str(), F_OK) != 0) TRY(make_key(key));
  return store;
}

Result<Store> Store::open_existing(const std::string& folder) {
  struct stat status{};
  if (::lstat(folder.c_str(), &status) != 0) {
    return fail_errno(folder + ": there is no store of evidence");
  }
  // Whoever else may write there could put other bytes in place of ours.
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 022U) != 0) {
    return fail(Code::kDenied, folder + " must be a folder that only its owner, you, can write");
  }
  return Store(folder);
}

Result<std::vector<Listed>> Store::list() const {
  std::vector<Listed> found;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder_, failed)) {
    const std::string name = entry.path().filename().string();
    const bool open = name.ends_with(kOpenEnding);
    if ((!open && !name.ends_with(kSealedEnding)) || found.size() >= kBundlesMax) continue;
    Listed one{.folder = entry.path().string(), .open = open};
    one.id = without_ending(name, open ? kOpenEnding : kSealedEnding);
    one.bytes = bytes_below(one.folder);
    if (!open) {
      auto manifest = read_manifest(one.folder);
      if (manifest) one.manifest = std::move(*manifest);
      else one.problem = manifest.error().message();
    }
    found.push_back(std::move(one));
  }
  if (failed) return fail(Code::kIo, "cannot list " + folder_ + ": " + failed.message());
  std::ranges::sort(found, {}, &Listed::id);
  return found;
}

Result<std::uint64_t> Store::left_bytes(std::uint64_t quota_bytes) const {
  const std::uint64_t used = bytes_below(folder_);
  struct statvfs disk{};
  if (::statvfs(folder_.c_str(), &disk) != 0) return fail_errno("cannot ask the disk");
  const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const std::uint64_t by_disk = free > kFreeBytesMin ? free - kFreeBytesMin : 0;
  const std::uint64_t by_quota = quota_bytes > used ? quota_bytes - used : 0;
  const std::uint64_t left = std::min(by_disk, by_quota);
  if (left == 0) {
    return fail(Code::kLimit, "the store holds " + std::to_string(used >> 20U) +
                                  " MiB and the disk has " + std::to_string(free >> 20U) +
                                  " MiB left: export and remove bundles, or raise the quota");
  }
  return left;
}

Result<std::string> Store::find(const std::string& wanted) const {
  if (wanted.find('/') != wanted.npos) return wanted;
  std::string found;
  for (const Listed& one : TRY(list())) {
    if (one.open || !one.id.starts_with(wanted)) continue;
    if (one.id == wanted) return one.folder;
    if (!found.empty()) return fail(Code::kInvalid, wanted + " is the beginning of several ids");
    found = one.folder;
  }
  if (found.empty()) return fail(Code::kNotFound, "there is no sealed bundle " + wanted);
  return found;
}

Result<std::string> Store::find_open(const std::string& id) const {
  for (const Listed& one : TRY(list())) {
    if (one.open && one.id == id) return one.folder;
  }
  return fail(Code::kNotFound, "no interrupted collection has the id " + id);
}

Result<trail::SigningKey> Store::host_key() const {
  constexpr std::size_t kKeyBytesMax = 4096;
  const std::string pem = TRY(read_file(folder_ + "/" + std::string(kKeyFile), kKeyBytesMax));
  return trail::SigningKey::from_pem(pem);
}

std::string continuation_of(const std::string& sealed_folder) {
  std::string base = sealed_folder;
  while (base.ends_with('/')) base.pop_back();
  if (base.ends_with(kSealedEnding)) base = without_ending(base, kSealedEnding);
  return base + std::string(kCustodyEnding);
}

Result<void> continue_custody(const std::string& sealed_folder, const CustodyRecord& record) {
  const std::string inside =
      TRY(read_file(sealed_folder + "/" + std::string(kCustodyFile), kCustodyBytesMax));
  const CustodyHead sealed = TRY(check_custody(inside, CustodyHead{}));
  Custody custody = TRY(Custody::open(continuation_of(sealed_folder), sealed));
  return custody.append(record);
}

std::string new_bundle_id(std::string_view case_id, std::string_view container,
                          std::int64_t wall_ns) {
  // "2026-01-31T12:00:00.…" without its signs.
  std::string time;
  for (const char c : format_time(wall_ns).substr(0, 19)) {
    if (c != '-' && c != ':') time += c;
  }
  return safe(case_id.empty() ? "nocase" : case_id, 48) + "_" +
         safe(container.empty() ? "process" : container, 12) + "_" + time + "Z";
}

}  // namespace coff::evidence
