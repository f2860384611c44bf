#include <cstring>

#include "fovea/kernels/around.h"
#include "fovea/kernels/gather.h"
#include "fovea/kernels/parallel.h"

namespace fovea {
namespace {

// Calls f(o, begin, end) for all outer positions and ranges of inner ones. No two threads share an inner
// column of one outer position, so f may add to it; a column is worked on in one piece, so the sums do not
// depend on threads.
template <class F>
void for_columns(const Around& a, F&& f) {
  if (a.outer > 1)
    parallel_for(a.outer, a.size * a.inner, cheap_grain, [&](Index begin, Index end) {
      for (Index o = begin; o < end; ++o) f(o, Index{0}, a.inner);
    });
  else if (a.outer == 1)
    parallel_for(a.inner, a.size, cheap_grain, [&](Index begin, Index end) { f(Index{0}, begin, end); });
}

}  // namespace

Index first_outside(Cpu, const char*, const View& index, Index limit) {
  const auto* p = index.as<const std::int32_t>();
  const Index n = index.numel();
  bool bad = false;
  for (Index k = 0; k < n; ++k) bad |= (p[k] < 0) | (p[k] >= limit);  // no exit inside: vector code
  for (Index k = 0; bad; ++k)
    if (p[k] < 0 || p[k] >= limit) return k;
  return -1;
}

void gather_forward(Cpu, const View& x, int dim, const View& index, const View& y) {
  const Around from(x.shape, dim), to(y.shape, dim);
  const auto* p = index.as<const std::int32_t>();
  visit_any(x.dtype, [&]<class T>() {
    for_columns(to, [&](Index o, Index begin, Index end) {
      const T* source = x.as<const T>() + o * from.size * from.inner;
      for (Index k = 0; k < to.size; ++k) {
        const Index row = (o * to.size + k) * to.inner;
        for (Index i = begin; i < end; ++i) y.as<T>()[row + i] = source[p[row + i] * from.inner + i];
      }
    });
  });
}

void scatter_add_forward(Cpu, const View& x, int dim, const View& index, const View& y) {
  const Around from(x.shape, dim), to(y.shape, dim);
  const auto* p = index.as<const std::int32_t>();
  visit_float("scatter_add", x.dtype, [&]<class T>() {
    for_columns(from, [&](Index o, Index begin, Index end) {
      T* sum = y.as<T>() + o * to.size * to.inner;
      for (Index k = 0; k < from.size; ++k) {
        const Index row = (o * from.size + k) * from.inner;
        for (Index i = begin; i < end; ++i) sum[p[row + i] * to.inner + i] += x.as<const T>()[row + i];
      }
    });
  });
}

void index_select_forward(Cpu, const View& x, int dim, const View& index, const View& y) {
  const Around from(x.shape, dim), to(y.shape, dim);
  const auto* p = index.as<const std::int32_t>();
  const auto element = static_cast<Index>(size_of(x.dtype));
  const Index bytes = to.inner * element;
  parallel_for(to.outer * to.size, to.inner, cheap_grain, [&](Index begin, Index end) {
    for (Index r = begin; r < end; ++r) {
      const Index o = r / to.size, k = r - o * to.size;
      std::memcpy(y.as<std::byte>() + r * bytes, x.as<const std::byte>() + (o * from.size + p[k]) * bytes,
                  static_cast<std::size_t>(bytes));
    }
  });
}

void index_select_backward(Cpu, const View& dy, int dim, const View& index, const View& dx) {
  const Around from(dy.shape, dim), to(dx.shape, dim);
  const auto* p = index.as<const std::int32_t>();
  visit_float("index_select", dy.dtype, [&]<class T>() {
    for_columns(from, [&](Index o, Index begin, Index end) {
      for (Index k = 0; k < from.size; ++k) {
        const T* row = dy.as<const T>() + (o * from.size + k) * from.inner;
        T* sum = dx.as<T>() + (o * to.size + p[k]) * to.inner;
#pragma GCC ivdep
        for (Index i = begin; i < end; ++i) sum[i] += row[i];
      }
    });
  });
}

void one_hot_forward(Cpu, const View& index, const View& y) {
  const Index n = index.numel(), classes = y.shape.back();
  const auto* p = index.as<const std::int32_t>();
  visit_any(y.dtype, [&]<class T>() {
    std::memset(y.data, 0, static_cast<std::size_t>(y.numel()) * sizeof(T));
    for (Index k = 0; k < n; ++k) y.as<T>()[k * classes + p[k]] = static_cast<T>(1.0f);
  });
}

}  // namespace fovea
