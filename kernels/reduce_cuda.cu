#include "fovea/kernels/cuda_places.h"
#include "fovea/kernels/cuda_sums.h"
#include "fovea/kernels/fold.h"
#include "fovea/kernels/reduce.h"
#include "fovea/kernels/reduce_terms.h"

// A sum is cut into slabs where its places alone would not fill the GPU, as in cuda_sums.h.

namespace fovea {
namespace {

using namespace reduction;

// partial[place, slab] to y[place].
template <class T, class Finish>
void finish_slabs(Cuda d, Fold f, const double* partial, Index slabs, const T* s, T* y, Finish finish) {
  each_row(d, f.places, slabs, [=] __device__(const auto& team, Index p) {
    const double sum = team.template sum<double>(slabs, [&](Index i) { return partial[p * slabs + i]; });
    if (team.lane == 0) y[p] = finish(sum, y[p], s[p]);
  });
}

// The rows of x lie along what is reduced: a team takes a place, or a slab of one.
template <class Term, class T, class Finish>
void fold_rows(Cuda d, Fold f, const T* x, const T* s, T* y, Finish finish) {
  const Index n = f.reduced.count * f.length, slabs = slabs_for(f.kept.count * 32, n, 4096);
  const DeviceScratch<double> partial(d, slabs > 1 ? f.places * slabs : 0);
  double* to = partial.data();
  each_row(d, f.kept.count * slabs, n / slabs, [=] __device__(const auto& team, Index task) {
    const Index k = task / slabs, slab = task % slabs, at = f.kept.y(k);
    const Index begin = n * slab / slabs, end = n * (slab + 1) / slabs;
    const T* from = x + f.kept.x(k);
    const T shift = Term::shift(s[at]);
    const double sum = team.template sum<double>(end - begin, [&](Index i) {
      const Index r = (begin + i) / f.length, c = begin + i - r * f.length;
      return static_cast<double>(Term::f(from[f.reduced.x(r) + c * f.step], shift));
    });
    if (team.lane != 0) return;
    if (slabs == 1)
      y[at] = finish(sum, y[at], s[at]);
    else
      to[at * slabs + slab] = sum;
  });
  if (slabs > 1) finish_slabs(d, f, to, slabs, s, y, finish);
}

// The rows of x lie along rows of y: a thread takes a place, or a slab of one, and its neighbours those
// beside it.
template <class Term, class T, class Finish>
void fold_columns(Cuda d, Fold f, const T* x, const T* s, T* y, Finish finish) {
  const Index rows = f.reduced.count, slabs = slabs_for(f.places, rows, 32);
  const DeviceScratch<double> partial(d, slabs > 1 ? f.places * slabs : 0);
  double* to = partial.data();
  each(d, f.places * slabs, [=] __device__(Index i) {
    const Index c = i % f.length, k = i / f.length % f.kept.count, slab = i / f.places;
    const Index at = f.kept.y(k) + c;
    const T* from = x + f.kept.x(k) + c * f.step;
    const T shift = Term::shift(s[at]);
    double sum = 0;
    for (Index r = rows * slab / slabs; r < rows * (slab + 1) / slabs; ++r)
      sum += static_cast<double>(Term::f(from[f.reduced.x(r)], shift));
    if (slabs == 1)
      y[at] = finish(sum, y[at], s[at]);
    else
      to[at * slabs + slab] = sum;
  });
  if (slabs > 1) finish_slabs(d, f, to, slabs, s, y, finish);
}

// y = finish(sum of terms, what was in y, what s holds there).
template <class Term, class T, class Finish>
void fold(Cuda d, const View& x, const View& s, const View& y, Finish finish) {
  const Fold f(x, y);
  if (f.places == 0) return;
  if (f.row_is_reduced)
    fold_rows<Term>(d, f, x.as<const T>(), s.as<const T>(), y.as<T>(), finish);
  else
    fold_columns<Term>(d, f, x.as<const T>(), s.as<const T>(), y.as<T>(), finish);
}

template <class Slope, class T>
void spread(Cuda d, double scale, const View& x, const View& s, const View& dy, const View& dx, Into into) {
  const T *px = x.as<const T>(), *ps = s.as<const T>(), *pdy = dy.as<const T>();
  T* to = dx.as<T>();
  const T by = static_cast<T>(scale);
  const bool add = into == Into::add;
  each_place(d, Rows<3>(dx.shape, {&dx.strides, &x.strides, &dy.strides}),
             [=] __device__(const Places<3>& at) {
               put(to + at[0], by * pdy[at[2]] * Slope::f(px[at[1]], ps[at[2]]), add);
             });
}

}  // namespace

void sum_forward(Cuda d, const View& x, double scale, const View& y, Into into) {
  visit_float("sum", x.dtype, [&]<class T>() {
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
