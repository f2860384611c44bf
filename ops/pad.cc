#include "fovea/ops/pad.h"

#include "fovea/core/tape.h"
#include "fovea/kernels/copy.h"
#include "fovea/ops/create.h"
#include "fovea/ops/views.h"

namespace fovea {
namespace {

void write(Tensor to, const Tensor& from, Into into) {
  std::visit([&](auto d) { copy(d, view_of(to), view_of(from), into); }, to.device());
}

// The part of a padded tensor that holds x.
Tensor inside(Tensor y, const std::vector<Padding>& padding) {
  int dim = y.rank() - static_cast<int>(padding.size());
  for (const Padding& p : padding) {
    y = slice(y, dim, p.before, y.shape()[dim] - p.after);
    ++dim;
  }
  return y;
}

// y (set or +=) x moved on by shift, 0 <= shift < n.
void roll_into(const Tensor& y, const Tensor& x, Index shift, int dim, Into into) {
  const Index n = x.shape()[dim];
  write(slice(y, dim, shift, n), slice(x, dim, 0, n - shift), into);
  if (shift > 0) write(slice(y, dim, 0, shift), slice(x, dim, n - shift, n), into);
}

// x read backwards: negative strides, which stay inside this file.
View backwards(const Tensor& x, const std::array<bool, max_rank>& flipped) {
  View v = view_of(x);
  v.packed = false;
  Index offset = 0;
  for (int d = 0; d < x.rank(); ++d) {
    if (!flipped[static_cast<std::size_t>(d)]) continue;
    offset += (x.shape()[d] - 1) * x.strides()[d];
    v.strides[d] = -x.strides()[d];
  }
  if (x.numel() > 0)
    v.data = static_cast<std::byte*>(v.data) + offset * static_cast<Index>(size_of(x.dtype()));
  return v;
}

}  // namespace

Tensor pad(const Tensor& x, const std::vector<Padding>& padding, double value) {
  const int first = x.rank() - static_cast<int>(padding.size());
  require(first >= 0, "pad", padding.size(), " paddings for shape ", x.shape());
  Shape shape = x.shape();
  int dim = first;
  for (const Padding& p : padding) {
    require(p.before >= 0 && p.after >= 0, "pad", "negative padding (", p.before, ", ", p.after,
            ") of dimension ", dim, " of ", x.shape(), "; slice() makes tensors smaller");
    shape[dim++] += p.before + p.after;
  }
  Tensor y = full(shape, value, x.dtype(), x.device());
  write(inside(y, padding), x, Into::set);
  record("pad", {x}, {y}, [padding](Backward& b) { b.add(0, inside(b.dy(), padding)); });
  return y;
}

Tensor roll(const Tensor& x, Index shift, int dim) {
  dim = x.shape().axis(dim, "roll");
  const Index n = x.shape()[dim];
  shift = n == 0 ? 0 : (shift % n + n) % n;
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  {
    Pause pause;  // the slices of x are no steps of their own
    roll_into(y, x, shift, dim, Into::set);
  }
  record("roll", {x}, {y}, [shift, dim](Backward& b) {
    const auto t = b.target(0);
    roll_into(t.dx, b.dy(), shift == 0 ? 0 : t.dx.shape()[dim] - shift, dim, t.into);
  });
  return y;
}

Tensor flip(const Tensor& x, const Axes& axes) {
  std::array<bool, max_rank> flipped = axes.in(x.shape(), "flip");
  if (axes.size() == 0) flipped.fill(true);
  Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  std::visit([&](auto d) { copy(d, view_of(y), backwards(x, flipped)); }, x.device());
  record("flip", {x}, {y}, [flipped](Backward& b) {
    const auto t = b.target(0);
    std::visit([&](auto d) { copy(d, view_of(t.dx), backwards(b.dy(), flipped), t.into); }, t.dx.device());
  });
  return y;
}

}  // namespace fovea
