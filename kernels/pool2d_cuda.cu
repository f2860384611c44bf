#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/extreme_terms.h"
#include "fovea/kernels/pool2d.h"

// A thread for each element of y; backward one for each element of dx, which adds up the windows it lies in.

namespace fovea {
namespace {

constexpr auto op = "pool2d";

// The plane of an element, and where it lies there.
struct Spot {
  Index plane, row, column;
};
__device__ Spot spot(Index i, Index rows, Index columns) {
  const Index line = i / columns, plane = line / rows;
  return {plane, line - plane * rows, i - line * columns};
}

template <class T>
void max_forward(Cuda d, Index planes, const T* x, Windows rows, Windows columns, T* y, std::int32_t* at) {
  each(d, planes * rows.count * columns.count, [=] __device__(Index i) {
    const Spot s = spot(i, rows.count, columns.count);
    const T* plane = x + s.plane * rows.pixels * columns.pixels;
    const Index left = columns.begin(s.column), right = columns.end(s.column);
    Index most = rows.begin(s.row) * columns.pixels + left;
    T best = plane[most];
    for (Index r = rows.begin(s.row); r < rows.end(s.row); ++r)
      for (Index k = r * columns.pixels + left; k < r * columns.pixels + right; ++k)
        if (wins<true>(plane[k], best)) best = plane[most = k];
    y[i] = best;
    if (at) at[i] = static_cast<std::int32_t>(most);
  });
}

// dx[r,c] = the sum of share(window, place in the plane) over the windows that hold it.
template <class F, class T>
void gather(Cuda d, Index planes, Windows rows, Windows columns, T* dx, bool add, F share) {
  each(d, planes * rows.pixels * columns.pixels, [=] __device__(Index i) {
    const Spot s = spot(i, rows.pixels, columns.pixels);
    T sum = 0;
    for (Index r = rows.first(s.row); r < rows.last(s.row); ++r)
      for (Index c = columns.first(s.column); c < columns.last(s.column); ++c)
        sum += share(s.plane, r, c, s.row * columns.pixels + s.column);
    put(dx + i, sum, add);
  });
}

template <class T>
void max_backward(Cuda d, Index planes, const std::int32_t* at, Windows rows, Windows columns, const T* dy,
                  T* dx, bool add) {
  gather(d, planes, rows, columns, dx, add, [=] __device__(Index plane, Index r, Index c, Index place) {
    const Index i = (plane * rows.count + r) * columns.count + c;
    return at[i] == place ? dy[i] : T(0);
  });
}

template <class T>
void avg_forward(Cuda d, Index planes, const T* x, Windows rows, Windows columns, bool count_padding, T* y) {
  each(d, planes * rows.count * columns.count, [=] __device__(Index i) {
    const Spot s = spot(i, rows.count, columns.count);
    const T* plane = x + s.plane * rows.pixels * columns.pixels;
    T sum = 0;
    for (Index r = rows.begin(s.row); r < rows.end(s.row); ++r)
      for (Index c = columns.begin(s.column); c < columns.end(s.column); ++c)
        sum += plane[r * columns.pixels + c];
    y[i] = sum / elements<T>(s.row, s.column, rows, columns, count_padding);
  });
}

template <class T>
void avg_backward(Cuda d, Index planes, const T* dy, Windows rows, Windows columns, bool count_padding, T* dx,
                  bool add) {
  gather(d, planes, rows, columns, dx, add, [=] __device__(Index plane, Index r, Index c, Index) {
    return dy[(plane * rows.count + r) * columns.count + c] / elements<T>(r, c, rows, columns, count_padding);
  });
}

Index planes_of(const View& v) { return v.shape[0] * v.shape[1]; }

}  // namespace

void max_pool2d_forward(Cuda d, const View& x, const Windows& rows, const Windows& columns, const View& y,
                        const View& at) {
  visit_float(op, x.dtype, [&]<class T>() {
    max_forward(d, planes_of(x), x.as<const T>(), rows, columns, y.as<T>(), at.as<std::int32_t>());
  });
}

void max_pool2d_backward(Cuda d, const View& at, const Windows& rows, const Windows& columns, const View& dy,
                         const Target& dx) {
  visit_float(op, dy.dtype, [&]<class T>() {
    max_backward(d, planes_of(dy), at.as<const std::int32_t>(), rows, columns, dy.as<const T>(), dx.as<T>(),
                 dx.into == Into::add);
  });
}

void avg_pool2d_forward(Cuda d, const View& x, const Windows& rows, const Windows& columns,
                        bool count_padding, const View& y) {
  visit_float(op, x.dtype, [&]<class T>() {
    avg_forward(d, planes_of(x), x.as<const T>(), rows, columns, count_padding, y.as<T>());
  });
}

void avg_pool2d_backward(Cuda d, const View& dy, const Windows& rows, const Windows& columns,
                         bool count_padding, const Target& dx) {
  visit_float(op, dy.dtype, [&]<class T>() {
    avg_backward(d, planes_of(dy), dy.as<const T>(), rows, columns, count_padding, dx.as<T>(),
                 dx.into == Into::add);
  });
}

}  // namespace fovea
