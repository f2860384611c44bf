#include "fovea/models/training/clip.h"

#include <cmath>

#include "fovea/kernels/optimizer.h"
#include "fovea/ops/create.h"

namespace fovea {
namespace {

Tensor written(const FlatParameters& flat, const char* op) {
  flat.check_current(op);
  Tensor g = flat.gradients;
  g.note_change();
  return g;
}

Tensor length_of(const Tensor& g) {
  const Tensor norm = Tensor::empty({}, DType::f64, g.device());
  std::visit([&](auto d) { norm_of(d, view_of(g), view_of(norm)); }, g.device());
  return norm;
}

// The first element of a parameter's value or gradient that is not finite; -1 when all are.
Index first_bad(const Tensor& given) {
  const Tensor t = to(given, Cpu{});
  return visit_float("check_finite", t.dtype(), [&]<class T>() {
    const T* x = static_cast<const T*>(t.raw());
    for (Index k = 0; k < t.numel(); ++k)
      if (!std::isfinite(x[k])) return k;
    return Index{-1};
  });
}

}  // namespace

void clip_by_value(const FlatParameters& flat, double limit) {
  require(limit >= 0, "clip_by_value", "limit is ", limit, "; it must not be negative");
  const Tensor g = written(flat, "clip_by_value");
  std::visit([&](auto d) { clamp_in_place(d, view_of(g), limit); }, g.device());
}

Tensor gradient_norm(const FlatParameters& flat) {
  flat.check_current("gradient_norm");
  return length_of(flat.gradients);
}

Tensor clip_by_norm(const FlatParameters& flat, double max_norm) {
  require(max_norm >= 0, "clip_by_norm", "max_norm is ", max_norm, "; it must not be negative");
  const Tensor g = written(flat, "clip_by_norm"), norm = length_of(g);
  std::visit([&](auto d) { clip_in_place(d, view_of(g), view_of(norm), max_norm); }, g.device());
  return norm;
}

Tensor loss_and_norm(const Tensor& loss, const FlatParameters& flat) {
  flat.check_current("loss_and_norm");
  const Tensor& g = flat.gradients;
  require(loss.numel() == 1 && loss.device() == g.device(), "loss_and_norm", "a loss ", loss.shape(), " on ",
          loss.device(), " must be one element on ", g.device());
  const Tensor own = cast(loss.detach(), g.dtype()), seen = Tensor::empty({2}, DType::f64, g.device());
  const View first = view_of(own);
  std::visit([&](auto d) { norm_of(d, view_of(g), view_of(seen), &first); }, g.device());
  return seen;
}

void scale_gradients(const FlatParameters& flat, double factor) {
  const Tensor g = written(flat, "scale_gradients");
  std::visit([&](auto d) { scale_in_place(d, view_of(g), factor); }, g.device());
}

void check_finite(Index step, double loss, const FlatParameters& flat) {
  check_finite(step, loss, flat, gradient_norm(flat).item<double>());
}

void check_finite(Index step, double loss, const FlatParameters& flat, double norm) {
  if (std::isfinite(loss) && std::isfinite(norm)) [[likely]]
    return;
  for (const auto& s : flat.segments) {
    const Index value = first_bad(s.parameter), gradient = first_bad(s.parameter.grad());
    require(value < 0, "check_finite", "step ", step, ": '", s.name, "' ", s.parameter.shape(),
            " has a value that is not finite, at element ", value,
            "; lower the learning rate or clip gradients");
    require(gradient < 0, "check_finite", "step ", step, ": the gradient of '", s.name, "' ",
            s.parameter.shape(), " is not finite at element ", gradient, " (loss ", loss,
            "); lower the learning rate or clip gradients");
  }
  require(std::isfinite(loss), "check_finite", "step ", step, ": the loss is ", loss,
          ", though all parameters and gradients are finite; look at the data and the loss function");
  fail("check_finite", "step ", step, ": the gradients' norm is ", norm,
       ", though each of them is finite; lower the learning rate or clip them by value");
}

}  // namespace fovea
