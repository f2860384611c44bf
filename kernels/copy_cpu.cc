#include <cstring>

#include "fovea/kernels/convert.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/rows.h"

namespace fovea {
namespace {

template <class To, class From>
void copy_row(To* to, Index to_step, const From* from, Index from_step, Index n, bool add) {
  if constexpr (std::is_same_v<To, From>) {
    if (!add && to_step == 1 && from_step == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(To));
      return;
    }
  }
  const auto each = [&](Index ts, Index fs) {
    using Sum = Wide<To>;
    if (add) {
#pragma GCC ivdep
      for (Index k = 0; k < n; ++k)
        to[k * ts] = convert<To>(convert<Sum>(to[k * ts]) + convert<Sum>(from[k * fs]));
      return;
    }
#pragma GCC ivdep
    for (Index k = 0; k < n; ++k) to[k * ts] = convert<To>(from[k * fs]);
  };
  if (to_step == 1 && from_step == 1)
    each(1, 1);  // constants: the compiler makes vector code of this one
  else
    each(to_step, from_step);
}

}  // namespace

void copy(Cpu, const View& to, const View& from, Into into) {
  const bool add = into == Into::add;
  const Rows<2> rows =
      to.packed && from.packed ? Rows<2>(to.numel()) : Rows<2>(to.shape, {&to.strides, &from.strides});
  visit_any(to.dtype, [&]<class To>() {
    visit_any(from.dtype, [&]<class From>() {
      const auto part = [&](Index row, Index begin, Index end) {
        copy_row(to.as<To>() + rows.offset(0, row) + begin * rows.step[0], rows.step[0],
                 from.as<const From>() + rows.offset(1, row) + begin * rows.step[1], rows.step[1],
                 end - begin, add);
      };
      parallel_rows(rows, cheap_grain, part);
    });
  });
}

void fill(Cpu, const View& to, double value) {
  const Index n = to.numel();
  visit_any(to.dtype, [&]<class T>() {
    const T x = convert<T>(value);
    parallel_for(n, 1, cheap_grain, [&](Index b, Index e) { std::fill(to.as<T>() + b, to.as<T>() + e, x); });
  });
}

void count_up(Cpu, const View& to) {
  visit_any(to.dtype, [&]<class T>() {
    for (Index i = 0; i < to.numel(); ++i) to.as<T>()[i] = convert<T>(static_cast<double>(i));
  });
}

}  // namespace fovea
