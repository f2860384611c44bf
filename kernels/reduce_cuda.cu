#include "fovea/kernels/cuda_packs.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/fold.h"
#include "fovea/kernels/reduce.h"
#include "fovea/kernels/reduce_terms.h"

// A sum is cut into slabs where its places alone would not fill the GPU, as in cuda_sums.h. A few neighbours
// are added as they are, and their sums in double.

namespace fovea {
namespace {

using namespace reduction;

// y[at], of a sum.
template <class T, class Finish>
__device__ void write(T* y, const T* s, Index at, double sum, Finish finish) {
  using C = Wide<T>;
  y[at] = convert<T>(finish(sum, convert<C>(y[at]), convert<C>(s[at])));
}

// partial[place, slab] to y[place].
template <class T, class Finish>
void finish_slabs(Cuda d, Fold f, const double* partial, Index slabs, const T* s, T* y, Finish finish) {
  each_row(d, f.places, slabs, [=] __device__(const auto& team, Index p) {
    const double sum = team.template sum<double>(slabs, [&](Index i) { return partial[p * slabs + i]; });
    if (team.lane == 0) write(y, s, p, sum, finish);
  });
}

// The rows of x lie along what is reduced: a team takes a place, or a slab of one, by packs of n.
template <int n, class Term, class T, class Finish>
void fold_rows(Cuda d, Fold f, const T* x, const T* s, T* y, Finish finish) {
  using C = Wide<T>;
  const Index length = f.length / n, packs = f.reduced.count * length;
  const Index slabs = slabs_for(f.kept.count * row_threads(packs * n), packs * n, 4096);
  const DeviceScratch<double> partial(d, slabs > 1 ? f.places * slabs : 0);
  double* to = partial.data();
  // Where there are many rows a warp takes a longer one alone.
  const Index width = f.kept.count * 32 < enough_threads ? packs * n : packs;
  each_row(d, f.kept.count * slabs, width / slabs, [=] __device__(const auto& team, Index task) {
    const Index k = slabs == 1 ? task : task / slabs, slab = task - k * slabs, at = f.kept.y(k);
    const Index begin = slabs == 1 ? 0 : packs * slab / slabs;
    const Index end = slabs == 1 ? packs : packs * (slab + 1) / slabs;
    const T* from = x + f.kept.x(k);
    const C shift = Term::shift(convert<C>(s[at]));
    double mine = 0;
    walk(team, f.reduced.count, length, begin, end, [&](Index, Index r, Index c) {
      const auto v = load_pack<C, n>(from + f.reduced.x(r) + c * n * (n > 1 ? 1 : f.step));
      C sum = 0;
#pragma unroll
      for (int i = 0; i < n; ++i) sum += Term::f(v[i], shift);
      mine += static_cast<double>(sum);
    });
    const double sum = team.all(mine, [](double a, double b) { return a + b; });
    if (team.lane != 0) return;
    if (slabs == 1)
      write(y, s, at, sum, finish);
    else
      to[at * slabs + slab] = sum;
  });
  if (slabs > 1) finish_slabs(d, f, to, slabs, s, y, finish);
}

// The rows of x lie along rows of y: a thread takes n places, or a slab of them, and its neighbours those
// beside them.
template <int n, class Term, class T, class Finish>
void fold_columns(Cuda d, Fold f, const T* x, const T* s, T* y, Finish finish) {
  using C = Wide<T>;
  const Index rows = f.reduced.count, length = f.length / n, tasks = f.kept.count * length;
  const Index slabs = slabs_for(tasks, rows, n > 1 ? 64 : 32);
  const DeviceScratch<double> partial(d, slabs > 1 ? f.places * slabs : 0);
  double* to = partial.data();
  each(d, tasks * slabs, [=] __device__(Index i) {
    const Index slab = slabs == 1 ? 0 : i / tasks, task = i - slab * tasks;
    const Index k = f.kept.count == 1 ? 0 : task / length, c = (task - k * length) * n;
    const Index at = f.kept.y(k) + c;
    const T* from = x + f.kept.x(k) + c * (n > 1 ? 1 : f.step);
    C shift[n];
    double sum[n];
#pragma unroll
    for (int j = 0; j < n; ++j) {
      shift[j] = Term::shift(convert<C>(s[at + j]));
      sum[j] = 0;
    }
    // The sums of the terms of `some` rows, whose loads do not wait for each other.
    const auto add = [&](Index r, auto some) {
      Pack<C, n> v[some];
#pragma unroll
      for (int q = 0; q < some; ++q) v[q] = load_pack<C, n>(from + f.reduced.x(r + q));
#pragma unroll
      for (int j = 0; j < n; ++j) {
        C all = 0;
#pragma unroll
        for (int q = 0; q < some; ++q) all += Term::f(v[q][j], shift[j]);
        sum[j] += static_cast<double>(all);
      }
    };
    Index r = slabs == 1 ? 0 : rows * slab / slabs;
    const Index end = slabs == 1 ? rows : rows * (slab + 1) / slabs;
    for (; r + 4 <= end; r += 4) add(r, std::integral_constant<int, 4>());
    for (; r < end; ++r) add(r, std::integral_constant<int, 1>());
#pragma unroll
    for (int j = 0; j < n; ++j) {
      if (slabs == 1)
        write(y, s, at + j, sum[j], finish);
      else
        to[(at + j) * slabs + slab] = sum[j];
    }
  });
  if (slabs > 1) finish_slabs(d, f, to, slabs, s, y, finish);
}

// Whether x is read in packs of n along its rows.
template <int n, class T>
bool in_packs(const Fold& f, const T* x) {
  const auto whole = [](const Fold::Loop& loop) {
    return std::all_of(loop.x_stride.begin(), loop.x_stride.begin() + loop.dims,
                       [](Index stride) { return stride % n == 0; });
  };
  return f.step == 1 && f.length % n == 0 && whole(f.kept) && whole(f.reduced) && aligned<n>(x);
}

// y = finish(sum of terms, what was in y, what s holds there).
template <class Term, class T, class Finish>
void fold(Cuda d, const View& x, const View& s, const View& y, Finish finish) {
  constexpr int n = std::is_same_v<T, double> ? 1 : pack_size<T>;  // nobody waits for f64
  const Fold f(x, y);
  if (f.places == 0) return;
  const T *from = x.as<const T>(), *shift = s.as<const T>();
  T* to = y.as<T>();
  const bool packs = in_packs<n>(f, from);
  // Fewer columns keep more threads busy one by one.
  const bool many = f.places * f.reduced.count >= enough_threads * 32;
  if (f.row_is_reduced && packs)
    fold_rows<n, Term>(d, f, from, shift, to, finish);
  else if (f.row_is_reduced)
    fold_rows<1, Term>(d, f, from, shift, to, finish);
  else if (packs && many)
    fold_columns<n, Term>(d, f, from, shift, to, finish);
  else
    fold_columns<1, Term>(d, f, from, shift, to, finish);
}

template <class Slope, class T>
void spread(Cuda d, double scale, const View& x, const View& s, const View& dy, const View& dx, Into into) {
  constexpr int n = pack_size<T>;
  const T *px = x.as<const T>(), *ps = s.as<const T>(), *pdy = dy.as<const T>();
  T* to = dx.as<T>();
  const T by = static_cast<T>(scale);
  const bool add = into == Into::add;
  each_pack<n>(d, Rows<3>(dx.shape, {&dx.strides, &x.strides, &dy.strides}),
               aligned<n>(to) && aligned<n>(px) && aligned<n>(pdy) && aligned<n>(ps),
               [=] __device__(const auto& at) {
                 constexpr int size = std::decay_t<decltype(at)>::size;
                 const auto v = at.template load<T>(px, 1), shift = at.template load<T>(ps, 2);
                 auto g = at.template load<T>(pdy, 2);
#pragma unroll
                 for (int k = 0; k < size; ++k) g[k] = by * g[k] * Slope::f(v[k], shift[k]);
                 at.put(to, g, add, 0);
               });
}

}  // namespace

void sum_forward(Cuda d, const View& x, double scale, const View& y, Into into) {
  visit_wide("sum", x.dtype, [&]<class T>() {
    fold<Value, T>(d, x, y, y, Scaled{scale, into == Into::add});
  });
}

void norm_forward(Cuda d, const View& x, double eps, const View& y) {
  visit_float("norm", x.dtype, [&]<class T>() { fold<Square, T>(d, x, y, y, Root{eps}); });
}

void var_forward(Cuda d, const View& x, const View& mean, double scale, const View& y) {
  visit_float("var", x.dtype, [&]<class T>() { fold<SquareDistance, T>(d, x, mean, y, Scaled{scale}); });
}

void logsumexp_forward(Cuda d, const View& x, const View& y) {
  visit_float("logsumexp", x.dtype, [&]<class T>() { fold<Exponential, T>(d, x, y, y, Logarithm{}); });
}

void reduce_backward(Cuda d, ReduceSlope slope, double scale, const View& x, const View& s, const View& dy,
                     const View& dx, Into into) {
  visit_float("reduce", dy.dtype, [&]<class T>() {
    switch (slope) {
      case ReduceSlope::one:
        return spread<One, T>(d, scale, dx, dy, dy, dx, into);
      case ReduceSlope::ratio:
        return spread<Ratio, T>(d, scale, x, s, dy, dx, into);
      case ReduceSlope::distance:
        return spread<Distance, T>(d, scale, x, s, dy, dx, into);
      case ReduceSlope::exp:
        return spread<Exp, T>(d, scale, x, s, dy, dx, into);
    }
  });
}

}  // namespace fovea
