#include "fovea/core/error.h"

#include <sstream>

namespace fovea::detail {

std::string text_of(std::initializer_list<Part> parts) {
  std::ostringstream out;
  for (const Part& part : parts) out << part;
  return out.str();
}

void fail_with(const char* op, std::initializer_list<Part> parts) {
  throw Error(cat("[", op, "] ", text_of(parts)));
}

}  // namespace fovea::detail
