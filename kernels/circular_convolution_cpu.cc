#include "fovea/kernels/circular_convolution.h"
#include "fovea/kernels/loops.h"

// The index (i + shift) mod n is two contiguous runs: i + shift up to the end, then from the start.

namespace fovea {
namespace {

constexpr auto op = "circular_convolution";

// to(i) (set or +=) c from((i + shift) mod n), 0 <= shift < n
template <class T>
void add_shifted(T* to, T c, const T* from, Index shift, Index n, Into into) {
  store(to, n - shift, into, [=](Index i) { return c * from[i + shift]; });
  store(to + (n - shift), shift, into, [=](Index i) { return c * from[i]; });
}

// sum_i a(i) b((i + shift) mod n)
template <class T>
T dot_shifted(const T* a, const T* b, Index shift, Index n) {
  return sum_of<T>(n - shift, [=](Index i) { return a[i] * b[i + shift]; }) +
         sum_of<T>(shift, [=](Index i) { return a[n - shift + i] * b[i]; });
}

template <class F>
void each_row(const View& w, Index shifts, F&& f) {
  const Index n = w.shape.back(), rows = w.numel() / n;
  parallel_for(rows, n * shifts, cheap_grain, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) f(r);
  });
}

}  // namespace

void circular_convolution_forward(Cpu, const View& w, const View& s, const View& y) {
  const Index n = w.shape.back(), shifts = s.shape.back(), half = (shifts - 1) / 2;
  visit_float(op, w.dtype, [&]<class T>() {
    each_row(w, shifts, [&](Index r) {
      for (Index t = 0; t < shifts; ++t)
        add_shifted(y.as<T>() + r * n, s.as<const T>()[r * shifts + t], w.as<const T>() + r * n,
                    (half - t + n) % n, n, t == 0 ? Into::set : Into::add);
    });
  });
}

void circular_convolution_backward(Cpu, const View& w, const View& s, const View& dy, const Target& dw,
                                   const Target& ds) {
  const Index n = w.shape.back(), shifts = s.shape.back(), half = (shifts - 1) / 2;
  visit_float(op, w.dtype, [&]<class T>() {
    each_row(w, shifts, [&](Index r) {
      const T *pw = w.as<const T>() + r * n, *ps = s.as<const T>() + r * shifts,
              *pdy = dy.as<const T>() + r * n;
      for (Index t = 0; t < shifts; ++t) {
        if (dw)
          add_shifted(dw.as<T>() + r * n, ps[t], pdy, (t - half + n) % n, n, t == 0 ? dw.into : Into::add);
        if (ds) {
          T& to = ds.as<T>()[r * shifts + t];
          const T sum = dot_shifted(pdy, pw, (half - t + n) % n, n);
          to = ds.into == Into::set ? sum : to + sum;
        }
      }
    });
  });
}

}  // namespace fovea
