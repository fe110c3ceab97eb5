// A playbook as people read it: an outline, or a Mermaid diagram.
#pragma once

#include <string>

#include "playbook/playbook.hpp"

namespace coff::playbook {

/// The steps from the start on, indented by branch, each once; safe for a terminal.
std::string outline(const Playbook& playbook);
/// A Mermaid flowchart. Names can't leave their quotes.
std::string mermaid(const Playbook& playbook);

}  // namespace coff::playbook
