// cofferdam evidence search: a pattern or YARA rules over every file of a bundle, in workers.
#include <fcntl.h>
#include <sys/mman.h>

#include <boost/json.hpp>
#include <cstdio>

#include "agent/worker.hpp"
#include "base/bytes.hpp"
#include "cli/evidence.hpp"
#include "evidence/bundle/seal.hpp"
#include "evidence/search/search.hpp"

namespace coff::cli {
namespace {

namespace json = boost::json;

/// A core of hundreds of GiB takes its time; memory does not grow with it.
constexpr agent::WorkerLimits kLimits{.memory_bytes = std::uint64_t{1} << 30U,
                                      .cpu_seconds = 3600,
                                      .wall_ms = 3'600'000,
                                      .output_bytes_max = std::size_t{64} << 20U};
constexpr std::size_t kSumsBytesMax = std::size_t{64} << 20U;
constexpr std::uint64_t kHitsMax = 10'000;

Result<std::vector<std::string>> items_of(const std::string& folder) {
  const std::string sums =
      TRY(read_file(folder + "/" + std::string(evidence::kSumsFile), kSumsBytesMax));
  std::vector<std::string> items;
  for (std::size_t at = 0; at < sums.size();) {
    const std::size_t end = std::min(sums.find('\n', at), sums.size());
    const std::string line = sums.substr(at, end - at);
    at = end + 1;
    constexpr std::size_t kPathAt = 66;
    if (line.size() <= kPathAt || line.find("..") != line.npos) continue;
    const std::string path = line.substr(kPathAt);
    // Our own records, not what was collected.
    if (path.starts_with("meta/") || path.starts_with("custody/") || path == "index.html" ||
        path == "README.txt") {
      continue;
    }
    items.push_back(path);
  }
  return items;
}

class Search {
 public:
  Search(const Global& global, std::string folder, std::string question)
      : global_(global), folder_(std::move(folder)), question_(std::move(question)) {}

  Result<std::uint64_t> run(const std::vector<std::string>& items) {
    for (std::size_t at = 0; at < items.size(); at += evidence::kSearchFilesMax) {
      TRY(batch(items, at, std::min(items.size(), at + evidence::kSearchFilesMax)));
    }
    return hits_;
  }

 private:
  Result<void> batch(const std::vector<std::string>& items, std::size_t from, std::size_t end) {
    Fd question(::memfd_create("question", MFD_CLOEXEC));
    if (!question.valid()) return fail_errno("cannot make a file in memory");
    TRY(write_all(question, question_));
    ::lseek(question.get(), 0, SEEK_SET);
    std::vector<Fd> inputs;
    inputs.push_back(std::move(question));
    std::vector<std::string> names;
    for (std::size_t at = from; at < end; ++at) {
      inputs.push_back(
          TRY(open_file(folder_ + "/" + items[at], O_RDONLY | O_NOFOLLOW | O_NONBLOCK)));
      names.push_back(items[at]);
    }
    const std::string answer =
        TRY(agent::run_worker(agent::WorkerKind::kSearch, std::move(inputs), kLimits));
    for (std::size_t at = 0; at < answer.size();) {
      const std::size_t stop = std::min(answer.find('\n', at), answer.size());
      tell(std::string_view(answer).substr(at, stop - at), names);
      at = stop + 1;
    }
    return {};
  }

  void tell(std::string_view line, const std::vector<std::string>& names) {
    json::error_code problem;
    json::value value = json::parse(line, problem);
    if (problem || !value.is_object()) return;
    json::object& object = value.get_object();
    const json::value* number = object.if_contains("file");
    if (number == nullptr || !number->is_int64() || number->get_int64() < 0 ||
        static_cast<std::size_t>(number->get_int64()) >= names.size()) {
      return;
    }
    const std::string name = names[static_cast<std::size_t>(number->get_int64())];
    if (const json::value* count = object.if_contains("hits"); count != nullptr) {
      end_of_file(name, object);
      return;
    }
    if (++hits_ > kHitsMax) return;
    object["file"] = name;
    if (global_.json) {
      std::printf("%s\n", json::serialize(object).c_str());
      return;
    }
    std::string text = name;
    const auto add = [&](const char* member, const char* before) {
      const json::value* found = object.if_contains(member);
      if (found == nullptr) return;
      text += before;
      if (found->is_string()) append_printable(text, std::string_view(found->get_string()));
      else text += json::serialize(*found);
    };
    add("offset", " at ");
    if (const json::value* address = object.if_contains("address");
        address != nullptr && address->is_int64()) {
      char digits[32];
      std::snprintf(digits, sizeof digits, " (address 0x%llx)",
                    static_cast<unsigned long long>(address->get_int64()));
      text += digits;
    }
    add("rule", " rule ");
    add("string", " ");
    add("match", ": ");
    std::printf("%s\n", text.c_str());
  }

  void end_of_file(const std::string& name, const json::object& object) {
    const json::value* problem = object.if_contains("problem");
    if (problem != nullptr && problem->is_string() && !problem->get_string().empty()) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(),
                   printable(std::string_view(problem->get_string())).c_str());
    }
    const json::value* count = object.if_contains("hits");
    if (count->is_int64() &&
        count->get_int64() > static_cast<std::int64_t>(evidence::kHitsOfFileMax)) {
      std::fprintf(stderr, "%s: only the first %llu are shown\n", name.c_str(),
                   static_cast<unsigned long long>(evidence::kHitsOfFileMax));
    }
  }

  const Global& global_;
  std::string folder_;
  std::string question_;
  std::uint64_t hits_ = 0;
};

Result<std::string> question_of(const EvidenceOptions& options) {
  if (options.yara.empty() == options.pattern.empty()) {
    return fail(Code::kInvalid, "give either a pattern or --yara FILE");
  }
  if (!options.yara.empty()) {
    const std::string rules = TRY(read_file(options.yara, evidence::kRulesBytesMax));
    return evidence::encode_search(evidence::SearchKind::kYara, rules);
  }
  return evidence::encode_search(
      options.regex ? evidence::SearchKind::kRegex : evidence::SearchKind::kText, options.pattern);
}

}  // namespace

Result<void> run_evidence_search(Global& global, const EvidenceOptions& options) {
  const std::string question = TRY(question_of(options));
  std::string folder = options.bundle;
  if (folder.find('/') == folder.npos) {
    const auto store = TRY(evidence::Store::open_existing(TRY(evidence_folder(global, options))));
    folder = TRY(store.find(options.bundle));
  }
  const std::vector<std::string> items = TRY(items_of(folder));
  const std::uint64_t hits = TRY(Search(global, folder, question).run(items));
  if (hits > kHitsMax) {
    std::fprintf(stderr, "%llu more are not shown\n",
                 static_cast<unsigned long long>(hits - kHitsMax));
  }
  global.exit_code = hits > 0 ? kFound : kOk;
  return {};
}

}  // namespace coff::cli
