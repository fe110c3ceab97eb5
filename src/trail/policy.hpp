// Trust policies: which logs are believed and which witnesses must agree (C2SP tlog-policy).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "trail/checkpoint.hpp"
#include "trail/note.hpp"

namespace coff::trail {

/// Limits on a policy file; the specification asks for at least 32 of each.
inline constexpr size_t kPolicyBytesMax = size_t{1024} * 1024;
inline constexpr size_t kPolicyItemsMax = 1024;

class Policy {
 public:
  struct Log {
    VerifierKey key;
    std::string url;
  };
  struct Witness {
    std::string name;
    VerifierKey key;
    std::string url;
  };

  /// Strict reading; an error names the line.
  static Result<Policy> parse(std::string_view text);
  /// A policy that believes one log without any witness.
  static Policy of_log(const VerifierKey& key);

  [[nodiscard]] const std::vector<Log>& logs() const { return logs_; }
  [[nodiscard]] const std::vector<Witness>& witnesses() const { return witnesses_; }
  /// True when a quorum other than "none" is demanded.
  [[nodiscard]] bool wants_witnesses() const { return quorum_ != "none"; }

  /// Success when a listed log whose name is the origin signed it and the quorum cosigned it.
  [[nodiscard]] Result<void> check(const SignedCheckpoint& checkpoint) const;

 private:
  struct Group {
    size_t threshold = 0;
    std::vector<std::string> members;
  };
  Result<void> take_line(const std::vector<std::string_view>& words);
  Result<void> take_group(const std::vector<std::string_view>& words);
  [[nodiscard]] bool defined(std::string_view name) const;
  [[nodiscard]] bool satisfied(const std::string& name,
                               const std::map<std::string, bool>& cosigned) const;

  std::vector<Log> logs_;
  std::vector<Witness> witnesses_;
  std::map<std::string, Group> groups_;
  std::vector<std::string> used_;
  std::string quorum_;
};

}  // namespace coff::trail
