#include "fovea/kernels/cuda_launch.h"
#include "fovea/kernels/positions.h"

// Angles need double precision, of which a GPU has little: they are made once for all rows of a position.

namespace fovea {
namespace {

template <class T>
struct Turn {
  T cosine, sine;
};

template <class T>
void table(Cuda d, Rotary rotary, Index L, Index half, Turn<T>* to) {
  each(d, L * half, [=] __device__(Index k) {
    const double angle = rotary.angle(k / half, k % half, 2 * half);
    to[k] = {static_cast<T>(math::cos(angle)), static_cast<T>(math::sin(angle))};
  });
}

template <class T>
void sines_and_cosines(Cuda d, Index first, Index L, Index D, T* to) {
  const Rotary turns{10000, static_cast<double>(first), false, false};
  each(d, L * D, [=] __device__(Index i) {
    const Index l = i / D, k = i - l * D;
    const double angle = turns.angle(l, k / 2, D);
    to[i] = static_cast<T>(k % 2 == 0 ? math::sin(angle) : math::cos(angle));
  });
}

template <class T>
void turn(Cuda d, bool interleaved, Index pairs, Index L, Index half, const T* x, const Turn<T>* turns, T* y,
          bool add) {
  each(d, pairs, [=] __device__(Index k) {
    const Index r = k / half, i = k - r * half;
    const Index u = r * 2 * half + (interleaved ? 2 * i : i), v = u + (interleaved ? 1 : half);
    const Turn<T> t = turns[r % L * half + i];
    const T first = x[u] * t.cosine - x[v] * t.sine, second = x[v] * t.cosine + x[u] * t.sine;
    put(y + u, first, add);
    put(y + v, second, add);
  });
}

}  // namespace

void position_table(Cuda d, Index first, const View& y) {
  visit_float("sinusoidal_positions", y.dtype,
              [&]<class T>() { sines_and_cosines(d, first, y.shape[0], y.shape[1], y.as<T>()); });
}

void rotate(Cuda d, const Rotary& rotary, const View& x, const Target& y) {
  const int rank = x.shape.rank();
  const Index L = x.shape[rank - 2], half = x.shape[rank - 1] / 2;
  if (x.numel() == 0) return;
  visit_float("rotary", x.dtype, [&]<class T>() {
    const DeviceScratch<Turn<T>> turns(d, L * half);
    table(d, rotary, L, half, turns.data());
    turn(d, rotary.interleaved, x.numel() / 2, L, half, x.as<const T>(), turns.data(), y.as<T>(),
         y.into == Into::add);
  });
}

}  // namespace fovea
