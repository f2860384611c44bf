#ifndef FOVEA_KERNELS_TARGET_H_
#define FOVEA_KERNELS_TARGET_H_

#include "fovea/core/into.h"
#include "fovea/kernels/view.h"

namespace fovea {

/// Where a backward kernel puts a gradient (row-major), and whether it sets it or adds to it. False: not
/// wanted.
struct Target {
  View dx;
  Into into = Into::set;
  explicit operator bool() const { return static_cast<bool>(dx); }
  template <class T>
  T* as() const {
    return dx.as<T>();
  }
};

/// The target of input i of a step (`b` is the tape's Backward: kernels do not know the class). Keeps no
/// handle to the buffer, so that an op whose inputs are one tensor gets the one buffer for both: to set, then
/// to add to.
template <class B>
Target target_of(B& b, int i) {
  if (!b.wants(i)) return {};
  auto [dx, into] = b.target(i);
  return {view_of(dx), into};
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_TARGET_H_
