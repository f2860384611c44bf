#include <functional>

#include "fovea/kernels/compare.h"
#include "fovea/kernels/convert.h"
#include "fovea/kernels/parallel.h"
#include "fovea/kernels/rows.h"

// A comparison is compiled once for each dtype, as a loop over a row; what walks over the rows is compiled
// once.

namespace fovea {
namespace {

using Row = void (*)(const void* x, Index x_step, const void* y, Index y_step, std::uint8_t* z, Index z_step,
                     Index n);

// z = F(x, y), both taken for a W.
template <class F, class W, class X, class Y>
void row(const void* x, Index x_step, const void* y, Index y_step, std::uint8_t* z, Index z_step, Index n) {
  const auto* p = static_cast<const X*>(x);
  const auto* q = static_cast<const Y*>(y);
  const auto each = [&](Index xs, Index ys, Index zs) {
    for (Index k = 0; k < n; ++k)
      z[k * zs] = static_cast<std::uint8_t>(F()(convert<W>(p[k * xs]), convert<W>(q[k * ys])));
  };
  if (x_step == 1 && y_step == 1 && z_step == 1)
    each(1, 1, 1);  // constants: the compiler makes vector code of this one
  else if (x_step == 1 && y_step == 0 && z_step == 1)
    each(1, 0, 1);
  else
    each(x_step, y_step, z_step);
}

void along_rows(Row row, const View& x, const View& y, const View& z) {
  const Rows<3> rows(z.shape, {&x.strides, &y.strides, &z.strides});
  const auto at = [&](const View& v, std::size_t i, Index r, Index k) {
    return v.as<std::uint8_t>() +
           (rows.offset(i, r) + k * rows.step[i]) * static_cast<Index>(size_of(v.dtype));
  };
  parallel_rows(rows, cheap_grain, [&](Index r, Index begin, Index end) {
    row(at(x, 0, r, begin), rows.step[0], at(y, 1, r, begin), rows.step[1], at(z, 2, r, begin), rows.step[2],
        end - begin);
  });
}

// Calls g with the comparison as the type of a function object.
template <class G>
void with(Comparison comparison, G&& g) {
  switch (comparison) {
    case Comparison::less:
      return g.template operator()<std::less<>>();
    case Comparison::less_equal:
      return g.template operator()<std::less_equal<>>();
    case Comparison::greater:
      return g.template operator()<std::greater<>>();
    case Comparison::greater_equal:
      return g.template operator()<std::greater_equal<>>();
    case Comparison::equal:
      return g.template operator()<std::equal_to<>>();
    case Comparison::not_equal:
      return g.template operator()<std::not_equal_to<>>();
  }
}

struct Both {
  bool operator()(int a, int b) const { return (a != 0) & (b != 0); }
};
struct Either {
  bool operator()(int a, int b) const { return (a | b) != 0; }
};
struct Differ {
  bool operator()(int a, int b) const { return (a != 0) != (b != 0); }
};

}  // namespace

void compare_forward(Cpu, Comparison comparison, const View& x, const View& y, const View& z) {
  with(comparison, [&]<class F>() {
    visit_any(x.dtype, [&]<class T>() {
      using W = Wide<T>;
      along_rows(row<F, W, T, T>, x, y, z);
    });
  });
}

void compare_forward(Cpu, Comparison comparison, const View& x, double y, const View& z) {
  with(comparison, [&]<class F>() {
    visit_any(x.dtype, [&]<class T>() {
      using W = std::conditional_t<std::is_same_v<T, float>, float, double>;
      auto value = static_cast<W>(y);
      View everywhere{&value, dtype_of<W>, z.shape, z.shape};
      for (int d = 0; d < z.shape.rank(); ++d) everywhere.strides[d] = 0;
      along_rows(row<F, W, T, W>, x, everywhere, z);
    });
  });
}

void logic_forward(Cpu, Logic logic, const View& x, const View& y, const View& z) {
  using T = std::uint8_t;
  along_rows(logic == Logic::both     ? row<Both, T, T, T>
             : logic == Logic::either ? row<Either, T, T, T>
                                      : row<Differ, T, T, T>,
             x, y, z);
}

}  // namespace fovea
