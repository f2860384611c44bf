#include <vector>

#include "fovea/kernels/fold.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/reduce.h"
#include "fovea/kernels/reduce_terms.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

using namespace reduction;

template <class F>
constexpr Index grain_of = F::costly ? costly_grain : cheap_grain;

constexpr Index chunk = 4096;         // elements that one float accumulates over many lanes
constexpr Index most_columns = 1024;  // at a time
constexpr Index block = 64;           // rows that one float accumulates

template <class Term, class T>
T row_sum(const T* x, Index step, Index n, T shift) {
  T a = 0, b = 0, c = 0, d = 0;
  if (step != 1) {
    for (Index k = 0; k < n; ++k) a += Term::f(x[k * step], shift);
    return a;
  }
  if (n < 128) {
#pragma omp simd reduction(+ : a)
    for (Index k = 0; k < n; ++k) a += Term::f(x[k], shift);
    return a;
  }
  const Index q = n / 64 * 16;  // four sums at a time hide the latency of an addition
#pragma omp simd reduction(+ : a, b, c, d)
  for (Index k = 0; k < q; ++k) {
    a += Term::f(x[k], shift);
    b += Term::f(x[k + q], shift);
    c += Term::f(x[k + 2 * q], shift);
    d += Term::f(x[k + 3 * q], shift);
  }
#pragma omp simd reduction(+ : a)
  for (Index k = 4 * q; k < n; ++k) a += Term::f(x[k], shift);
  return (a + b) + (c + d);
}

// sum[j] += the terms of column j in one row of x.
template <class Term, class T>
void add_row(const T* x, Index step, Index n, const T* shift, T* sum) {
  if (step == 1) {
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) sum[j] += Term::f(x[j], shift[j]);
  } else {
    for (Index j = 0; j < n; ++j) sum[j] += Term::f(x[j * step], shift[j]);
  }
}

// The rows of x lie along what is reduced: every element of y is a sum of row sums.
template <class Term, class T, class Finish>
void fold_rows(const Fold& f, const T* x, const T* s, T* y, const Finish& finish) {
  const Index chunks = (f.length + chunk - 1) / chunk, pieces = f.reduced.count * chunks;
  const Index elements = f.reduced.count * f.length;
  const Index slabs = Fold::slabs(f.kept.count, f.kept.count * elements, pieces);
  std::vector<double> partial(static_cast<std::size_t>(slabs > 1 ? f.kept.count * slabs : 0));
  parallel_for(f.kept.count * slabs, elements / slabs, grain_of<Term>, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index k = slabs == 1 ? i : i / slabs, slab = i - k * slabs;
      const Index at = f.kept.y(k);
      const T* from = x + f.kept.x(k);
      const T shift = Term::shift(s[at]);
      double sum = 0;
      for (Index p = pieces * slab / slabs; p < pieces * (slab + 1) / slabs; ++p) {
        const Index r = chunks == 1 ? p : p / chunks, first = (p - r * chunks) * chunk;
        sum += static_cast<double>(row_sum<Term>(from + f.reduced.x(r) + first * f.step, f.step,
                                                 std::min(chunk, f.length - first), shift));
      }
      if (slabs == 1)
        y[at] = finish(sum, y[at], shift);
      else
        partial[static_cast<std::size_t>(i)] = sum;
    }
  });
  for (Index k = 0; slabs > 1 && k < f.kept.count; ++k) {
    double sum = 0;
    for (Index slab = 0; slab < slabs; ++slab) sum += partial[static_cast<std::size_t>(k * slabs + slab)];
    T& out = y[f.kept.y(k)];
    out = finish(sum, out, Term::shift(s[f.kept.y(k)]));
  }
}

// The rows of x lie along rows of y: whole rows are added up, a few columns at a time.
template <class Term, class T, class Finish>
void fold_columns(const Fold& f, const T* x, const T* s, T* y, const Finish& finish) {
  const Index width =
      f.step == 1 ? most_columns : most_columns / 8;  // so that what is skipped stays in the cache
  const Index pieces = (f.length + width - 1) / width, rows = f.reduced.count;
  const Index slabs =
      Fold::slabs(f.kept.count * pieces, f.kept.count * f.length * rows, (rows + block - 1) / block);
  std::vector<double> partial(static_cast<std::size_t>(slabs > 1 ? f.places * slabs : 0));
  const Index cost = rows * std::min(width, f.length) / slabs;
  parallel_for(f.kept.count * pieces * slabs, cost, grain_of<Term>, [&](Index begin, Index end) {
    T shift[most_columns], sum[most_columns];
    double total[most_columns];
    for (Index i = begin; i < end; ++i) {
      const Index slab = i % slabs, piece = i / slabs % pieces, k = i / slabs / pieces;
      const Index first = piece * width, n = std::min(width, f.length - first), at = f.kept.y(k) + first;
      const T* from = x + f.kept.x(k) + first * f.step;
      for (Index j = 0; j < n; ++j) shift[j] = Term::shift(s[at + j]);
      std::fill_n(total, n, 0.0);
      const Index last = rows * (slab + 1) / slabs;
      for (Index r = rows * slab / slabs; r < last;) {
        std::fill_n(sum, n, T(0));
        for (const Index stop = std::min(r + block, last); r < stop; ++r)
          add_row<Term>(from + f.reduced.x(r), f.step, n, shift, sum);
        for (Index j = 0; j < n; ++j) total[j] += static_cast<double>(sum[j]);
      }
      if (slabs == 1)
        for (Index j = 0; j < n; ++j) y[at + j] = finish(total[j], y[at + j], shift[j]);
      else
        std::copy_n(total, n, partial.data() + (k * slabs + slab) * f.length + first);
    }
  });
  for (Index k = 0; slabs > 1 && k < f.kept.count; ++k)
    for (Index j = 0; j < f.length; ++j) {
      double sum = 0;
      for (Index slab = 0; slab < slabs; ++slab)
        sum += partial[static_cast<std::size_t>((k * slabs + slab) * f.length + j)];
      T& out = y[f.kept.y(k) + j];
      out = finish(sum, out, Term::shift(s[f.kept.y(k) + j]));
    }
}

// y = finish(sum of terms, what was in y, shift).
template <class Term, class T, class Finish>
void fold(const View& x, const View& s, const View& y, const Finish& finish) {
  const Fold f(x, y);
  if (f.row_is_reduced)
    fold_rows<Term, T>(f, x.as<const T>(), s.as<const T>(), y.as<T>(), finish);
  else
    fold_columns<Term, T>(f, x.as<const T>(), s.as<const T>(), y.as<T>(), finish);
}

template <class Slope, class T>
void spread_row(const T* x, Index xs, const T* s, const T* dy, Index ys, T* dx, T scale, Index n, bool add) {
  const auto each = [&](Index x_step, Index y_step) {
    if (add) {
#pragma GCC ivdep
      for (Index k = 0; k < n; ++k) dx[k] += scale * dy[k * y_step] * Slope::f(x[k * x_step], s[k * y_step]);
    } else {
#pragma GCC ivdep
      for (Index k = 0; k < n; ++k) dx[k] = scale * dy[k * y_step] * Slope::f(x[k * x_step], s[k * y_step]);
    }
  };
  if (xs == 1 && ys == 0) return each(1, 0);  // constants: the compiler makes vector code of these
  if (xs == 1 && ys == 1) return each(1, 1);
  each(xs, ys);
}

template <class Slope, class T>
void spread(double scale, const View& x, const View& s, const View& dy, const View& dx, Into into) {
  const Rows<3> rows(dx.shape, {&dx.strides, &x.strides, &dy.strides});
  const auto part = [&](Index row, Index begin, Index end) {
    const Index at = rows.offset(2, row) + begin * rows.step[2];
    spread_row<Slope, T>(x.as<const T>() + rows.offset(1, row) + begin * rows.step[1], rows.step[1],
                         s.as<const T>() + at, dy.as<const T>() + at, rows.step[2],
                         dx.as<T>() + rows.offset(0, row) + begin, static_cast<T>(scale), end - begin,
                         into == Into::add);
  };
  parallel_rows(rows, grain_of<Slope>, part);
}

}  // namespace

void sum_forward(Cpu, const View& x, double scale, const View& y, Into into) {
  visit_float("sum", x.dtype, [&]<class T>() { fold<Value, T>(x, y, y, Scaled{scale, into == Into::add}); });
}

void norm_forward(Cpu, const View& x, double eps, const View& y) {
  visit_float("norm", x.dtype, [&]<class T>() { fold<Square, T>(x, y, y, Root{eps}); });
}

void var_forward(Cpu, const View& x, const View& mean, double scale, const View& y) {
  visit_float("var", x.dtype, [&]<class T>() { fold<SquareDistance, T>(x, mean, y, Scaled{scale}); });
}

void logsumexp_forward(Cpu, const View& x, const View& y) {
  visit_float("logsumexp", x.dtype, [&]<class T>() { fold<Exponential, T>(x, y, y, Logarithm{}); });
}

void reduce_backward(Cpu, ReduceSlope slope, double scale, const View& x, const View& s, const View& dy,
                     const View& dx, Into into) {
  visit_float("reduce", dy.dtype, [&]<class T>() {
    switch (slope) {
      case ReduceSlope::one:
        return spread<One, T>(scale, dx, dy, dy, dx, into);
      case ReduceSlope::ratio:
        return spread<Ratio, T>(scale, x, s, dy, dx, into);
      case ReduceSlope::distance:
        return spread<Distance, T>(scale, x, s, dy, dx, into);
      case ReduceSlope::exp:
        return spread<Exp, T>(scale, x, s, dy, dx, into);
    }
  });
}

}  // namespace fovea
