// Orchestrator names from labels.
#include "runtime/labels.hpp"

#include <array>
#include <string_view>

namespace coff::runtime {
namespace {

// Some labels hold an ARN, of which the last part is the name that people use.
enum class Form : unsigned char { kWhole, kLastPart };

struct Rule {
  std::string_view label;
  std::string Container::* member;
  Form form = Form::kWhole;
};

// clang-format off
constexpr std::array kRules = {
    Rule{"com.docker.compose.project", &Container::compose_project},
    Rule{"com.docker.compose.service", &Container::compose_service},
    Rule{"io.podman.compose.project", &Container::compose_project},
    Rule{"io.podman.compose.service", &Container::compose_service},
    Rule{"io.kubernetes.pod.namespace", &Container::k8s_namespace},
    Rule{"io.kubernetes.pod.name", &Container::k8s_pod},
    Rule{"io.kubernetes.pod.uid", &Container::k8s_pod_uid},
    Rule{"io.kubernetes.container.name", &Container::k8s_container},
    Rule{"com.amazonaws.ecs.cluster", &Container::ecs_cluster, Form::kLastPart},
    Rule{"com.amazonaws.ecs.task-arn", &Container::ecs_task, Form::kLastPart},
    Rule{"com.amazonaws.ecs.task-definition-family", &Container::ecs_service},
    Rule{"com.amazonaws.ecs.container-name", &Container::ecs_container},
};
// clang-format on

}  // namespace

void derive_from_labels(Container& container) {
  for (const auto& [name, value] : container.labels) {
    for (const Rule& rule : kRules) {
      if (name != rule.label) continue;
      const size_t slash = rule.form == Form::kLastPart ? value.rfind('/') : std::string::npos;
      container.*rule.member = slash == std::string::npos ? value : value.substr(slash + 1);
    }
  }
}

}  // namespace coff::runtime
