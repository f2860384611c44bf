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

double gradient_norm(const FlatParameters& flat) {
  flat.check_current("gradient_norm");
  return std::sqrt(std::visit([&](auto d) { return sum_of_squares(d, view_of(flat.gradients)); },
                              flat.gradients.device()));
}

double clip_by_norm(const FlatParameters& flat, double max_norm) {
  require(max_norm >= 0, "clip_by_norm", "max_norm is ", max_norm, "; it must not be negative");
  const double norm = gradient_norm(flat), factor = max_norm / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1) scale_gradients(flat, factor);
  return norm;
}

void scale_gradients(const FlatParameters& flat, double factor) {
  const Tensor g = written(flat, "scale_gradients");
  std::visit([&](auto d) { scale_in_place(d, view_of(g), factor); }, g.device());
}

void check_finite(Index step, double loss, const FlatParameters& flat) {
  check_finite(step, loss, flat, gradient_norm(flat));
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
}

}  // namespace fovea
