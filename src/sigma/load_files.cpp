// Loads Sigma files and folders of them, with the licence that lies beside them.
#include <algorithm>
#include <filesystem>

#include "base/fd.hpp"
#include "sigma/sigma.hpp"

namespace coff::sigma {

namespace {

namespace fs = std::filesystem;

constexpr size_t kFilesMax = 10'000;
constexpr int kDepthMax = 16;

bool is_rule_file(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yml" || extension == ".yaml";
}

// Files below a folder in the order of their paths, or the path itself.
std::vector<std::string> files_of(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  fs::recursive_directory_iterator it(path, error);
  for (; !error && it != fs::recursive_directory_iterator() && files.size() < kFilesMax;
       it.increment(error)) {
    std::error_code ignored;
    if (it.depth() > kDepthMax) it.disable_recursion_pending();
    if (it->is_regular_file(ignored) && is_rule_file(it->path())) {
      files.push_back(it->path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

// What the first line of a licence file says, without the signs of a heading.
std::string license_in(const fs::path& folder) {
  constexpr size_t kBytesMax = 65536;
  constexpr size_t kLineMax = 128;
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator();
       it.increment(error)) {
    std::error_code ignored;
    const bool named = it->path().filename().string().starts_with("LICENSE");
    if (named && it->is_regular_file(ignored)) found.push_back(it->path());
  }
  // The most particular one: LICENSE.Detection.Rules.md before LICENSE.
  std::ranges::sort(found, [](const fs::path& a, const fs::path& b) {
    return a.string().size() > b.string().size();
  });
  for (const fs::path& path : found) {
    const auto text = read_file(path.string(), kBytesMax);
    if (!text) continue;
    std::string_view line = std::string_view(*text).substr(0, text->find('\n'));
    line.remove_prefix(std::min(line.find_first_not_of("# \t"), line.size()));
    line = line.substr(0, std::min(line.find_last_not_of(" \t\r") + 1, kLineMax));
    if (!line.empty()) return std::string(line);
  }
  return {};
}

/// Licences of folders, each looked up once.
class Licenses {
 public:
  explicit Licenses(const std::string& path) {
    const fs::path given = fs::path(path).lexically_normal();
    std::error_code error;
    const fs::path folder = fs::is_directory(given, error) ? given : given.parent_path();
    top_ = folder.parent_path();
    if (folder.filename().empty()) top_ = folder.parent_path().parent_path();
  }

  const std::string& of(const fs::path& folder) {
    const auto known = known_.find(folder.string());
    if (known != known_.end()) return known->second;
    std::string license = license_in(folder);
    const bool ends = folder == top_ || folder.parent_path() == folder || folder.empty();
    if (license.empty() && !ends) license = of(folder.parent_path());
    return known_.emplace(folder.string(), std::move(license)).first->second;
  }

 private:
  fs::path top_;
  std::map<std::string, std::string> known_;
};

rules::Problem unreadable(const std::string& path, std::string why) {
  return {.code = "LOAD_ERR_FILE_READ",
          .message = std::move(why),
          .file = path,
          .context = {},
          .snippet = {}};
}

}  // namespace

Loaded load_files(const std::vector<std::string>& rule_paths,
                  const std::vector<std::string>& sigma_paths, rules::LoadOptions rule_options,
                  Options options) {
  Loader loader(std::move(rule_options), std::move(options));
  std::vector<rules::Problem> problems;
  rules::add_files(loader.rules(), rule_paths, problems);
  for (const std::string& path : sigma_paths) {
    Licenses licenses(path);
    for (const std::string& file : files_of(path)) {
      auto text = read_file(file, rules::Loader::kFileBytesMax);
      if (!text) {
        problems.push_back(unreadable(file, text.error().message()));
        continue;
      }
      const fs::path folder = fs::path(file).lexically_normal().parent_path();
      loader.add(file, std::move(*text), licenses.of(folder));
    }
  }
  Loaded loaded = loader.finish();
  auto& all = loaded.rules.problems;
  all.insert(all.begin(), problems.begin(), problems.end());
  return loaded;
}

}  // namespace coff::sigma
