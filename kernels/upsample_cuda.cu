#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/tap.h"
#include "fovea/kernels/upsample.h"

// A thread for each element of y; backward one for each element of dx, which adds up the pixels that have
// read it.

namespace fovea {
namespace {

constexpr auto op = "upsample";

// A Resize::Place as kernels read it: `high` only counts when its weight is not 0.
template <class T>
struct Reading {
  int low, high;
  T low_weight, high_weight;

  // What it takes of pixel p: `low` and `high` are different ones where both count.
  FOVEA_HD T weight(Index p) const { return p == low ? low_weight : p == high ? high_weight : T(0); }
};

// One dimension, worked out once for all rows or columns: where each of n pixels reads, and from which on
// they read each old pixel. Pixels further on read no earlier, so that those of one old pixel are a run.
template <class T>
struct Table {
  const Reading<T>* of;
  const int* first;  // and the run ends where `low` has gone past
  Index n, pixels;
};

template <class T>
__device__ Reading<T> reading(const Resize& r, Index i) {
  const Resize::Place p = r.place(i);
  return {static_cast<int>(p.low), static_cast<int>(p.weight != 0 ? p.high : p.low),
          static_cast<T>(1 - p.weight), static_cast<T>(p.weight)};
}

template <class T>
void work_out(Cuda d, const Resize& r, Index n, Reading<T>* readings, int* first) {
  each(d, n + r.pixels, [=] __device__(Index i) {
    if (i < n) {
      readings[i] = reading<T>(r, i);
      return;
    }
    Index low = 0, high = n;  // between them is the first to read pixel i - n or a later one
    while (low < high) {
      const Index middle = (low + high) / 2;
      if (reading<T>(r, middle).high < i - n)
        low = middle + 1;
      else
        high = middle;
    }
    first[i - n] = static_cast<int>(low);
  });
}

template <class T>
class Tables {
 public:
  Tables(Cuda d, const Resize& r, Index n) : readings_(d, n), first_(d, r.pixels), n_(n), pixels_(r.pixels) {
    work_out(d, r, n, readings_.data(), first_.data());
  }
  Table<T> get() const { return {readings_.data(), first_.data(), n_, pixels_}; }

 private:
  DeviceScratch<Reading<T>> readings_;
  DeviceScratch<int> first_;
  Index n_, pixels_;
};

template <class T>
void forward(Cuda d, Index planes, const T* x, Table<T> rows, Table<T> columns, T* y) {
  each(d, planes * rows.n * columns.n, [=] __device__(Index i) {
    const Index line = i / columns.n, plane = line / rows.n;
    const Reading<T> r = rows.of[line - plane * rows.n], c = columns.of[i - line * columns.n];
    const T *upper = x + (plane * rows.pixels + r.low) * columns.pixels,
            *lower = x + (plane * rows.pixels + r.high) * columns.pixels;
    const auto mixed = [&](int column) {
      return r.high_weight != 0 ? r.low_weight * upper[column] + r.high_weight * lower[column]
                                : upper[column];
    };
    y[i] =
        c.high_weight != 0 ? tap(c.low_weight, mixed(c.low)) + c.high_weight * mixed(c.high) : mixed(c.low);
  });
}

template <class T>
void backward(Cuda d, Index planes, const T* dy, Table<T> rows, Table<T> columns, T* dx, bool add) {
  each(d, planes * rows.pixels * columns.pixels, [=] __device__(Index i) {
    const Index line = i / columns.pixels, plane = line / rows.pixels;
    const Index row = line - plane * rows.pixels, column = i - line * columns.pixels;
    T sum = 0;
    for (Index r = rows.first[row]; r < rows.n && rows.of[r].low <= row; ++r) {
      const T* up = dy + (plane * rows.n + r) * columns.n;
      T along = 0;
      for (Index c = columns.first[column]; c < columns.n && columns.of[c].low <= column; ++c)
        along += columns.of[c].weight(column) * up[c];
      sum += rows.of[r].weight(row) * along;
    }
    put(dx + i, sum, add);
  });
}

}  // namespace

void upsample_forward(Cuda d, const View& x, const Resize& rows, const Resize& columns, const View& y) {
  visit_float(op, x.dtype, [&]<class T>() {
    const Tables<T> r(d, rows, y.shape[2]), c(d, columns, y.shape[3]);
    forward(d, x.shape[0] * x.shape[1], x.as<const T>(), r.get(), c.get(), y.as<T>());
  });
}

void upsample_backward(Cuda d, const View& dy, const Resize& rows, const Resize& columns, const Target& dx) {
  visit_float(op, dy.dtype, [&]<class T>() {
    const Tables<T> r(d, rows, dy.shape[2]), c(d, columns, dy.shape[3]);
    backward(d, dy.shape[0] * dy.shape[1], dy.as<const T>(), r.get(), c.get(), dx.as<T>(),
             dx.into == Into::add);
  });
}

}  // namespace fovea
