#include "fovea/models/layers/init.h"

#include <cmath>
#include <vector>

#include "fovea/ops/create.h"

namespace fovea::init {
namespace {

// Sets elements, in order, to what next() gives.
template <class F>
void fill(Tensor& t, F&& next) {
  visit_float("init", t.dtype(), [&]<class T>() {
    T* x = t.mutable_data<T>();
    for (Index i = 0; i < t.numel(); ++i) x[i] = static_cast<T>(next());
  });
}

double dot(const double* x, const double* y, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += x[i] * y[i];
  return sum;
}

}  // namespace

Fans fans(const Tensor& weight) {
  require(weight.rank() >= 2, "init", "a tensor of shape ", weight.shape(),
          " has no fans; it must be [O,I,...]");
  Index field = 1;
  for (int d = 2; d < weight.rank(); ++d) field *= weight.size(d);
  return {static_cast<double>(weight.size(1) * field), static_cast<double>(weight.size(0) * field)};
}

void constant(Tensor t, double value) {
  fill(t, [=] { return value; });
}
void uniform(Tensor t, Generator& random, double low, double high) {
  assign(t, rand_uniform(t.shape(), random, low, high, t.dtype()));
}
void normal(Tensor t, Generator& random, double mean, double deviation) {
  assign(t, rand_normal(t.shape(), random, mean, deviation, t.dtype()));
}
void truncated_normal(Tensor t, Generator& random, double mean, double deviation, double cut) {
  require(cut > 0.01, "init", "truncated_normal with cut ", cut,
          " would draw for ever; it must be above 0.01");
  fill(t, [&] {
    double z;
    do z = static_cast<double>(random.normal());
    while (std::abs(z) > cut);
    return mean + deviation * z;
  });
}

void xavier_uniform(Tensor weight, Generator& random, double gain) {
  const Fans f = fans(weight);
  const double a = gain * std::sqrt(6 / (f.in + f.out));
  uniform(weight, random, -a, a);
}
void xavier_normal(Tensor weight, Generator& random, double gain) {
  const Fans f = fans(weight);
  normal(weight, random, 0, gain * std::sqrt(2 / (f.in + f.out)));
}
void kaiming_uniform(Tensor weight, Generator& random, double slope, Fan fan) {
  const Fans f = fans(weight);
  const double a = std::sqrt(6 / ((1 + slope * slope) * (fan == Fan::in ? f.in : f.out)));
  uniform(weight, random, -a, a);
}
void kaiming_normal(Tensor weight, Generator& random, double slope, Fan fan) {
  const Fans f = fans(weight);
  normal(weight, random, 0, std::sqrt(2 / ((1 + slope * slope) * (fan == Fan::in ? f.in : f.out))));
}

void orthogonal(Tensor weight, Generator& random, double gain) {
  require(weight.rank() >= 2, "init", "orthogonal needs a matrix [O,I,...], got ", weight.shape());
  const Index rows = weight.size(0), columns = rows > 0 ? weight.numel() / rows : 0;
  // The shorter side counts the vectors that are made orthonormal, by Gram and Schmidt, each twice, which
  // keeps them so to rounding error.
  const bool by_row = rows <= columns;
  const Index count = by_row ? rows : columns, length = by_row ? columns : rows;
  std::vector<double> q(static_cast<std::size_t>(count * length));
  for (Index i = 0; i < count; ++i) {
    double* x = q.data() + i * length;
    double size = 0;
    while (size < 1e-3) {
      for (Index k = 0; k < length; ++k) x[k] = static_cast<double>(random.normal());
      for (int pass = 0; pass < 2; ++pass)
        for (Index j = 0; j < i; ++j) {
          const double* y = q.data() + j * length;
          const double d = dot(x, y, length);
          for (Index k = 0; k < length; ++k) x[k] -= d * y[k];
        }
      size = std::sqrt(dot(x, x, length));
    }
    for (Index k = 0; k < length; ++k) x[k] /= size;
  }
  Index at = 0;
  fill(weight, [&] {
    const Index r = at / columns, c = at % columns;
    ++at;
    return gain * q[static_cast<std::size_t>(by_row ? r * length + c : c * length + r)];
  });
}

}  // namespace fovea::init
