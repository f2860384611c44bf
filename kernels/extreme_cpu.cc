#include <limits>
#include <vector>

#include "fovea/kernels/extreme.h"
#include "fovea/kernels/extreme_terms.h"
#include "fovea/kernels/fold.h"
#include "fovea/kernels/parallel.h"

namespace fovea {
namespace {

template <class T>
struct Best {
  T value;
  Index piece;  // where it is, roughly
};

// The extreme of a row; NaN if there is one.
template <bool largest, class T>
T row_best(const T* x, Index step, Index n) {
  constexpr T worst = largest ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
  T best = worst;
  int nan = 0;
  const auto see = [&](Index s) {
    if constexpr (largest) {
#pragma omp simd reduction(max : best) reduction(| : nan)
      for (Index k = 0; k < n; ++k) {
        best = x[k * s] > best ? x[k * s] : best;
        nan |= x[k * s] != x[k * s];
      }
    } else {
#pragma omp simd reduction(min : best) reduction(| : nan)
      for (Index k = 0; k < n; ++k) {
        best = x[k * s] < best ? x[k * s] : best;
        nan |= x[k * s] != x[k * s];
      }
    }
  };
  if (step == 1)
    see(1);  // a constant: the compiler makes vector code of this one
  else
    see(step);
  return nan != 0 ? std::numeric_limits<T>::quiet_NaN() : best;
}

// Where `value`, which is there, first is.
template <class T>
Index find(T value, const T* x, Index step, Index n) {
  constexpr Index block = 32;
  const bool nan = value != value;
  Index k = 0;
  for (int hits = 0; step == 1 && k + block <= n; k += block) {
#pragma omp simd reduction(| : hits)
    for (Index j = k; j < k + block; ++j) hits |= (x[j] == value) | (nan & (x[j] != x[j]));
    if (hits != 0) break;
  }
  while (x[k * step] != value && !(nan && x[k * step] != x[k * step])) ++k;
  return k;
}

template <bool largest, class T>
void along_rows(const Fold& f, const T* x, T* y, std::int32_t* at) {
  constexpr Index chunk = 16384;
  const Index chunks = (f.length + chunk - 1) / chunk, pieces = f.reduced.count * chunks;
  const Index elements = f.reduced.count * f.length;
  const Index slabs = Fold::slabs(f.kept.count, f.kept.count * elements, pieces);
  std::vector<Best<T>> partial(static_cast<std::size_t>(slabs > 1 ? f.kept.count * slabs : 0));
  // Piece p of output k: row p / chunks, from element p % chunks * chunk on.
  const auto row_of = [&](Index p) { return chunks == 1 ? p : p / chunks; };
  const auto first_of = [&](Index p) { return (p - row_of(p) * chunks) * chunk; };
  const auto start_of = [&](Index k, Index p) {
    return x + f.kept.x(k) + f.reduced.x(row_of(p)) + first_of(p) * f.step;
  };
  const auto put = [&](Index k, Best<T> best) {
    const Index place = f.kept.y(k), p = best.piece;
    if (y) y[place] = best.value;
    if (at)
      at[place] = static_cast<std::int32_t>(
          row_of(p) * f.length + first_of(p) +
          find(best.value, start_of(k, p), f.step, std::min(chunk, f.length - first_of(p))));
  };
  parallel_for(f.kept.count * slabs, elements / slabs, cheap_grain, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const Index k = slabs == 1 ? i : i / slabs, slab = i - k * slabs, start = pieces * slab / slabs;
      Best<T> best{};
      for (Index p = start; p < pieces * (slab + 1) / slabs; ++p) {
        const T value = row_best<largest>(start_of(k, p), f.step, std::min(chunk, f.length - first_of(p)));
        if (p == start || wins<largest>(value, best.value)) best = {value, p};
      }
      if (slabs == 1)
        put(k, best);
      else
        partial[static_cast<std::size_t>(i)] = best;
    }
  });
  for (Index k = 0; slabs > 1 && k < f.kept.count; ++k) {
    const Best<T>* part = partial.data() + k * slabs;
    Best<T> best = part[0];
    for (Index slab = 1; slab < slabs; ++slab)
      if (wins<largest>(part[slab].value, best.value)) best = part[slab];
    put(k, best);
  }
}

template <bool largest, class T>
void along_columns(const Fold& f, const T* x, T* y, std::int32_t* at) {
  constexpr Index most_columns = 1024;
  using Position =
      std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;  // as wide as T, for vector code
  const Index width =
      f.step == 1 ? most_columns : most_columns / 8;  // so that what is skipped stays in the cache
  const Index pieces = (f.length + width - 1) / width, rows = f.reduced.count;
  parallel_for(
      f.kept.count * pieces, rows * std::min(width, f.length), cheap_grain, [&](Index begin, Index end) {
        T best[most_columns];
        Position where[most_columns];
        for (Index i = begin; i < end; ++i) {
          const Index k = i / pieces, first = (i - k * pieces) * width, n = std::min(width, f.length - first);
          const T* from = x + f.kept.x(k) + first * f.step;
          for (Index r = 0; r < rows; ++r) {
            const T* row = from + f.reduced.x(r);
            const auto here = static_cast<Position>(r);
            const auto see = [&](Index s) {
#pragma GCC ivdep
              for (Index j = 0; j < n; ++j) {
                const bool win = (r == 0) | wins<largest>(row[j * s], best[j]);
                best[j] = win ? row[j * s] : best[j];
                where[j] = win ? here : where[j];
              }
            };
            if (f.step == 1)
              see(1);
            else
              see(f.step);
          }
          const Index place = f.kept.y(k) + first;
          for (Index j = 0; y && j < n; ++j) y[place + j] = best[j];
          for (Index j = 0; at && j < n; ++j) at[place + j] = static_cast<std::int32_t>(where[j]);
        }
      });
}

template <bool largest, class T>
void extreme(const View& x, const View& y, const View& at) {
  const Fold f(x, y ? y : at);
  if (f.row_is_reduced)
    along_rows<largest>(f, x.as<const T>(), y.as<T>(), at.as<std::int32_t>());
  else
    along_columns<largest>(f, x.as<const T>(), y.as<T>(), at.as<std::int32_t>());
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
