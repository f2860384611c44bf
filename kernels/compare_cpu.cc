#include "fovea/kernels/compare.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/rows.h"

namespace fovea {
namespace {

template <class T, class F>
void pairs(const View& x, const View& y, const View& z, const F& f) {
  const Rows<3> rows(z.shape, {&x.strides, &y.strides, &z.strides});
  const auto part = [&](Index row, Index begin, Index end) {
    const T* p = x.as<const T>() + rows.offset(0, row);
    const T* q = y.as<const T>() + rows.offset(1, row);
    auto* out = z.as<std::uint8_t>() + rows.offset(2, row);
    const auto each = [&](Index xs, Index ys, Index zs) {
      for (Index k = begin; k < end; ++k) out[k * zs] = static_cast<std::uint8_t>(f(p[k * xs], q[k * ys]));
    };
    if (rows.step[0] == 1 && rows.step[1] == 1 && rows.step[2] == 1)
      each(1, 1, 1);  // constants: the compiler makes vector code of this one
    else
      each(rows.step[0], rows.step[1], rows.step[2]);
  };
  if (rows.count == 1)
    parallel_for(rows.length, 1, cheap_grain, [&](Index b, Index e) { part(0, b, e); });
  else
    parallel_for(rows.count, rows.length, cheap_grain, [&](Index b, Index e) {
      for (Index r = b; r < e; ++r) part(r, 0, rows.length);
    });
}

// Calls g with the comparison as a function of two numbers.
template <class G>
void with(Comparison comparison, G&& g) {
  switch (comparison) {
    case Comparison::less:
      return g([](auto a, auto b) { return a < b; });
    case Comparison::less_equal:
      return g([](auto a, auto b) { return a <= b; });
    case Comparison::greater:
      return g([](auto a, auto b) { return a > b; });
    case Comparison::greater_equal:
      return g([](auto a, auto b) { return a >= b; });
    case Comparison::equal:
      return g([](auto a, auto b) { return a == b; });
    case Comparison::not_equal:
      return g([](auto a, auto b) { return a != b; });
  }
}

}  // namespace

void compare_forward(Cpu, Comparison comparison, const View& x, const View& y, const View& z) {
  with(comparison, [&](auto f) {
    visit_any(x.dtype, [&]<class T>() {
      pairs<T>(x, y, z, [f](T a, T b) {
        if constexpr (std::is_same_v<T, bf16>)
          return f(static_cast<float>(a), static_cast<float>(b));
        else
          return f(a, b);
      });
    });
  });
}

void compare_forward(Cpu, Comparison comparison, const View& x, double y, const View& z) {
  with(comparison, [&](auto f) {
    visit_any(x.dtype, [&]<class T>() {
      if constexpr (std::is_same_v<T, float>)
        pairs<T>(x, x, z, [f, c = static_cast<float>(y)](T a, T) { return f(a, c); });
      else
        pairs<T>(x, x, z, [f, y](T a, T) { return f(static_cast<double>(a), y); });
    });
  });
}

void logic_forward(Cpu, Logic logic, const View& x, const View& y, const View& z) {
  using T = std::uint8_t;
  if (logic == Logic::both) return pairs<T>(x, y, z, [](T a, T b) { return (a != 0) & (b != 0); });
  if (logic == Logic::either) return pairs<T>(x, y, z, [](T a, T b) { return (a | b) != 0; });
  pairs<T>(x, y, z, [](T a, T b) { return (a != 0) != (b != 0); });
}

}  // namespace fovea
