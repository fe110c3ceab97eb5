// Files of allowed signers: who may approve, and with which key.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "playbook/sshsig.hpp"

namespace coff::playbook {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

// The next word of a line; options may hold quoted parts.
std::string_view next_word(std::string_view& line) {
  const size_t begin = std::min(line.find_first_not_of(" \t"), line.size());
  size_t end = begin;
  for (bool quoted = false;
       end < line.size() && (quoted || (line[end] != ' ' && line[end] != '\t')); ++end) {
    if (line[end] == '"') quoted = !quoted;
  }
  const std::string_view word = line.substr(begin, end - begin);
  line.remove_prefix(end);
  return word;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  size_t begin = 0;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] == '"') quoted = !quoted;
    if (at < text.size() && (quoted || text[at] != ',')) continue;
    parts.push_back(text.substr(begin, at - begin));
    begin = at + 1;
  }
  return parts;
}

// YYYYMMDD, YYYYMMDDHHMM[SS], with Z for UTC; without it the local time of ssh-keygen, here UTC.
Result<std::int64_t> time_of(std::string_view text) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (!std::ranges::all_of(text, [](char byte) { return byte >= '0' && byte <= '9'; }) ||
      (text.size() != 8 && text.size() != 12 && text.size() != 14)) {
    return fail(Code::kInvalid, "a time is not YYYYMMDD[HHMM[SS]]");
  }
  std::string whole(text);
  whole.resize(14, '0');
  const std::string_view at = whole;
  return TRY(parse_time(fmt::format("{}-{}-{}T{}:{}:{}Z", at.substr(0, 4), at.substr(4, 2),
                                    at.substr(6, 2), at.substr(8, 2), at.substr(10, 2),
                                    at.substr(12, 2)))) /
         kSecondNs;
}

Result<void> read_option(std::string_view option, Signer& signer) {
  const size_t equal = std::min(option.find('='), option.size());
  const std::string_view name = option.substr(0, equal);
  std::string_view value = equal < option.size() ? option.substr(equal + 1) : "";
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
    value = value.substr(1, value.size() - 2);
  }
  if (name == "namespaces") {
    for (const std::string_view each : split(value)) signer.name_spaces.emplace_back(each);
  } else if (name == "valid-after") {
    signer.valid_after_s = TRY(time_of(value));
  } else if (name == "valid-before") {
    signer.valid_before_s = TRY(time_of(value));
  } else {
    return fail(Code::kInvalid, "the option " + printable(name) + " is not supported");
  }
  return {};
}

bool is_key_type(std::string_view word) {
  return word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-");
}

Result<std::vector<Signer>> read_line(std::string_view line) {
  const std::string_view people = next_word(line);
  std::string_view word = next_word(line);
  Signer signer;
  if (!is_key_type(word)) {
    for (const std::string_view option : split(word)) TRY(read_option(option, signer));
    word = next_word(line);
  }
  if (!is_key_type(word)) return fail(Code::kInvalid, "there is no key");
  signer.public_key = TRY(from_base64(next_word(line)));
  // The blob says its type again.
  const std::string_view blob = signer.public_key;
  if (blob.size() < 4 + word.size() || blob.substr(4, word.size()) != word) {
    return fail(Code::kInvalid, "the key is of another type than its line says");
  }
  std::vector<Signer> signers;
  for (const std::string_view person : split(people)) {
    if (person.empty() || person.find_first_of("*?!\"") != person.npos) {
      return fail(Code::kInvalid, "a principal must be one person, not a pattern");
    }
    signers.push_back(signer);
    signers.back().person = person;
  }
  return signers;
}

}  // namespace

Result<std::vector<Signer>> parse_signers(std::string_view text) {
  if (text.size() > kSignersBytesMax) return fail(Code::kLimit, "there are too many signers");
  std::vector<Signer> signers;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const size_t first = line.find_first_not_of(" \t");
    if (first == line.npos || line[first] == '#') continue;
    auto read = read_line(line);
    if (!read) {
      return fail(Code::kInvalid, fmt::format("line {}: {}", number, read.error().what));
    }
    for (Signer& signer : *read) signers.push_back(std::move(signer));
    if (signers.size() > kSignersMax) return fail(Code::kLimit, "there are too many signers");
  }
  return signers;
}

Result<std::vector<Signer>> read_signers(const std::string& path) {
  const Fd file = TRY(open_file(path, O_RDONLY | O_NOFOLLOW));
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return fail_errno("cannot look at " + path);
  if (!S_ISREG(facts.st_mode) || (facts.st_uid != 0 && facts.st_uid != ::geteuid()) ||
      (facts.st_mode & 022U) != 0) {
    return fail(Code::kDenied, path +
                                   ": who may approve must be a file of root that nobody else "
                                   "can write");
  }
  auto signers = parse_signers(TRY(read_to_end(file, kSignersBytesMax)));
  if (!signers) return fail(signers.error().code, path + ": " + signers.error().what);
  return signers;
}

const Signer* find_signer(const std::vector<Signer>& signers, std::string_view public_key,
                          std::string_view name_space, std::int64_t wall_ns) {
  const std::int64_t now_s = wall_ns / kSecondNs;
  const auto found = std::ranges::find_if(signers, [&](const Signer& signer) {
    return signer.public_key == public_key &&
           (!signer.valid_after_s || now_s >= *signer.valid_after_s) &&
           (!signer.valid_before_s || now_s < *signer.valid_before_s) &&
           (signer.name_spaces.empty() ||
            std::ranges::find(signer.name_spaces, name_space) != signer.name_spaces.end());
  });
  return found == signers.end() ? nullptr : &*found;
}

}  // namespace coff::playbook
