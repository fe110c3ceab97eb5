// Requests for approval and the signatures that came for them, as files in a folder.
#include "playbook/approval_store.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/fd.hpp"

namespace coff::playbook {
namespace {

constexpr size_t kRequestsMax = 10'000;
constexpr size_t kSignaturesMax = 16;
constexpr std::string_view kName =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

}  // namespace

Result<std::string> ApprovalStore::path_of(const std::string& id, std::string_view suffix) const {
  if (id.empty() || id.size() > 128 || id.front() == '.' ||
      id.find_first_not_of(kName) != id.npos) {
    return fail(Code::kInvalid, "not the name of a request: " + id);
  }
  return folder_ + '/' + id + std::string(suffix);
}

Result<void> ApprovalStore::ask(const ApprovalRequest& request) const {
  std::error_code problem;
  const std::filesystem::path folder = folder_;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), problem);
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("cannot make " + folder_);
  }
  TRY(replace_file(TRY(path_of(request.id, ".txt")), text_of(request), 0600));
  return replace_file(TRY(path_of(request.id, ".json")), pretty(to_json(request)), 0600);
}

Result<ApprovalRequest> ApprovalStore::read(const std::string& id) const {
  const std::string text = TRY(read_file(TRY(path_of(id, ".json")), kDocumentBytesMax));
  return approval_from_json(TRY(parse_document(text)));
}

Result<std::vector<std::string>> ApprovalStore::list() const {
  std::vector<std::string> ids;
  std::error_code problem;
  for (std::filesystem::directory_iterator at(folder_, problem), end;
       !problem && at != end && ids.size() < kRequestsMax; at.increment(problem)) {
    if (at->path().extension() == ".json") ids.push_back(at->path().stem().string());
  }
  if (problem) return fail(Code::kNotFound, "nothing was asked for in " + folder_);
  std::ranges::sort(ids);
  return ids;
}

Result<void> ApprovalStore::add(const std::string& id, std::string_view signature) const {
  TRY(read(id));
  TRY(SshSignature::parse(signature));
  const size_t count = signatures(id).size();
  if (count >= kSignaturesMax) return fail(Code::kLimit, "the request has too many signatures");
  return replace_file(TRY(path_of(id, fmt::format(".{}.sig", count))), signature, 0600);
}

std::vector<std::string> ApprovalStore::signatures(const std::string& id) const {
  std::vector<std::string> all;
  while (all.size() < kSignaturesMax) {
    const auto path = path_of(id, fmt::format(".{}.sig", all.size()));
    if (!path) break;
    auto text = read_file(*path, kSshSignatureBytesMax);
    if (!text) break;
    all.push_back(std::move(*text));
  }
  return all;
}

}  // namespace coff::playbook
