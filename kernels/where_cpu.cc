#include <bit>

#include "fovea/kernels/parallel.h"
#include "fovea/kernels/rows.h"
#include "fovea/kernels/where.h"

namespace fovea {
namespace {

// m ? x : y on the bits: the compiler makes no vector code of a choice between floats by bytes.
template <class T>
T chosen(bool m, T x, T y) {
  using Bits = std::conditional_t<
      sizeof(T) == 1, std::uint8_t,
      std::conditional_t<sizeof(T) == 2, std::uint16_t,
                         std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
  const auto keep = static_cast<Bits>(Bits{0} - Bits{m});
  const auto a = std::bit_cast<Bits>(x), b = std::bit_cast<Bits>(y);
  return std::bit_cast<T>(static_cast<Bits>((a & keep) | (b & ~keep)));
}

// z = f(mask, x, y) along rows.
template <class T, class F>
void choose(const View& mask, const View& x, const View& y, const View& z, const F& f) {
  const Rows<4> rows(z.shape, {&mask.strides, &x.strides, &y.strides, &z.strides});
  const auto& step = rows.step;
  const auto part = [&](Index row, Index begin, Index end) {
    const auto* m = mask.as<const std::uint8_t>() + rows.offset(0, row);
    const T* p = x.as<const T>() + rows.offset(1, row);
    const T* q = y.as<const T>() + rows.offset(2, row);
    T* out = z.as<T>() + rows.offset(3, row);
    const auto each = [&](Index ms, Index xs, Index ys, Index zs) {
#pragma GCC ivdep
      for (Index k = begin; k < end; ++k) out[k * zs] = f(m[k * ms], p[k * xs], q[k * ys], out[k * zs]);
    };
    if (step[0] == 1 && step[1] == 1 && step[2] == 1 && step[3] == 1)
      each(1, 1, 1, 1);  // constants: the compiler makes vector code of this one
    else
      each(step[0], step[1], step[2], step[3]);
  };
  parallel_rows(rows, cheap_grain, part);
}

}  // namespace

void where_forward(Cpu, const View& mask, const View& x, double a, const View& y, const View& z) {
  visit_any(z.dtype, [&]<class T>() {
    if (x) return choose<T>(mask, x, y, z, [](std::uint8_t m, T x, T y, T) { return chosen(m != 0, x, y); });
    T value;
    if constexpr (std::is_same_v<T, bf16>)
      value = bf16(static_cast<float>(a));
    else
      value = static_cast<T>(a);
    choose<T>(mask, y, y, z, [value](std::uint8_t m, T, T y, T) { return chosen(m != 0, value, y); });
  });
}

void where_backward(Cpu, const View& mask, bool side, const View& dy, const View& dx, Into into) {
  visit_float("where", dy.dtype, [&]<class T>() {
    if (into == Into::add)
      choose<T>(mask, dy, dy, dx,
                [side](std::uint8_t m, T dy, T, T dx) { return dx + chosen((m != 0) == side, dy, T(0)); });
    else
      choose<T>(mask, dy, dy, dx,
                [side](std::uint8_t m, T dy, T, T) { return chosen((m != 0) == side, dy, T(0)); });
  });
}

}  // namespace fovea
