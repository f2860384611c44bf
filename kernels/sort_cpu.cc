#include <algorithm>
#include <cmath>
#include <vector>

#include "fovea/kernels/convert.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/sort.h"

namespace fovea {
namespace {

// A view without one dimension: where line `i` along that dimension starts.
struct Lines {
  Shape shape, strides;
  Lines(const View& v, int dim) : shape(v.shape.erased(dim)), strides(v.strides.erased(dim)) {}
  Index offset(Index i) const {
    Index at = 0;
    for (int d = shape.rank(); d-- > 0; i /= shape[d]) at += i % shape[d] * strides[d];
    return at;
  }
};

template <class T>
struct Entry {
  T key;
  std::int32_t at;
};

// Sorts the first k entries into place. `at` decides ties, so that the order is that of a stable sort.
template <bool descending, class T>
void arrange(Entry<T>* begin, Entry<T>* end, Index k) {
  const auto less = [](const Entry<T>& a, const Entry<T>& b) {
    if (a.key != b.key) return descending ? a.key > b.key : a.key < b.key;
    return a.at < b.at;
  };
  const bool all = k >= end - begin;
  if (all || k > (end - begin) / 8)
    std::sort(begin, end, less);
  else
    std::partial_sort(begin, begin + k, end, less);
}

}  // namespace

void sort_forward(Cpu, const View& x, int dim, bool descending, const View& values, const View& indices) {
  const Index n = x.shape[dim], k = values.shape[dim];
  const Lines from(x, dim), to(values, dim);
  const Index xs = x.strides[dim], ys = values.strides[dim];
  visit_any(x.dtype, [&]<class T>() {
    using Key = Wide<T>;
    parallel_for(from.shape.numel(), n, costly_grain, [&](Index begin, Index end) {
      std::vector<Entry<Key>> entries(static_cast<std::size_t>(n));
      for (Index line = begin; line < end; ++line) {
        const T* source = x.as<const T>() + from.offset(line);
        // NaN does not compare: it is put at the end, in order, and the rest is sorted.
        Entry<Key>*first = entries.data(), *last = first;
        for (const bool nan : {false, true}) {
          for (Index i = 0; i < n; ++i) {
            const Key key = static_cast<Key>(source[i * xs]);
            if ((key != key) == nan) *last++ = {key, static_cast<std::int32_t>(i)};
          }
          if (nan) break;
          if (descending)
            arrange<true>(first, last, k);
          else
            arrange<false>(first, last, k);
          if (last - first == n) break;
        }
        const Index at = to.offset(line);
        for (Index i = 0; i < k; ++i) {
          values.as<T>()[at + i * ys] = source[first[i].at * xs];
          indices.as<std::int32_t>()[at + i * ys] = first[i].at;
        }
      }
    });
  });
}

}  // namespace fovea
