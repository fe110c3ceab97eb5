// Requests for approval and the signatures that came for them, as files in a folder.
#pragma once

#include <string>
#include <vector>

#include "playbook/approval.hpp"

namespace coff::playbook {

/// ID.json is a request, ID.txt the text to sign, ID.N.sig the signatures. Nothing in the folder is
/// trusted: what counts is checked each time against the request that the caller makes anew.
class ApprovalStore {
 public:
  explicit ApprovalStore(std::string folder) : folder_(std::move(folder)) {}

  /// Writes a request; one of the same id is replaced, which voids its signatures unless it is
  /// equal to the bit.
  Result<void> ask(const ApprovalRequest& request) const;
  [[nodiscard]] Result<ApprovalRequest> read(const std::string& id) const;
  /// Ids of all requests, sorted; at most 10,000.
  [[nodiscard]] Result<std::vector<std::string>> list() const;
  /// Keeps a signature, at most 16 for each request. It is not checked here.
  Result<void> add(const std::string& id, std::string_view signature) const;
  [[nodiscard]] std::vector<std::string> signatures(const std::string& id) const;

 private:
  [[nodiscard]] Result<std::string> path_of(const std::string& id, std::string_view suffix) const;
  std::string folder_;
};

}  // namespace coff::playbook
