#ifndef FOVEA_KERNELS_VIEW_H_
#define FOVEA_KERNELS_VIEW_H_

#include "fovea/core/dtype.h"
#include "fovea/core/shape.h"

namespace fovea {

/// What a kernel knows of a tensor: where its elements start, their type, and how they are laid out.
struct View {
  void* data = nullptr;  // null: no tensor
  DType dtype = DType::f32;
  Shape shape;
  Shape strides;        // in elements
  bool packed = false;  // row-major without gaps: kernels may take the elements as one run

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  explicit operator bool() const { return data != nullptr; }
  Index numel() const { return shape.numel(); }
};

/// The view of a tensor (anything with its accessors: kernels do not know the class). Undefined gives none.
template <class T>
View view_of(const T& t) {
  if (!t.defined()) return {};
  return {const_cast<void*>(t.raw()), t.dtype(), t.shape(), t.strides(), t.contiguous()};
}

/// The view of a tensor stretched to a shape that it broadcasts to: the dimensions it lacks get stride 0.
template <class T>
View view_of(const T& t, const Shape& to) {
  if (t.shape() == to) return view_of(t);
  View v{const_cast<void*>(t.raw()), t.dtype(), to, to};
  const int shift = to.rank() - t.rank();
  for (int d = 0; d < to.rank(); ++d) {
    const int from = d - shift;
    v.strides[d] = from < 0 || (t.shape()[from] == 1 && to[d] != 1) ? 0 : t.strides()[from];
  }
  return v;
}

}  // namespace fovea

#endif  // FOVEA_KERNELS_VIEW_H_
