// Checking a sealed bundle: every byte, every file, every signature, every custody record.
#include "evidence/bundle/verify.hpp"

#include <fcntl.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <map>
#include <set>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "evidence/bundle/seal.hpp"
#include "evidence/digest.hpp"
#include "trail/note.hpp"

namespace coff::evidence {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kManifestBytesMax = std::size_t{1} << 20U;
constexpr std::size_t kSumsBytesMax = std::size_t{64} << 20U;

std::string text_of_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(std::string_view(value->get_string()))
                                                : std::string();
}
std::uint64_t number_of_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() && value->get_int64() >= 0
             ? static_cast<std::uint64_t>(value->get_int64())
             : 0;
}
const json::object& object_of(const json::object& object, std::string_view name) {
  static const json::object kNone;
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : kNone;
}

Result<std::string> read_inside(const std::string& folder, std::string_view name,
                                std::size_t bytes_max) {
  const Fd file = TRY(open_file(folder + "/" + std::string(name), O_RDONLY | O_NOFOLLOW));
  return read_to_end(file, bytes_max);
}

class Verifier {
 public:
  Verifier(std::string folder, const VerifyOptions& options)
      : folder_(std::move(folder)), options_(options) {}

  Result<Verification> run() {
    manifest_text_ = TRY(read_inside(folder_, kManifestFile, kManifestBytesMax));
    TRY(read_manifest_members());
    check_sums();
    check_extra();
    check_signatures();
    check_chain();
    return std::move(result_);
  }

  Result<void> read_manifest_members() {
    if (manifest_text_.empty()) {
      manifest_text_ = TRY(read_inside(folder_, kManifestFile, kManifestBytesMax));
    }
    json::error_code problem;
    const json::value value = json::parse(manifest_text_, problem);
    if (problem || !value.is_object())
      return fail(Code::kInvalid, "the manifest is no JSON object");
    manifest_ = value.get_object();
    if (text_of_member(manifest_, "format") != kManifestFormat ||
        number_of_member(manifest_, "version") != std::uint64_t{kManifestVersion}) {
      return fail(Code::kUnsupported, "this is no evidence bundle of a version known here");
    }
    result_.id = text_of_member(manifest_, "id");
    result_.case_id = text_of_member(manifest_, "case");
    result_.container = text_of_member(object_of(manifest_, "target"), "container");
    result_.sealed_at = text_of_member(manifest_, "sealed");
    result_.manifest_sha256 = to_hex(sha256(manifest_text_));
    result_.files = number_of_member(manifest_, "files");
    result_.bytes = number_of_member(manifest_, "bytes");
    result_.gaps = number_of_member(manifest_, "gaps");
    result_.custody_records = number_of_member(object_of(manifest_, "custody"), "records");
    return {};
  }
  Verification take() { return std::move(result_); }

 private:
  void problem(std::string text) {
    if (result_.problems.size() < kProblemsMax) result_.problems.push_back(std::move(text));
  }

  void check_sums() {
    const auto sums = read_inside(folder_, kSumsFile, kSumsBytesMax);
    if (!sums) return problem(sums.error().message());
    if (to_hex(sha256(*sums)) != text_of_member(manifest_, "sums_sha256")) {
      problem("SHA256SUMS is not the one that was sealed");
    }
    std::string_view rest = *sums;
    std::uint64_t bytes = 0;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      constexpr std::size_t kHashDigits = 64;
      if (line.size() < kHashDigits + 3 || line.substr(kHashDigits, 2) != "  ") {
        problem("SHA256SUMS has a malformed line");
        continue;
      }
      const std::string path(line.substr(kHashDigits + 2));
      if (path.front() == '/' || path.find("..") != path.npos) {
        problem("SHA256SUMS names a file outside of the bundle: " + path);
        continue;
      }
      listed_.insert(path);
      if (!is_plain_file(path)) continue;
      std::uint64_t size = 0;
      const auto hash = hash_file(folder_ + "/" + path, size);
      if (!hash) problem(path + ": " + hash.error().message());
      else if (to_hex(*hash) != line.substr(0, kHashDigits)) problem(path + " was changed");
      bytes += size;
    }
    if (listed_.size() != result_.files) problem("the number of files is not the sealed one");
    if (bytes != result_.bytes && result_.problems.empty()) {
      problem("the sum of sizes is not the sealed one");
    }
  }

  bool is_plain_file(const std::string& path) {
    // No folder on the way may be a link, either.
    fs::path at = folder_;
    std::error_code failed;
    for (const auto& part : fs::path(path)) {
      at /= part;
      if (fs::symlink_status(at, failed).type() == fs::file_type::symlink) {
        problem(path + " leads through a link");
        return false;
      }
    }
    const auto type = fs::symlink_status(at, failed).type();
    if (type == fs::file_type::not_found) problem(path + " is missing");
    else if (type != fs::file_type::regular) problem(path + " is no regular file");
    return type == fs::file_type::regular;
  }

  void check_extra() {
    std::set<std::string> expected = listed_;
    expected.insert({std::string(kSumsFile), std::string(kManifestFile)});
    for (const auto& [role, signer] : signers()) {
      expected.insert({"sig/manifest." + role, "sig/" + role + ".pub"});
    }
    expected.insert({"sig/manifest.tsq", "sig/manifest.tsr"});
    std::error_code failed;
    for (fs::recursive_directory_iterator at(folder_, failed), end; !failed && at != end;
         at.increment(failed)) {
      if (at->symlink_status(failed).type() == fs::file_type::directory) continue;
      const std::string path = at->path().string().substr(folder_.size() + 1);
      if (!expected.contains(path)) problem(path + " is not part of what was sealed");
    }
    if (failed) problem("cannot list the bundle: " + failed.message());
  }

  [[nodiscard]] std::map<std::string, json::object> signers() const {
    std::map<std::string, json::object> found;
    const json::value* list = manifest_.if_contains("signers");
    if (list == nullptr || !list->is_array()) return found;
    for (const json::value& one : list->get_array()) {
      if (!one.is_object()) continue;
      const std::string role = text_of_member(one.get_object(), "role");
      if (role == "host" || role == "examiner") found[role] = one.get_object();
    }
    return found;
  }

  void check_signatures() {
    const auto all = signers();
    if (!all.contains("host")) problem("the manifest names no signature of a host");
    for (const auto& [role, signer] : all) {
      const auto raw = from_base64(text_of_member(signer, "public_key"));
      trail::VerifierKey key{.name = role};
      if (!raw || raw->size() != key.key.size()) {
        problem("the manifest's key of the " + role + " is malformed");
        continue;
      }
      std::ranges::copy(octets(*raw), key.key.begin());
      const auto bytes = read_inside(folder_, "sig/manifest." + role, 4096);
      trail::Signature signature{};
      if (!bytes || bytes->size() != signature.size()) {
        problem("the signature of the " + role + " is missing or malformed");
        continue;
      }
      std::ranges::copy(octets(*bytes), signature.begin());
      if (!trail::verify_ed25519(key.key, manifest_text_, signature)) {
        problem("the signature of the " + role + " does not fit the manifest");
      }
      const auto pem = read_inside(folder_, "sig/" + role + ".pub", 4096);
      if (!pem || *pem != key.to_pem()) problem("sig/" + role + ".pub is not the signer's key");
      const bool trusted =
          std::ranges::find(options_.trusted_pem, key.to_pem()) != options_.trusted_pem.end();
      result_.signers.push_back(
          {role, text_of_member(signer, "name"), to_hex(sha256(text_of(key.key))), trusted});
    }
    if (!options_.trusted_pem.empty() &&
        std::ranges::none_of(result_.signers, &CheckedSigner::trusted)) {
      problem("no signature is by a key that is trusted");
    }
  }

  void check_chain() {
    const auto text = read_inside(folder_, kCustodyFile, kCustodyBytesMax);
    if (!text) return problem(text.error().message());
    auto head = check_custody(*text, CustodyHead{});
    if (!head) return problem(head.error().message());
    const json::object& sealed = object_of(manifest_, "custody");
    if (head->hash != text_of_member(sealed, "head") ||
        head->count != number_of_member(sealed, "records")) {
      problem("the custody inside does not end with the sealed record");
    }
    if (options_.continuation.empty() || !fs::exists(options_.continuation)) return;
    const auto outside = read_file(options_.continuation, kCustodyBytesMax);
    if (!outside) return problem(outside.error().message());
    head = check_custody(*outside, *head);
    if (!head) return problem("outside of the bundle: " + head.error().message());
    result_.custody_records = head->count;
  }

  std::string folder_;
  const VerifyOptions& options_;
  std::string manifest_text_;
  json::object manifest_;
  std::set<std::string> listed_;
  Verification result_;
};

std::string without_slash(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return folder;
}

}  // namespace

Result<Verification> verify_bundle(const std::string& folder, const VerifyOptions& options) {
  return Verifier(without_slash(folder), options).run();
}

Result<Verification> read_manifest(const std::string& folder) {
  const VerifyOptions none;
  Verifier verifier(without_slash(folder), none);
  TRY(verifier.read_manifest_members());
  return verifier.take();
}

}  // namespace coff::evidence
