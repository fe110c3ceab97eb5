// Lexical path names.
#include "schema/path.hpp"

#include <algorithm>

namespace coff::schema {

namespace {

// True when the path needs no cleaning: the usual case, answered in one pass.
bool is_clean(std::string_view path) {
  if (path.size() > 1 && path.back() == '/') return false;
  char before = path.empty() || path.front() == '/' ? '\0' : '/';
  for (const char byte : path) {
    if (before == '/' && (byte == '/' || byte == '.')) return false;
    before = byte;
  }
  return true;
}

void remove_last_component(std::string& path) {
  if (path.size() <= 1) {
    if (path != "/") path.clear();
    return;
  }
  path.pop_back();  // The slash that ends every component on the way.
  const size_t slash = path.rfind('/');
  path.resize(slash == std::string::npos ? 0 : slash + 1);
}

}  // namespace

std::string lexical_path(std::string_view base, std::string_view raw) {
  std::string path;
  if (raw.empty()) return path;
  const bool absolute = raw.front() == '/';
  path.reserve((absolute ? 0 : base.size() + 1) + raw.size());
  if (absolute) {
    if (is_clean(raw)) return path.assign(raw);
    path += '/';
  } else if (!base.empty()) {
    path += base;
    if (base.back() != '/') path += '/';
  }
  if (!absolute && is_clean(raw)) return path.append(raw);
  while (!raw.empty()) {
    const size_t slash = std::min(raw.find('/'), raw.size());
    const std::string_view component = raw.substr(0, slash);
    const bool last = slash == raw.size();
    raw.remove_prefix(last ? slash : slash + 1);
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      remove_last_component(path);
      continue;
    }
    path += component;
    if (!last) path += '/';
  }
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::vector<std::string> split_nul(std::string_view list) {
  std::vector<std::string> elements;
  elements.reserve(static_cast<size_t>(std::count(list.begin(), list.end(), '\0')) + 1);
  while (!list.empty()) {
    const size_t end = std::min(list.find('\0'), list.size());
    elements.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return elements;
}

}  // namespace coff::schema
