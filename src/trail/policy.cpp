// Trust policies: which logs are believed and which witnesses must agree (C2SP tlog-policy).
#include "trail/policy.hpp"

#include <algorithm>

namespace coff::trail {

namespace {

Result<std::vector<std::string_view>> split_words(std::string_view line) {
  const auto is_control = [](std::uint8_t byte) {
    return (byte < 0x20 && byte != '\t') || byte == 0x7F;
  };
  if (std::ranges::any_of(octets(line), is_control)) {
    return fail(Code::kInvalid, "a control character");
  }
  std::vector<std::string_view> words;
  size_t at = 0;
  while (at < line.size()) {
    if (line[at] == ' ' || line[at] == '\t') {
      ++at;
      continue;
    }
    const size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
    if (words.size() > kPolicyItemsMax) return fail(Code::kLimit, "too many words");
  }
  return words;
}

}  // namespace

Policy Policy::of_log(const VerifierKey& key) {
  Policy policy;
  policy.logs_.push_back({key, {}});
  policy.quorum_ = "none";
  return policy;
}

bool Policy::defined(std::string_view name) const {
  return groups_.contains(std::string(name)) ||
         std::ranges::find(witnesses_, name, &Witness::name) != witnesses_.end();
}

Result<void> Policy::take_group(const std::vector<std::string_view>& words) {
  if (words.size() < 4) return fail(Code::kInvalid, "a group needs a name, a rule and members");
  const std::string name(words[1]);
  if (name == "none" || defined(name)) return fail(Code::kInvalid, "name is taken: " + name);
  Group group;
  for (size_t at = 3; at < words.size(); ++at) {
    const std::string member(words[at]);
    if (!defined(member)) return fail(Code::kInvalid, "not defined before: " + member);
    if (std::ranges::find(used_, member) != used_.end()) {
      return fail(Code::kInvalid, "is a member twice: " + member);
    }
    used_.push_back(member);
    group.members.push_back(member);
  }
  if (words[2] == "all") {
    group.threshold = group.members.size();
  } else if (words[2] == "any") {
    group.threshold = 1;
  } else {
    group.threshold = TRY(parse_decimal(words[2]));
  }
  if (group.threshold < 1 || group.threshold > group.members.size()) {
    return fail(Code::kInvalid, "the threshold is not between 1 and the number of members");
  }
  groups_.emplace(name, std::move(group));
  return {};
}

Result<void> Policy::take_line(const std::vector<std::string_view>& words) {
  if (logs_.size() + witnesses_.size() + groups_.size() >= kPolicyItemsMax) {
    return fail(Code::kLimit, "too many logs, witnesses and groups");
  }
  if (words[0] == "log" && (words.size() == 2 || words.size() == 3)) {
    Log log{TRY(VerifierKey::parse(words[1])), std::string(words.size() == 3 ? words[2] : "")};
    if (log.key.type != KeyType::kEd25519) {
      return fail(Code::kInvalid, "a log's key must have signature type 1");
    }
    if (std::ranges::any_of(logs_, [&](const Log& old) { return old.key.key == log.key.key; })) {
      return fail(Code::kInvalid, "the log is listed twice");
    }
    logs_.push_back(std::move(log));
    return {};
  }
  if (words[0] == "witness" && (words.size() == 3 || words.size() == 4)) {
    Witness witness{std::string(words[1]), TRY(VerifierKey::parse(words[2])),
                    std::string(words.size() == 4 ? words[3] : "")};
    if (witness.key.type != KeyType::kCosignature) {
      return fail(Code::kInvalid, "a witness's key must have signature type 4");
    }
    const auto same = [&](const Witness& old) { return old.key.key == witness.key.key; };
    if (witness.name == "none" || defined(witness.name) || std::ranges::any_of(witnesses_, same)) {
      return fail(Code::kInvalid, "the witness's name or key is taken");
    }
    witnesses_.push_back(std::move(witness));
    return {};
  }
  if (words[0] == "group") return take_group(words);
  if (words[0] == "quorum" && words.size() == 2) {
    if (!quorum_.empty()) return fail(Code::kInvalid, "a second quorum");
    if (words[1] != "none" && !defined(words[1])) {
      return fail(Code::kInvalid, "the quorum is not defined before");
    }
    quorum_ = words[1];
    return {};
  }
  return fail(Code::kInvalid, "not a log, witness, group or quorum line");
}

Result<Policy> Policy::parse(std::string_view text) {
  if (text.size() > kPolicyBytesMax) return fail(Code::kLimit, "policy is too long");
  Policy policy;
  for (int number = 1; !text.empty(); ++number) {
    const std::string where = "policy line " + std::to_string(number) + ": ";
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return fail(Code::kInvalid, where + "no newline at its end");
    auto words = split_words(text.substr(0, end));
    if (!words) return fail(Code::kInvalid, where + words.error().what);
    text.remove_prefix(end + 1);
    if (words->empty() || words->front().starts_with('#')) continue;
    if (auto taken = policy.take_line(*words); !taken) {
      return fail(Code::kInvalid, where + taken.error().what);
    }
  }
  if (policy.quorum_.empty()) return fail(Code::kInvalid, "policy has no quorum line");
  return policy;
}

bool Policy::satisfied(const std::string& name, const std::map<std::string, bool>& cosigned) const {
  const auto group = groups_.find(name);
  if (group == groups_.end()) return cosigned.at(name);
  // Groups refer only to what stands before them, so this ends.
  const auto count = std::ranges::count_if(
      group->second.members, [&](const auto& member) { return satisfied(member, cosigned); });
  return static_cast<size_t>(count) >= group->second.threshold;
}

Result<void> Policy::check(const SignedCheckpoint& checkpoint) const {
  bool signed_by_log = false;
  for (const Log& log : logs_) {
    if (log.key.name != checkpoint.checkpoint.origin) continue;
    const Verified verified = verify_note(checkpoint.note, log.key);
    if (verified.present && !verified.valid) {
      return fail(Code::kInvalid, "the checkpoint's signature is wrong");
    }
    signed_by_log = signed_by_log || verified.valid;
  }
  if (!signed_by_log) {
    return fail(Code::kInvalid, "the checkpoint of " + checkpoint.checkpoint.origin +
                                    " is not signed by a trusted log key of that name");
  }
  std::map<std::string, bool> cosigned;
  std::string missing;
  for (const Witness& witness : witnesses_) {
    const Verified verified = verify_note(checkpoint.note, witness.key);
    if (verified.present && !verified.valid) {
      return fail(Code::kInvalid, "the cosignature of witness " + witness.name + " is wrong");
    }
    cosigned[witness.name] = verified.valid;
    if (!verified.valid) missing += (missing.empty() ? "" : ", ") + witness.name;
  }
  if (wants_witnesses() && !satisfied(quorum_, cosigned)) {
    return fail(Code::kInvalid, "too few witnesses signed; missing: " + missing);
  }
  return {};
}

}  // namespace coff::trail
