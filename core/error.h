#ifndef FOVEA_CORE_ERROR_H_
#define FOVEA_CORE_ERROR_H_

#include <cstddef>
#include <initializer_list>
#include <ostream>
#include <stdexcept>
#include <string>
#include <type_traits>

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
  OutOfMemory(const std::string& message, std::size_t requested, std::size_t allocated, std::size_t peak,
              std::size_t free = 0)
      : Error(message), requested(requested), allocated(allocated), peak(peak), free(free) {}
  std::size_t requested;  ///< the size that was asked for; 0: CUDA asked for memory of its own
  std::size_t allocated;  ///< held by live tensors at that moment
  std::size_t peak;       ///< the most that was ever held
  std::size_t free;       ///< what a GPU had left; 0 on the host

  /// The same, its message followed by what it was for.
  OutOfMemory during(const std::string& what_for) const {
    return {what() + (" (" + what_for + ")"), requested, allocated, peak, free};
  }
};

namespace detail {

/// A part of a message and how to write it, its type forgotten: so messages are put together in one place,
/// and not by code of their own for every list of types.
class Part {
 public:
  Part(const char* text)
      : value_(text),
        write_([](std::ostream& out, const void* value) { out << static_cast<const char*>(value); }) {}
  template <class T>
  requires(!std::is_array_v<T> && !std::is_same_v<T, const char*>) Part(const T& value)
      : value_(&value),
        write_([](std::ostream& out, const void* value) { out << *static_cast<const T*>(value); }) {}

  friend std::ostream& operator<<(std::ostream& out, const Part& part) {
    part.write_(out, part.value_);
    return out;
  }

 private:
  const void* value_;
  void (*write_)(std::ostream&, const void*);
};

std::string text_of(std::initializer_list<Part> parts);
[[noreturn]] void fail_with(const char* op, std::initializer_list<Part> parts);

}  // namespace detail

/// Writes its arguments one after the other into a string.
template <class... Parts>
std::string cat(const Parts&... parts) {
  return detail::text_of({parts...});
}

/// Throws Error("[op] parts...").
template <class... Parts>
[[noreturn]] void fail(const char* op, const Parts&... parts) {
  detail::fail_with(op, {parts...});
}

/// Checks what the caller is responsible for; the message is built only when the check fails.
template <class... Parts>
void require(bool ok, const char* op, const Parts&... parts) {
  if (!ok) [[unlikely]]
    detail::fail_with(op, {parts...});
}

}  // namespace fovea

#endif  // FOVEA_CORE_ERROR_H_
