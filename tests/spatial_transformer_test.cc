#include "fovea/models/layers/spatial_transformer.h"

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/reduce.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using Kind = SpatialTransformer::Kind;
constexpr Kind kinds[] = {Kind::affine, Kind::projective, Kind::thin_plate_spline, Kind::attention};

SpatialTransformer make(Kind kind, Index channels = 1, DType dtype = DType::f32) {
  Generator random(3);
  return SpatialTransformer({.kind = kind,
                             .height = 9,
                             .width = 9,
                             .localisation = {.channels = channels,
                                              .height = 9,
                                              .width = 9,
                                              .filters = {3},
                                              .kernels = {3},
                                              .hidden = {5},
                                              .dtype = dtype}},
                            random);
}

TEST_CASE("spatial transformer: starts as the identity, for maps of any channels") {
  Generator random(1);
  for (Kind kind : kinds) {
    const SpatialTransformer t = make(kind, 2);
    const Tensor x = rand_uniform({3, 2, 9, 9}, random);
    const auto look = t.look(x);
    CHECK(difference(look.output, x) < 1e-5);
    CHECK(look.theta.shape() == Shape{3, SpatialTransformer::identity(kind).numel()});
    CHECK(t.penalty(look.theta).item<double>() < 1e-10);
  }
}

TEST_CASE("spatial transformer: attention of half the scale cuts out the middle") {
  const SpatialTransformer t = make(Kind::attention);
  const SamplingGrid grid = t.grid(Tensor::from({0.5f, 0.25f, -0.25f}, {1, 3}));
  CHECK(grid.points.at({0, 0, 0, 0}) == doctest::Approx(-0.25));
  CHECK(grid.points.at({0, 0, 0, 1}) == doctest::Approx(-0.75));
  CHECK(grid.points.at({0, 8, 8, 0}) == doctest::Approx(0.75));
  CHECK(grid.points.at({0, 8, 8, 1}) == doctest::Approx(0.25));
}

TEST_CASE("spatial transformer: gradients reach the localisation net") {
  Generator random(2);
  for (Kind kind : kinds) {
    SpatialTransformer t = make(kind, 1, DType::f64);
    // Off the identity, where every point lies on a pixel and the slope has a step.
    init::normal(t.localisation.linear.layers.back().weight, random, 0, 0.1);
    const Tensor x = cast(rand_uniform({2, 1, 9, 9}, random), DType::f64),
                 mask = cast(rand_uniform({2, 1, 9, 9}, random), DType::f64);
    const auto cost = [&] { return sum(t.forward(x) * mask); };
    {
      Tape tape;
      tape.backward(cost());
    }
    for (NamedParameter& p : named_parameters(t)) {
      INFO(p.name);
      const Tensor g = p.parameter.grad();
      const double analytic = g.data<double>()[0], step = 1e-6;
      double& w = p.parameter.mutable_data<double>()[0];
      const double start = w;
      w = start + step;
      const double above = cost().item<double>();
      w = start - step;
      const double below = cost().item<double>();
      w = start;
      CHECK(analytic == doctest::Approx((above - below) / (2 * step)).epsilon(1e-5));
    }
  }
}

TEST_CASE("spatial transformer: a map that is too small for the localisation net says so") {
  Generator random(1);
  check_throws(
      [&] {
        SpatialTransformer({.localisation = {.height = 4, .width = 4, .filters = {3}, .kernels = {5}}},
                           random);
      },
      {"[ConvNet]", "side 5", "4x4"});
  check_throws([&] { ConvNet({.filters = {3}}, random); }, {"1 filters", "0 kernels"});
}

}  // namespace
}  // namespace fovea::tests
