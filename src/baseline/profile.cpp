// What was learned of one service: what it knows, and what fits into it.
#include "baseline/profile.hpp"

#include "base/bytes.hpp"
#include "base/json_writer.hpp"

namespace coff::baseline {

std::string key_of(const Feature& feature) {
  return feature.outside_image ? Profile::kOutsideMark + feature.value : feature.value;
}

Feature feature_of(What what, std::string_view key) {
  const bool outside = key.starts_with(Profile::kOutsideMark);
  return {what, std::string(key.substr(outside ? 1 : 0)), outside};
}

bool Profile::knows(const Feature& feature) const {
  if (feature.what == What::kFile) return files.contains(feature.value);
  return values[static_cast<std::size_t>(feature.what)].contains(key_of(feature));
}

std::size_t Profile::size() const {
  std::size_t size = files.size();
  for (const auto& each : values) size += each.size();
  return size;
}

bool Profile::learn(const Feature& feature, std::size_t features_max) {
  if (knows(feature)) return false;
  const auto what = static_cast<std::size_t>(feature.what);
  const std::size_t bytes = feature.value.size() + 1;
  const bool full =
      size() >= features_max || values_bytes_ + files.bytes() + bytes > kValuesBytesMax;
  if (full) {
    ++not_kept[what];
    return false;
  }
  if (feature.what == What::kFile) return files.add(feature.value);
  values_bytes_ += bytes;
  values[what].insert(key_of(feature));
  return true;
}

std::string Profile::fingerprint() const {
  std::string text = service;
  const auto add = [&](std::size_t what, const std::string& key) {
    text += '\n';
    text.append(kWhatNames[what]).append(" ").append(key);
  };
  for (const std::string& path : files.paths()) add(static_cast<std::size_t>(What::kFile), path);
  for (std::size_t what = 0; what < kWhats; ++what) {
    for (const std::string& key : values[what]) add(what, key);
  }
  return to_hex(sha256(text));
}

}  // namespace coff::baseline
