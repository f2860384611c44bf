#include "fovea/ops/reduce.h"

#include <cmath>
#include <limits>

#include "fovea/core/tape.h"
#include "fovea/kernels/copy.h"
#include "fovea/kernels/extreme.h"
#include "fovea/kernels/reduce.h"
#include "fovea/ops/create.h"

namespace fovea {
namespace {

// How y lies in x.
struct Layout {
  Shape shape;    // of y
  Shape strides;  // of y seen as a tensor of x's shape: 0 where it is reduced
  Shape from;     // x's shape
  Index n = 1;    // elements of x for one of y

  View view(const Tensor& y) const {
    if (!y.defined()) return {};
    View v = view_of(y);
    v.shape = from;
    v.strides = strides;
    v.packed = false;
    return v;
  }
};

Layout layout(const char* op, const Tensor& x, const Axes& axes, bool keepdim) {
  require(x.dtype() == DType::f32 || x.dtype() == DType::f64, op, "takes f32 or f64, not ", x.dtype(),
          "; cast() it first");
  Layout l{.shape = {}, .strides = x.shape(), .from = x.shape()};
  const auto listed = axes.in(x.shape(), op);
  Index step = 1;
  for (int d = x.rank(); d-- > 0;) {
    const Index size = x.shape()[d];
    const bool reduced = axes.size() == 0 || listed[static_cast<std::size_t>(d)];
    l.strides[d] = reduced ? 0 : step;
    if (reduced)
      l.n *= size;
    else
      step *= size;
    if (!reduced || keepdim) l.shape = l.shape.inserted(0, reduced ? 1 : size);
  }
  return l;
}

template <class F>
void on_device(const Tensor& x, F&& f) {
  std::visit(f, x.device());
}

// scale * sum of x.
Tensor scaled_sum(const Tensor& x, const Layout& l, double scale) {
  Tensor y = Tensor::empty(l.shape, x.dtype(), x.device());
  on_device(x, [&](auto d) {
    if (x.numel() == 0)
      fill(d, view_of(y), 0);
    else
      sum_forward(d, view_of(x), scale, l.view(y));
  });
  return y;
}

// The backward of the sums: dx = scale * dy * slope(x, s).
void spread(Backward& b, const Layout& l, ReduceSlope slope, double scale, const Tensor& x, const Tensor& s) {
  const auto t = b.target(0);
  on_device(t.dx, [&](auto d) {
    reduce_backward(d, slope, scale, view_of(x), l.view(s), l.view(b.dy()), view_of(t.dx), t.into);
  });
}

void require_some(const char* op, const Layout& l, const Tensor& x) {
  require(l.n > 0, op, "of nothing: x is ", x.shape(), " and the reduced dimensions have no elements");
  require(l.n <= std::numeric_limits<std::int32_t>::max(), op, "over ", l.n,
          " elements: their positions do not fit i32; reduce one dimension after the other");
}

Tensor extreme(const char* op, const Tensor& x, const Axes& axes, bool keepdim, bool largest) {
  const Layout l = layout(op, x, axes, keepdim);
  require_some(op, l, x);
  Tensor y = Tensor::empty(l.shape, x.dtype(), x.device()), at;
  if (Tape::current() && x.tracked()) at = Tensor::empty(l.shape, DType::i32, x.device());
  if (x.numel() > 0)
    on_device(x, [&](auto d) { extreme_forward(d, view_of(x), largest, l.view(y), l.view(at)); });
  record(op, {x}, {y}, [l, at = Saved(at)](Backward& b) {
    const auto t = b.target(0);
    on_device(t.dx, [&](auto d) {
      if (t.into == Into::set) fill(d, view_of(t.dx), 0);
      if (t.dx.numel() > 0) extreme_backward(d, l.view(at), l.view(b.dy()), view_of(t.dx));
    });
  });
  return y;
}

}  // namespace

Tensor sum(const Tensor& x, const Axes& axes, bool keepdim) {
  const Layout l = layout("sum", x, axes, keepdim);
  Tensor y = scaled_sum(x, l, 1);
  record("sum", {x}, {y}, [l](Backward& b) { spread(b, l, ReduceSlope::one, 1, Tensor(), Tensor()); });
  return y;
}

Tensor mean(const Tensor& x, const Axes& axes, bool keepdim) {
  const Layout l = layout("mean", x, axes, keepdim);
  require_some("mean", l, x);
  const double scale = 1 / static_cast<double>(l.n);
  Tensor y = scaled_sum(x, l, scale);
  record("mean", {x}, {y},
         [l, scale](Backward& b) { spread(b, l, ReduceSlope::one, scale, Tensor(), Tensor()); });
  return y;
}

Tensor max(const Tensor& x, const Axes& axes, bool keepdim) { return extreme("max", x, axes, keepdim, true); }
Tensor min(const Tensor& x, const Axes& axes, bool keepdim) {
  return extreme("min", x, axes, keepdim, false);
}

Tensor argmax(const Tensor& x, const Axes& axes, bool keepdim) {
  const Layout l = layout("argmax", x, axes, keepdim);
  require_some("argmax", l, x);
  Tensor at = Tensor::empty(l.shape, DType::i32, x.device());
  if (x.numel() > 0) on_device(x, [&](auto d) { extreme_forward(d, view_of(x), true, {}, l.view(at)); });
  return at;
}

Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdim) {
  const Layout l = layout("logsumexp", x, axes, keepdim);
  Tensor y = Tensor::empty(l.shape, x.dtype(), x.device());
  on_device(x, [&](auto d) {
    if (x.numel() == 0) return fill(d, view_of(y), -std::numeric_limits<double>::infinity());
    extreme_forward(d, view_of(x), true, l.view(y), {});
    logsumexp_forward(d, view_of(x), l.view(y));
  });
  record("logsumexp", {x}, {y},
         [l, x = Saved(x), y = Saved(y)](Backward& b) { spread(b, l, ReduceSlope::exp, 1, x, y); });
  return y;
}

Tensor norm(const Tensor& x, const Axes& axes, bool keepdim, double eps) {
  require(eps >= 0, "norm", "eps ", eps, " is negative");
  const Layout l = layout("norm", x, axes, keepdim);
  Tensor y = Tensor::empty(l.shape, x.dtype(), x.device());
  on_device(x, [&](auto d) {
    if (x.numel() == 0)
      fill(d, view_of(y), std::sqrt(eps));
    else
      norm_forward(d, view_of(x), eps, l.view(y));
  });
  record("norm", {x}, {y},
         [l, x = Saved(x), y = Saved(y)](Backward& b) { spread(b, l, ReduceSlope::ratio, 1, x, y); });
  return y;
}

Tensor var(const Tensor& x, const Axes& axes, bool keepdim, double correction) {
  const Layout l = layout("var", x, axes, keepdim);
  const double n = static_cast<double>(l.n);
  require(n > correction, "var", "of ", l.n, " elements with correction ", correction,
          " would divide by 0 or less; x is ", x.shape());
  const double scale = 1 / (n - correction);
  Tensor mean = scaled_sum(x, l, 1 / n);
  Tensor y = Tensor::empty(l.shape, x.dtype(), x.device());
  if (x.numel() > 0)
    on_device(x, [&](auto d) { var_forward(d, view_of(x), l.view(mean), scale, l.view(y)); });
  record("var", {x}, {y}, [l, scale, x = Saved(x), mean = Saved(mean)](Backward& b) {
    spread(b, l, ReduceSlope::distance, 2 * scale, x, mean);
  });
  return y;
}

}  // namespace fovea
