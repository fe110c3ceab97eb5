// Which service a container belongs to.
#include <algorithm>

#include "base/bytes.hpp"
#include "baseline/feature.hpp"

namespace coff::baseline {

namespace {

/// Names beyond this many bytes are cut: they come from labels.
constexpr std::size_t kServiceBytesMax = 200;

bool is_made_up(std::string_view part) {
  // What Kubernetes puts behind names: letters without vowels, and digits.
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  return part.find_first_not_of(kLetters) == part.npos;
}

/// "web" of "web-7d4b9c6f5-x2x8z" (deployment), "web-x2x8z" (daemon set), "web-0" (stateful set).
std::string_view owner_of(std::string_view pod) {
  const auto last = [&] { return pod.substr(pod.rfind('-') + 1); };
  const auto cut = [&] { pod = pod.substr(0, pod.rfind('-')); };
  if (pod.find('-') == pod.npos) return pod;
  const std::string_view end = last();
  if (!end.empty() && end.find_first_not_of("0123456789") == end.npos) {
    cut();
    return pod;
  }
  if (end.size() != 5 || !is_made_up(end)) return pod;
  cut();
  if (pod.find('-') == pod.npos) return pod;
  const std::string_view hash = last();
  const bool is_hash = hash.size() >= 6 && hash.size() <= 10 && is_made_up(hash);
  const bool is_run = hash.size() >= 8 && hash.find_first_not_of("0123456789") == hash.npos;
  if (is_hash || is_run) cut();  // A template's hash, or the minute of a scheduled job.
  return pod;
}

/// The image without tag and digest; an image that is only an id keeps it.
std::string_view repository_of(std::string_view image) {
  if (image.starts_with("sha256:")) return image;
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.rfind(':');
  const bool tagged = colon != image.npos && (slash == image.npos || colon > slash);
  return tagged ? image.substr(0, colon) : image;
}

std::string name_of(const Container& c) {
  if (!c.compose_service.empty()) return "compose:" + c.compose_project + '/' + c.compose_service;
  if (!c.k8s_pod.empty()) {
    return "k8s:" + c.k8s_namespace + '/' + std::string(owner_of(c.k8s_pod)) + '/' +
           c.k8s_container;
  }
  if (!c.ecs_service.empty()) return "ecs:" + c.ecs_service + '/' + c.ecs_container;
  const std::string_view image = c.image.empty() ? c.image_id : c.image;
  return image.empty() ? std::string() : "image:" + std::string(repository_of(image));
}

}  // namespace

std::string service_of(const Container& container) {
  if (container.metadata == Metadata::kPending || container.engine == "buildkit") return {};
  std::string name = printable(name_of(container));
  if (name.size() <= kServiceBytesMax) return name;
  const Hash hash = sha256(name);
  name.resize(kServiceBytesMax - 17);
  while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0x80U) != 0) name.pop_back();
  return name + '~' + to_hex(std::span(hash).first(8));
}

}  // namespace coff::baseline
