#include <limits>

#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/extreme.h"
#include "fovea/kernels/extreme_terms.h"
#include "fovea/kernels/fold.h"

namespace fovea {
namespace {

template <class T>
struct Best {
  T value;
  Index at;
};

// The extreme of f(row, c) over the places begin to end - 1 in rows of `length`, and the place where it first
// is, in every thread.
template <bool largest, class T, class Team, class F>
__device__ Best<T> best_of(const Team& team, Index rows, Index length, Index begin, Index end, F f) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  T mine = largest ? -inf : inf;
  Index at = end;
  walk<2>(team, rows, length, begin, end, [&](Index i, Index r, Index c) {
    const T x = f(r, c);
    if (at != end && !wins<largest>(x, mine)) return;
    mine = x;
    at = i;
  });
  const T best = team.all(mine, [](T a, T b) { return wins<largest>(b, a) ? b : a; });
  const bool here = mine == best || (mine != mine && best != best);
  at = team.all(here ? at : end, [](Index a, Index b) { return a < b ? a : b; });
  const Index r = rows == 1 ? 0 : at / length;
  return {f(r, at - r * length), at};
}

// Each element of y is the work of a team where rows of x are reduced, else of a thread with its neighbours
// beside it; cut into slabs where that would not fill the GPU.
template <bool largest, class T>
void extreme(Cuda d, const Fold& fold, const T* x, T* y, std::int32_t* at) {
  const Fold f = fold;
  const bool rows = f.row_is_reduced;
  const Index places = f.places, n = f.reduced.count * (rows ? f.length : 1), width = rows ? 1 : f.length;
  const Index slabs = rows ? slabs_for(places * 32, n, 4096) : slabs_for(places, n, 64);
  const DeviceScratch<Best<T>> room(d, slabs > 1 ? places * slabs : 0);
  Best<T>* partial = room.data();
  const auto task = [=] __device__(const auto& team, Index i) {
    const Index slab = i / places, place = i - slab * places, k = place / width, c = place - k * width;
    const Index begin = n * slab / slabs, end = n * (slab + 1) / slabs;
    const T* from = x + f.kept.x(k) + c * f.step;
    Best<T> best;
    if constexpr (std::is_same_v<decltype(team), const Team<1>&>)  // of a column
      best =
          best_of<largest, T>(team, 1, n, begin, end, [&](Index, Index r) { return from[f.reduced.x(r)]; });
    else
      best = best_of<largest, T>(team, f.reduced.count, f.length, begin, end,
                                 [&](Index r, Index c) { return from[f.reduced.x(r) + c * f.step]; });
    if (team.lane != 0) return;
    if (slabs > 1) {
      partial[place * slabs + slab] = best;
      return;
    }
    if (y) y[f.kept.y(k) + c] = best.value;
    if (at) at[f.kept.y(k) + c] = static_cast<std::int32_t>(best.at);
  };
  if (rows)
    each_row(d, places * slabs, n / slabs, task);
  else
    each_column(d, places * slabs, task);
  if (slabs == 1) return;
  each_row(d, places, slabs, [=] __device__(const auto& team, Index place) {
    const Best<T>* parts = partial + place * slabs;
    const Best<T> best =
        best_of<largest, T>(team, 1, slabs, 0, slabs, [&](Index, Index i) { return parts[i].value; });
    const Index k = place / width, to = f.kept.y(k) + place - k * width;
    if (team.lane != 0) return;
    if (y) y[to] = best.value;
    if (at) at[to] = static_cast<std::int32_t>(parts[best.at].at);
  });
}

template <class T>
void backward(Cuda d, const Fold& fold, const std::int32_t* at, const T* dy, T* dx) {
  const Fold f = fold;
  const Index width = f.row_is_reduced ? 1 : f.length;
  each(d, f.places, [=] __device__(Index i) {  // every element of y has a part of dx to itself
    const Index k = i / width, c = i - k * width, place = f.kept.y(k) + c, p = at[place];
    const Index r = f.row_is_reduced ? p / f.length : p, in_row = f.row_is_reduced ? p - r * f.length : c;
    dx[f.kept.x(k) + f.reduced.x(r) + in_row * f.step] += dy[place];
  });
}

}  // namespace

void extreme_forward(Cuda d, const View& x, bool largest, const View& y, const View& at) {
  const Fold f(x, y ? y : at);
  visit_float(largest ? "max" : "min", x.dtype, [&]<class T>() {
    if (largest)
      extreme<true>(d, f, x.as<const T>(), y.as<T>(), at.as<std::int32_t>());
    else
      extreme<false>(d, f, x.as<const T>(), y.as<T>(), at.as<std::int32_t>());
  });
}

void extreme_backward(Cuda d, const View& at, const View& dy, const View& dx) {
  visit_float("max", dx.dtype, [&]<class T>() {
    backward(d, Fold(dx, dy), at.as<const std::int32_t>(), dy.as<const T>(), dx.as<T>());
  });
}

}  // namespace fovea
