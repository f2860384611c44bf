#include <type_traits>
#include <vector>

#include "fovea/kernels/extreme_terms.h"
#include "fovea/kernels/loops.h"
#include "fovea/kernels/pool2d.h"
#include "fovea/kernels/tile.h"

namespace fovea {
namespace {

constexpr auto op = "pool2d";

// As wide as T, for vector code.
template <class T>
using Place = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

// The columns of every window of a row.
struct Spans {
  std::vector<Index> begin, end;
  explicit Spans(const Windows& w) {
    for (Index j = 0; j < w.count; ++j) {
      begin.push_back(w.begin(j));
      end.push_back(w.end(j));
    }
  }
};

// One row of windows, over rows begin to end - 1 of a plane: first down every column, then along the row.
template <bool places, class T>
struct MaxRow {
  Index width;
  bool pairs;  // the windows are columns 0 and 1, 2 and 3, ...
  Spans spans;
  std::vector<T> best;
  std::vector<Place<T>> place;

  explicit MaxRow(const Windows& columns)
      : width(columns.pixels),
        pairs(columns.kernel == 2 && columns.stride == 2 && columns.padding == 0),
        spans(columns),
        best(static_cast<std::size_t>(width)),
        place(best.size()) {}

  void operator()(const T* plane, Index begin, Index end, T* y, std::int32_t* at) {
    if (pairs && end - begin == 2 && spans.begin.size() >= Lanes<T>::count)
      return squares(plane, begin, y, at);
    T* b = best.data();
    Place<T>* p = place.data();
    for (Index r = begin; r < end; ++r) {
      const T* row = plane + r * width;
      const auto here = static_cast<Place<T>>(r * width);
#pragma GCC ivdep
      for (Index c = 0; c < width; ++c) {
        const bool win = (r == begin) | wins<true>(row[c], b[c]);
        b[c] = win ? row[c] : b[c];
        if constexpr (places) p[c] = win ? here + static_cast<Place<T>>(c) : p[c];
      }
    }
    // Of equal ones, that of the upper row comes first.
    const auto later_wins = [b, p](Index first, Index later) {
      bool win = wins<true>(b[later], b[first]);
      if constexpr (places) win |= !(win | wins<true>(b[first], b[later])) & (p[later] < p[first]);
      return win;
    };
    const auto n = static_cast<Index>(spans.begin.size());
    if (pairs) {
#pragma GCC ivdep
      for (Index j = 0; j < n; ++j) {
        const bool win = later_wins(2 * j, 2 * j + 1);
        y[j] = win ? b[2 * j + 1] : b[2 * j];
        if constexpr (places) at[j] = static_cast<std::int32_t>(win ? p[2 * j + 1] : p[2 * j]);
      }
      return;
    }
    for (Index j = 0; j < n; ++j) {
      const auto k = static_cast<std::size_t>(j);
      Index most = spans.begin[k];
      for (Index c = most + 1; c < spans.end[k]; ++c) most = later_wins(most, c) ? c : most;
      y[j] = b[most];
      if constexpr (places) at[j] = static_cast<std::int32_t>(p[most]);
    }
  }

  // Windows of 2 x 2, from a row on: the common ones.
  void squares(const T* plane, Index row, T* y, std::int32_t* at) const;
};

// Compilers do not see how to do this side by side. The last windows may be done twice.
template <bool places, class T>
void MaxRow<places, T>::squares(const T* plane, Index row, T* y, std::int32_t* at) const {
  using L = Lanes<T>;
  using V = typename L::Vector;
  using P = decltype(V{} < V{});  // integers as wide as T
  constexpr int N = L::count;
  // Of equal ones, that of the upper row comes first.
  const auto see = [](V& best, P& from, const V& x, const P& place_of_x) {
    const P larger = (x > best) | ((x != x) & (best == best)),
            less = (best > x) | ((best != best) & (x == x)),
            win = larger | (~(larger | less) & (place_of_x < from));
    best = win ? x : best;
    from = win ? place_of_x : from;
  };
  const auto take_apart = []<class X, int... i>(const X(&pair)[2], X& left, X& right,
                                                std::integer_sequence<int, i...>) {
    detail::shuffle<2 * i...>(pair[0], pair[1], left);
    detail::shuffle<(2 * i + 1)...>(pair[0], pair[1], right);
  };
  constexpr auto lanes = std::make_integer_sequence<int, N>();
  P count{};
  for (int k = 0; k < N; ++k) count[k] = k;
  const auto n = static_cast<Index>(spans.begin.size());
  for (Index step = 0; step < n; step += N) {
    const Index j = std::min(step, n - N), from = row * width + 2 * j;
    V best[2], left, right;
    P there[2], left_there, right_there;
    for (int half = 0; half < 2; ++half) {
      const Index k = from + half * N;
      best[half] = L::at(plane + k);
      there[half] = count + static_cast<Place<T>>(k);
      const V lower = L::at(plane + k + width);  // a copy, which is aligned
      see(best[half], there[half], lower, there[half] + static_cast<Place<T>>(width));
    }
    take_apart(best, left, right, lanes);
    take_apart(there, left_there, right_there, lanes);
    see(left, left_there, right, right_there);
    L::at(y + j) = left;
    if constexpr (places)
      for (int k = 0; k < N; ++k) at[j + k] = static_cast<std::int32_t>(left_there[k]);
  }
}

template <bool places, class T>
void max_forward(const View& x, const Windows& rows, const Windows& columns, const View& y, const View& at) {
  const Index pixels = rows.pixels * columns.pixels, out = rows.count * columns.count;
  parallel_for(x.shape[0] * x.shape[1], pixels, cheap_grain / 4, [&](Index first, Index last) {
    MaxRow<places, T> max_row(columns);
    for (Index p = first; p < last; ++p)
      for (Index i = 0; i < rows.count; ++i) {
        const Index to = p * out + i * columns.count;
        max_row(x.as<const T>() + p * pixels, rows.begin(i), rows.end(i), y.as<T>() + to,
                places ? at.as<std::int32_t>() + to : nullptr);
      }
  });
}

}  // namespace

void max_pool2d_forward(Cpu, const View& x, const Windows& rows, const Windows& columns, const View& y,
                        const View& at) {
  visit_float(op, x.dtype, [&]<class T>() {
    if (at)
      max_forward<true, T>(x, rows, columns, y, at);
    else
      max_forward<false, T>(x, rows, columns, y, at);
  });
}

void max_pool2d_backward(Cpu, const View& at, const Windows&, const Windows&, const View& dy,
                         const Target& dx) {
  const Shape& s = dx.dx.shape;
  const Index plane = s[2] * s[3], out = dy.shape[2] * dy.shape[3];
  visit_float(op, dy.dtype, [&]<class T>() {
    parallel_for(s[0] * s[1], plane, cheap_grain / 4, [&](Index first, Index last) {
      for (Index p = first; p < last; ++p) {
        T* to = dx.as<T>() + p * plane;
        const T* up = dy.as<const T>() + p * out;
        const std::int32_t* place = at.as<const std::int32_t>() + p * out;
        if (dx.into == Into::set) std::fill(to, to + plane, T(0));
        for (Index k = 0; k < out; ++k) to[place[k]] += up[k];
      }
    });
  });
}

void avg_pool2d_forward(Cpu, const View& x, const Windows& rows, const Windows& columns, bool count_padding,
                        const View& y) {
  const Index height = rows.pixels, width = columns.pixels, out = rows.count * columns.count;
  visit_float(op, x.dtype, [&]<class T>() {
    parallel_for(x.shape[0] * x.shape[1], height * width, cheap_grain / 4, [&](Index first, Index last) {
      const Spans spans(columns);
      std::vector<T> sums(static_cast<std::size_t>(width));
      std::vector<T> counts(spans.begin.size());
      for (Index p = first; p < last; ++p)
        for (Index i = 0; i < rows.count; ++i) {
          const T* plane = x.as<const T>() + p * height * width;
          T *sum = sums.data(), *to = y.as<T>() + p * out + i * columns.count;
          for (Index r = rows.begin(i); r < rows.end(i); ++r)
            store(sum, width, r == rows.begin(i) ? Into::set : Into::add,
                  [row = plane + r * width](Index c) { return row[c]; });
          for (std::size_t j = 0; j < spans.begin.size(); ++j) {
            T total = 0;
            for (Index c = spans.begin[j]; c < spans.end[j]; ++c) total += sum[c];
            to[j] = total / elements<T>(i, static_cast<Index>(j), rows, columns, count_padding);
          }
        }
    });
  });
}

// In the forward pass rows were added up and then columns, so here dy is spread along a row, and that over
// the rows.
void avg_pool2d_backward(Cpu, const View& dy, const Windows& rows, const Windows& columns, bool count_padding,
                         const Target& dx) {
  const Index height = rows.pixels, width = columns.pixels, out = rows.count * columns.count;
  visit_float(op, dy.dtype, [&]<class T>() {
    parallel_for(dy.shape[0] * dy.shape[1], height * width, cheap_grain / 4, [&](Index first, Index last) {
      const Spans spans(columns);
      std::vector<T> shares(static_cast<std::size_t>(width));
      for (Index p = first; p < last; ++p) {
        T *to = dx.as<T>() + p * height * width, *share = shares.data();
        if (dx.into == Into::set) std::fill(to, to + height * width, T(0));
        for (Index i = 0; i < rows.count; ++i) {
          const T* up = dy.as<const T>() + p * out + i * columns.count;
          std::fill(share, share + width, T(0));
          for (std::size_t j = 0; j < spans.begin.size(); ++j) {
            const T part = up[j] / elements<T>(i, static_cast<Index>(j), rows, columns, count_padding);
            for (Index c = spans.begin[j]; c < spans.end[j]; ++c) share[c] += part;
          }
          for (Index r = rows.begin(i); r < rows.end(i); ++r)
            store(to + r * width, width, Into::add, [share](Index c) { return share[c]; });
        }
      }
    });
  });
}

}  // namespace fovea
