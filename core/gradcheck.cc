#include "fovea/core/gradcheck.h"

#include <algorithm>
#include <cmath>

#include "fovea/core/arithmetic.h"
#include "fovea/core/generator.h"
#include "fovea/core/tape.h"

namespace fovea {
namespace {

using Vector = std::vector<double>;

Vector to_vector(const Tensor& t) {
  const Tensor host = detail::on_host(t);
  const auto v = host.values<double>();
  return {v.begin(), v.end()};
}

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// The unit vectors of n dimensions, or some random directions when there are too many.
std::vector<Vector> directions(std::size_t n, const GradcheckOptions& options, Generator& random) {
  std::vector<Vector> out;
  if (static_cast<Index>(n) <= options.full) {
    for (std::size_t i = 0; i < n; ++i) {
      out.emplace_back(n, 0.0);
      out.back()[i] = 1;
    }
    return out;
  }
  for (int d = 0; d < options.directions; ++d) {
    Vector v(n);
    for (double& x : v) x = random.normal();
    const double norm = std::sqrt(dot(v, v));
    for (double& x : v) x /= norm;
    out.push_back(std::move(v));
  }
  return out;
}

}  // namespace

GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                          const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  Generator random(7);
  std::vector<Vector> points;
  for (const Tensor& x : inputs) {
    require(x.dtype() == DType::f64, "gradcheck", "inputs must be f64, not ", x.dtype());
    points.push_back(to_vector(x));
  }
  const auto tensors = [&](std::size_t moved, const Vector& by, double h) {
    std::vector<Tensor> out;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Vector p = points[i];
      if (i == moved)
        for (std::size_t k = 0; k < p.size(); ++k) p[k] += h * by[k];
      out.push_back(Tensor::from(p, inputs[i].shape()));
    }
    return out;
  };
  const auto value = [&](std::size_t moved, const Vector& by, double h) {
    Pause pause;
    return to_vector(f(tensors(moved, by, h)));
  };

  const auto outputs = value(inputs.size(), {}, 0).size();
  const auto rows = directions(outputs, options, random);

  // analytic[r][i]: gradient of row r's combination of the outputs with respect to input i.
  std::vector<std::vector<Vector>> analytic;
  for (const Vector& row : rows) {
    Tape tape;
    std::vector<Tensor> watched;
    for (const Tensor& x : tensors(inputs.size(), {}, 0)) watched.push_back(tape.watch(x));
    const Tensor y = f(watched);
    require(y.dtype() == DType::f64, "gradcheck", "the function must give f64, not ", y.dtype());
    require(Tape::tracks(y), "gradcheck",
            "the function's result does not depend on its inputs through recorded ops");
    tape.backward(y, {.seed = Tensor::from(row, y.shape())});
    std::vector<Vector>& gradients = analytic.emplace_back();
    for (const Tensor& x : watched) gradients.push_back(to_vector(tape.gradient(x)));
  }

  GradcheckResult result;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto columns = directions(points[i].size(), options, random);
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Vector up = value(i, columns[c], options.step), down = value(i, columns[c], -options.step);
      Vector slope(outputs);
      for (std::size_t o = 0; o < outputs; ++o) slope[o] = (up[o] - down[o]) / (2 * options.step);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        const double a = dot(analytic[r][i], columns[c]), n = dot(rows[r], slope);
        const double error = std::abs(a - n) / std::max({1.0, std::abs(a), std::abs(n)});
        if (error <= result.error) continue;  // NaN goes on, and fails
        result.error = error;
        result.where = cat("input ", i, ", column ", c, " of ", columns.size(), ", output row ", r, " of ",
                           rows.size(), ": analytic ", a, ", numeric ", n);
        if (!(error <= options.tolerance)) result.ok = false;
        if (std::isnan(error)) return result;
      }
    }
  }
  return result;
}

}  // namespace fovea
