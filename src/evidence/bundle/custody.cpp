// The chain of custody: who did what to the evidence, each line holding the hash of the one before.
#include "evidence/bundle/custody.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/clock.hpp"
#include "base/json_writer.hpp"

namespace coff::evidence {
namespace {

namespace json = boost::json;

constexpr std::size_t kLineBytesMax = 65536;

Result<void> check_line(std::string_view line, std::uint64_t seq, const std::string& previous) {
  const auto wrong = [&](const char* what) {
    return fail(Code::kCorrupt, "custody record " + std::to_string(seq) + " " + what);
  };
  if (line.size() > kLineBytesMax) return wrong("is too long");
  json::error_code problem;
  const json::value value = json::parse(line, problem);
  if (problem || !value.is_object()) return wrong("is no JSON object");
  const json::object& record = value.get_object();
  const json::value* number = record.if_contains("seq");
  const json::value* before = record.if_contains("prev");
  if (number == nullptr || !number->is_int64() ||
      number->get_int64() != static_cast<std::int64_t>(seq)) {
    return wrong("is missing: another number stands in its place");
  }
  if (before == nullptr || !before->is_string() ||
      std::string_view(before->get_string()) != previous) {
    return wrong("does not follow the one before it: the chain is broken");
  }
  return {};
}

}  // namespace

Result<CustodyHead> check_custody(std::string_view text, const CustodyHead& from) {
  CustodyHead head = from;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) {
      return fail(Code::kCorrupt,
                  "custody record " + std::to_string(head.count + 1) + " is cut off");
    }
    const std::string_view line = text.substr(0, end);
    TRY(check_line(line, head.count + 1, head.hash));
    head.hash = to_hex(sha256(line));
    ++head.count;
    text.remove_prefix(end + 1);
  }
  return head;
}

Result<Custody> Custody::open(const std::string& path, const CustodyHead& from) {
  Custody custody;
  custody.file_ = TRY(open_file(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW));
  std::string text = TRY(read_to_end(custody.file_, kCustodyBytesMax));
  // A line that a crash cut off was never reported as written.
  const std::size_t whole = text.rfind('\n') == text.npos ? 0 : text.rfind('\n') + 1;
  if (whole != text.size()) {
    text.resize(whole);
    if (::ftruncate(custody.file_.get(), static_cast<off_t>(whole)) != 0) {
      return fail_errno("cannot cut " + path);
    }
  }
  custody.head_ = TRY(check_custody(text, from));
  return custody;
}

Result<void> Custody::append(const CustodyRecord& record) {
  std::string line;
  JsonWriter json(line);
  json.begin_object()
      .member("seq", head_.count + 1)
      .member("time", format_time(wall_now_ns()))
      .member("actor", record.actor)
      .member("role", record.role)
      .member("action", record.action)
      .member("object", record.object)
      .member("sha256", record.sha256)
      .member("purpose", record.purpose)
      .member("authority", record.authority)
      .member("prev", head_.hash)
      .end_object();
  TRY(write_all(file_, line + "\n"));
  if (::fsync(file_.get()) != 0) return fail_errno("cannot make a custody record durable");
  head_.hash = to_hex(sha256(line));
  ++head_.count;
  return {};
}

}  // namespace coff::evidence
