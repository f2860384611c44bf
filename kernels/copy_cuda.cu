#include "fovea/kernels/convert.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/cuda_places.h"

namespace fovea {
namespace {

template <class To, class From>
void copied(Cuda d, const View& to, const View& from, bool add) {
  To* y = to.as<To>();
  const From* x = from.as<const From>();
  const Rows<2> rows =
      to.packed && from.packed ? Rows<2>(to.numel()) : Rows<2>(to.shape, {&to.strides, &from.strides});
  each_place(d, rows, [=] __device__(const Places<2>& at) {
    using Sum = std::conditional_t<std::is_same_v<To, bf16>, float, To>;
    To& out = y[at[0]];
    out = add ? convert<To>(convert<Sum>(out) + convert<Sum>(x[at[1]])) : convert<To>(x[at[1]]);
  });
}

template <class T>
void filled(Cuda d, const View& to, double value) {
  T* y = to.as<T>();
  const T x = convert<T>(value);
  each(d, to.numel(), [=] __device__(Index i) { y[i] = x; });
}

}  // namespace

void copy(Cuda d, const View& to, const View& from, Into into) {
  visit_any(to.dtype, [&]<class To>() {
    visit_any(from.dtype, [&]<class From>() { copied<To, From>(d, to, from, into == Into::add); });
  });
}

void fill(Cuda d, const View& to, double value) {
  visit_any(to.dtype, [&]<class T>() { filled<T>(d, to, value); });
}

}  // namespace fovea
