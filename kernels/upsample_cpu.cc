#include <vector>

#include "fovea/kernels/loops.h"
#include "fovea/kernels/tap.h"
#include "fovea/kernels/upsample.h"

namespace fovea {
namespace {

constexpr auto op = "upsample";

// The places of all columns.
template <class T>
struct Columns {
  std::vector<std::int32_t> low, high;
  std::vector<T> low_weight, high_weight;

  Columns(const Resize& resize, Index n) {
    for (Index j = 0; j < n; ++j) {
      const Resize::Place p = resize.place(j);
      low.push_back(static_cast<std::int32_t>(p.low));
      high.push_back(static_cast<std::int32_t>(p.high));
      low_weight.push_back(static_cast<T>(1 - p.weight));
      high_weight.push_back(static_cast<T>(p.weight));
    }
  }
};

}  // namespace

void upsample_forward(Cpu, const View& x, const Resize& rows, const Resize& columns, const View& y) {
  const Index width = columns.pixels, plane = rows.pixels * width, height = y.shape[2], n = y.shape[3];
  visit_float(op, x.dtype, [&]<class T>() {
    const Columns<T> table(columns, n);
    parallel_for(x.shape[0] * x.shape[1], height * n, cheap_grain / 4, [&](Index begin, Index end) {
      std::vector<T> mix(static_cast<std::size_t>(width));  // of two rows
      const std::int32_t *low = table.low.data(), *high = table.high.data();
      const T *u = table.low_weight.data(), *v = table.high_weight.data();
      for (Index p = begin; p < end; ++p)
        for (Index i = 0; i < height; ++i) {
          const Resize::Place at = rows.place(i);
          const T* row = x.as<const T>() + p * plane + at.low * width;
          T* to = y.as<T>() + (p * height + i) * n;
          if (at.weight != 0) {
            const T *next = row + width, below = static_cast<T>(at.weight),
                    above = static_cast<T>(1 - at.weight);
            store(mix.data(), width, Into::set, [=](Index c) { return above * row[c] + below * next[c]; });
            row = mix.data();
          }
          if (columns.kind == Resize::nearest)
            store(to, n, Into::set, [=](Index j) { return row[low[j]]; });
          else
            store(to, n, Into::set,
                  [=](Index j) { return tap(u[j], row[low[j]]) + tap(v[j], row[high[j]]); });
        }
    });
  });
}

// In the forward pass rows were mixed and then read at the columns, so here dy is gathered into one row, and
// that is added to two.
void upsample_backward(Cpu, const View& dy, const Resize& rows, const Resize& columns, const Target& dx) {
  const Index width = columns.pixels, plane = rows.pixels * width, height = dy.shape[2], n = dy.shape[3];
  visit_float(op, dy.dtype, [&]<class T>() {
    const Columns<T> table(columns, n);
    parallel_for(dy.shape[0] * dy.shape[1], height * n, cheap_grain / 4, [&](Index begin, Index end) {
      std::vector<T> mixed(static_cast<std::size_t>(width));
      T* mix = mixed.data();
      const std::int32_t *low = table.low.data(), *high = table.high.data();
      const T *u = table.low_weight.data(), *v = table.high_weight.data();
      for (Index p = begin; p < end; ++p) {
        T* to = dx.as<T>() + p * plane;
        if (dx.into == Into::set) std::fill(to, to + plane, T(0));
        for (Index i = 0; i < height; ++i) {
          const T* up = dy.as<const T>() + (p * height + i) * n;
          std::fill(mix, mix + width, T(0));
          for (Index j = 0; j < n; ++j) {
            mix[low[j]] += u[j] * up[j];
            if (v[j] != 0) mix[high[j]] += v[j] * up[j];
          }
          const Resize::Place at = rows.place(i);
          store(to + at.low * width, width, Into::add,
                [=, above = static_cast<T>(1 - at.weight)](Index c) { return above * mix[c]; });
          if (at.weight != 0)
            store(to + at.high * width, width, Into::add,
                  [=, below = static_cast<T>(at.weight)](Index c) { return below * mix[c]; });
        }
      }
    });
  });
}

}  // namespace fovea
