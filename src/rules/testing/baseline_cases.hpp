// Cases of the shipped rules about departures from learned behaviour.
#pragma once

#include "rules/testing/shipped_cases.hpp"

namespace coff::rules::testing {

/// The event as the departure that the agent makes of it.
inline Event departed(const Scene& scene, std::string_view what, std::string_view value) {
  Event event = scene.event();
  Departure departure;
  departure.trigger = event.kind;
  departure.service = "compose:shop/web";
  departure.what = what;
  departure.value = value;
  departure.state = "watching";
  event.kind = Kind::departure;
  event.departure = std::make_shared<const Departure>(std::move(departure));
  return event;
}

inline ShippedCases baseline_cases() {
  const Scene shell = run("sh");
  const Scene unshared = call(COFF_KIND_unshare, SYS_unshare);
  const Scene file = wrote("/srv/new");
  return {
      {"Program that its service never ran", departed(shell, "executable", "/bin/sh"),
       shell.event()},
      {"Program started by an unusual parent", departed(shell, "child", "/app > /bin/sh"),
       departed(shell, "executable", "/bin/sh")},
      {"Sensitive call that its service never made", departed(unshared, "call", "unshare"),
       unshared.event()},
      {"Capability that its service never had", departed(shell, "capability", "CAP_SYS_ADMIN"),
       departed(shell, "user", "0")},
      {"File that its service never wrote", departed(file, "file", "/srv/new"), file.event()},
      {"User that its service never was", departed(shell, "user", "0"), shell.event()},
      {"Port that its service never listened on",
       departed(call(COFF_KIND_listen, SYS_listen), "port", "tcp/4444"),
       departed(shell, "user", "4444")},
  };
}

}  // namespace coff::rules::testing
