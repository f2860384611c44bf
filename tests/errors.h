#ifndef FOVEA_TESTS_ERRORS_H_
#define FOVEA_TESTS_ERRORS_H_

#include <string>

#include "fovea/core/error.h"

namespace fovea::tests {

/// The message of the Error that f throws; "" when it throws none. Other exceptions pass through.
std::string error_of(auto&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace fovea::tests

#endif  // FOVEA_TESTS_ERRORS_H_
