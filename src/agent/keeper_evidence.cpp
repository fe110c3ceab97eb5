// The trail's entry of a sealed evidence bundle: what its manifest's hash is, and who collected it.
#include "agent/call_arguments.hpp"
#include "agent/keeper.hpp"
#include "base/bytes.hpp"

namespace coff::agent {
namespace {

constexpr std::size_t kTextBytesMax = 1000;
/// Members that the entry takes from the call as they are.
constexpr std::string_view kTexts[] = {"id",      "case",      "container", "custody_head",
                                       "purpose", "authority", "host_key",  "action"};
constexpr std::string_view kNumbers[] = {"files", "bytes", "gaps", "custody_records"};

}  // namespace

Result<void> Keeper::record_evidence(std::string_view text, Answer& answer) {
  const boost::json::object arguments = TRY(arguments_of(text));
  const std::string hash = TRY(text_argument(arguments, "manifest_sha256"));
  if (hash.size() != 2 * sizeof(Hash) || !from_hex(hash)) {
    return fail(Code::kInvalid, "manifest_sha256 must have 64 hexadecimal digits");
  }
  std::string members;
  JsonWriter json(members);
  json.begin_object().member("manifest_sha256", hash);
  for (const std::string_view name : kTexts) {
    const std::string value = TRY(text_argument(arguments, name));
    if (value.size() > kTextBytesMax) {
      return fail(Code::kInvalid,
                  std::string(name) + " has more than " + std::to_string(kTextBytesMax) + " bytes");
    }
    json.member(name, value);
  }
  for (const std::string_view name : kNumbers) {
    json.member(name, TRY(number_of(arguments, name, 0)));
  }
  if (const auto* who = arguments.if_contains("who")) {
    json.key("who").raw(boost::json::serialize(*who));
  }
  json.end_object();
  if (log_.disk_full()) {
    return fail(Code::kIo, "the disk is full: the trail takes no entry");
  }
  append_own("evidence", members.substr(1, members.size() - 2));
  const std::uint64_t seq = log_.size() - 1;
  TRY(commit());
  std::string line;
  JsonWriter(line)
      .begin_object()
      .member("epoch", log_.epoch())
      .member("seq", seq)
      .member("origin", log_.verifier_key().name)
      .end_object();
  return answer.line(line);
}

}  // namespace coff::agent
