// Pieces of translated conditions put together.
#include "sigma/part.hpp"

namespace coff::sigma {

Part part_not(Part part) {
  if (part.constant) return Part::of(!*part.constant);
  if (part.expression.type == rules::Expression::Type::kNot) {
    rules::Expression inner = std::move(part.expression.children.front());
    return Part::of(std::move(inner));
  }
  rules::Expression made;
  made.type = rules::Expression::Type::kNot;
  made.children.push_back(std::move(part.expression));
  return Part::of(std::move(made));
}

Part part_chain(bool all, std::vector<Part> parts) {
  std::vector<rules::Expression> kept;
  for (Part& part : parts) {
    if (part.constant && *part.constant != all) return Part::of(!all);
    if (!part.constant) kept.push_back(std::move(part.expression));
  }
  if (kept.empty()) return Part::of(all);
  return Part::of(all ? all_of(std::move(kept)) : any_of(std::move(kept)));
}

}  // namespace coff::sigma
