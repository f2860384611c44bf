#include "fovea/kernels/extreme.h"

#include <vector>

#include "fovea/kernels/fold.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/scalar_math.h"

namespace fovea {
namespace {

// Whether x takes the place of `best`: it beats it, or it is the first NaN.
template <bool largest, class T>
bool wins(T x, T best) {
  return (largest ? x > best : x < best) | ((x != x) & (best == best));
}

template <bool largest, class T>
T better(T a, T b) {
  return largest ? math::max(a, b) : math::min(a, b);
}

template <class T>
struct Best {
  T value;
  Index at;
};

// The extreme of a row and where it is first found.
template <bool largest, class T>
Best<T> row_best(const T* x, Index step, Index n) {
  T best = x[0];
  Index k = 0;
  if (step == 1) {
    constexpr Index lanes = 16;
    if (n >= 4 * lanes) {
      T lane[lanes];
      std::copy_n(x, lanes, lane);
      for (k = lanes; k + lanes <= n; k += lanes)
        for (Index j = 0; j < lanes; ++j) lane[j] = better<largest>(lane[j], x[k + j]);
      for (Index j = 0; j < lanes; ++j) best = better<largest>(best, lane[j]);
    }
  }
  for (; k < n; ++k) best = better<largest>(best, x[k * step]);
  Index at = 0;
  if (best == best)
    while (x[at * step] != best) ++at;
  else
    while (x[at * step] == x[at * step]) ++at;
  return {best, at};
}

template <class T>
struct Output {
  T* y;
  std::int32_t* at;
  void set(Index place, Best<T> best) const {
    if (y) y[place] = best.value;
    if (at) at[place] = static_cast<std::int32_t>(best.at);
  }
};

template <bool largest, class T>
void along_rows(const Fold& f, const T* x, const Output<T>& out) {
  constexpr Index chunk = 16384;
  const Index chunks = (f.length + chunk - 1) / chunk, pieces = f.reduced.count * chunks;
  const Index elements = f.reduced.count * f.length;
  const Index slabs = Fold::slabs(f.kept.count, f.kept.count * elements, pieces);
  std::vector<Best<T>> partial(static_cast<std::size_t>(slabs > 1 ? f.kept.count * slabs : 0));
  parallel_for(f.kept.count * slabs, elements / slabs, cheap_grain, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index k = slabs == 1 ? i : i / slabs, slab = i - k * slabs, start = pieces * slab / slabs;
      const T* from = x + f.kept.x(k);
      Best<T> best{};
      for (Index p = start; p < pieces * (slab + 1) / slabs; ++p) {
        const Index r = chunks == 1 ? p : p / chunks, first = (p - r * chunks) * chunk;
        const Best<T> row = row_best<largest>(from + f.reduced.x(r) + first * f.step, f.step,
                                              std::min(chunk, f.length - first));
        if (p == start || wins<largest>(row.value, best.value)) best = {row.value, r * f.length + first + row.at};
      }
      if (slabs == 1)
        out.set(f.kept.y(k), best);
      else
        partial[static_cast<std::size_t>(i)] = best;
    }
  });
  for (Index k = 0; slabs > 1 && k < f.kept.count; ++k) {
    const Best<T>* part = partial.data() + k * slabs;
    Best<T> best = part[0];
    for (Index slab = 1; slab < slabs; ++slab)
      if (wins<largest>(part[slab].value, best.value)) best = part[slab];
    out.set(f.kept.y(k), best);
  }
}

template <bool largest, class T>
void along_columns(const Fold& f, const T* x, const Output<T>& out) {
  constexpr Index width = 256;
  using Position = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;  // as wide as T, for vector code
  const Index pieces = (f.length + width - 1) / width, rows = f.reduced.count;
  parallel_for(f.kept.count * pieces, rows * std::min(width, f.length), cheap_grain, [&](Index begin, Index end) {
    T best[width];
    Position at[width];
    for (Index i = begin; i < end; ++i) {
      const Index k = i / pieces, first = (i - k * pieces) * width, n = std::min(width, f.length - first);
      const T* from = x + f.kept.x(k) + first * f.step;
      for (Index r = 0; r < rows; ++r) {
        const T* row = from + f.reduced.x(r);
        const auto here = static_cast<Position>(r);
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) {
          const T v = row[j * f.step];
          const bool win = (r == 0) | wins<largest>(v, best[j]);
          best[j] = win ? v : best[j];
          at[j] = win ? here : at[j];
        }
      }
      for (Index j = 0; j < n; ++j) out.set(f.kept.y(k) + first + j, {best[j], static_cast<Index>(at[j])});
    }
  });
}

template <bool largest, class T>
void extreme(const View& x, const View& y, const View& at) {
  const Fold f(x, y ? y : at);
  const Output<T> out{y.as<T>(), at.as<std::int32_t>()};
  if (f.row_is_reduced)
    along_rows<largest>(f, x.as<const T>(), out);
  else
    along_columns<largest>(f, x.as<const T>(), out);
}

}  // namespace

void extreme_forward(Cpu, const View& x, bool largest, const View& y, const View& at) {
  visit_float(largest ? "max" : "min", x.dtype, [&]<class T>() {
    if (largest)
      extreme<true, T>(x, y, at);
    else
      extreme<false, T>(x, y, at);
  });
}

void extreme_backward(Cpu, const View& at, const View& dy, const View& dx) {
  const Fold f(dx, dy);
  visit_float("max", dx.dtype, [&]<class T>() {
    // Every element of y has a part of dx to itself.
    parallel_for(f.places, 4, cheap_grain, [&](Index begin, Index end) {
      const Index row = f.row_is_reduced ? 1 : f.length;
      for (Index i = begin; i < end; ++i) {
        const Index k = i / row, j = i - k * row, place = f.kept.y(k) + j;
        const Index p = at.as<const std::int32_t>()[place];
        const Index r = f.row_is_reduced ? p / f.length : p, in_row = f.row_is_reduced ? p - r * f.length : j;
        dx.as<T>()[f.kept.x(k) + f.reduced.x(r) + in_row * f.step] += dy.as<const T>()[place];
      }
    });
  });
}

}  // namespace fovea
