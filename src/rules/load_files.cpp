// Loads rule files and folders of them.
#include <algorithm>
#include <filesystem>

#include "base/fd.hpp"
#include "rules/rules.hpp"

namespace coff::rules {

namespace {

namespace fs = std::filesystem;

constexpr size_t kFilesMax = 10'000;

Problem unreadable(const std::string& path, std::string why) {
  return {.code = "LOAD_ERR_FILE_READ",
          .message = std::move(why),
          .file = path,
          .context = {},
          .snippet = {}};
}

// The files of a folder by name, or the path itself.
std::vector<std::string> files_of(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  fs::directory_iterator it(path, error);
  for (; !error && it != fs::directory_iterator() && files.size() < kFilesMax;
       it.increment(error)) {
    const std::string extension = it->path().extension().string();
    std::error_code ignored;
    // NAME.test.yaml lies beside the rules that it tests.
    const bool wanted = (extension == ".yaml" || extension == ".yml") &&
                        !it->path().stem().string().ends_with(".test");
    if (wanted && it->is_regular_file(ignored)) files.push_back(it->path().string());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

void add_files(Loader& loader, const std::vector<std::string>& paths,
               std::vector<Problem>& problems) {
  for (const std::string& path : paths) {
    for (const std::string& file : files_of(path)) {
      auto text = read_file(file, Loader::kFileBytesMax);
      if (text) loader.add(file, std::move(*text));
      else problems.push_back(unreadable(file, text.error().message()));
    }
  }
}

Loaded load_files(const std::vector<std::string>& paths, LoadOptions options) {
  Loader loader(std::move(options));
  std::vector<Problem> problems;
  add_files(loader, paths, problems);
  Loaded loaded = loader.finish();
  loaded.problems.insert(loaded.problems.begin(), problems.begin(), problems.end());
  return loaded;
}

}  // namespace coff::rules
