#ifndef FOVEA_CORE_ERROR_H_
#define FOVEA_CORE_ERROR_H_

#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <string>

/// Errors are exceptions that name the operation and carry everything the caller needs to mend it:
/// `[matmul] inner sizes differ: (32,128) x (64,10)`. The library works on after any caught error.

namespace fovea {

/// Base of every error the library throws.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A memory request that could not be met, even after the cache was released. Sizes in bytes.
class OutOfMemory : public Error {
 public:
  OutOfMemory(const std::string& message, std::size_t requested, std::size_t allocated, std::size_t peak)
      : Error(message), requested(requested), allocated(allocated), peak(peak) {}
  std::size_t requested;  ///< the size that was asked for
  std::size_t allocated;  ///< held by live tensors at that moment
  std::size_t peak;       ///< the most that was ever held
};

/// Writes its arguments one after the other into a string.
template <class... Parts>
std::string cat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Throws Error("[op] parts...").
template <class... Parts>
[[noreturn]] void fail(const char* op, const Parts&... parts) {
  throw Error(cat("[", op, "] ", parts...));
}

/// Checks what the caller is responsible for; the message is built only when the check fails.
template <class... Parts>
void require(bool ok, const char* op, const Parts&... parts) {
  if (!ok) [[unlikely]]
    fail(op, parts...);
}

}  // namespace fovea

#endif  // FOVEA_CORE_ERROR_H_
