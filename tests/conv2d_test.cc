#include "fovea/ops/conv2d.h"

#include <omp.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "fovea/core/generator.h"
#include "fovea/core/tape.h"
#include "fovea/kernels/divisor.h"
#include "fovea/models/layers/conv2d.h"
#include "fovea/ops/blas.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "tests/golden.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// Calls f(i, k, j) for every product x[i] w[k] in y[j] of a convolution: the definition, and so the
// reference.
template <class F>
void each_product(const Shape& x, const Shape& w, const Shape& y, const Conv2dOptions& o, F f) {
  const Index out = w[0] / o.groups;
  for (Index b = 0; b < y[0]; ++b)
    for (Index c = 0; c < y[1]; ++c)
      for (Index i = 0; i < y[2]; ++i)
        for (Index j = 0; j < y[3]; ++j)
          for (Index k = 0; k < w[1]; ++k)
            for (Index h = 0; h < w[2]; ++h)
              for (Index v = 0; v < w[3]; ++v) {
                const Index p = i * o.stride.h - o.padding.h + h * o.dilation.h;
                const Index q = j * o.stride.w - o.padding.w + v * o.dilation.w;
                if (p < 0 || p >= x[2] || q < 0 || q >= x[3]) continue;
                f(((b * x[1] + c / out * w[1] + k) * x[2] + p) * x[3] + q,
                  ((c * w[1] + k) * w[2] + h) * w[3] + v, ((b * y[1] + c) * y[2] + i) * y[3] + j);
              }
}

double* f64_of(Tensor t) { return static_cast<double*>(t.raw_mutable()); }

// conv2d and conv_transpose2d as those loops, recorded with their derivatives.
Tensor plain(const Inputs& in, const Conv2dOptions& o, bool transposed, const Shape& shape) {
  const Tensor x = in[0], w = in[1], bias = in.size() > 2 ? in[2] : Tensor();
  Tensor y = zeros(shape, DType::f64);
  const Index area = shape[2] * shape[3];
  if (bias.defined())
    for (Index n = 0; n < y.numel(); ++n) f64_of(y)[n] = f64_of(bias)[n / area % shape[1]];
  const auto products = [o, transposed, xs = x.shape(), ws = w.shape(), shape](auto f) {
    if (transposed)
      each_product(shape, ws, xs, o, [&](Index i, Index k, Index j) { f(j, k, i); });
    else
      each_product(xs, ws, shape, o, f);
  };
  products([&](Index i, Index k, Index j) { f64_of(y)[j] += f64_of(x)[i] * f64_of(w)[k]; });
  record("plain", {x, w, bias}, {y}, [=, x = x.detach(), w = w.detach()](Backward& b) {
    Tensor dx = zeros(x.shape(), DType::f64), dw = zeros(w.shape(), DType::f64);
    const double* dy = b.dy().data<double>();
    products([&](Index i, Index k, Index j) {
      f64_of(dx)[i] += dy[j] * f64_of(w)[k];
      f64_of(dw)[k] += dy[j] * f64_of(x)[i];
    });
    b.add(0, dx);
    b.add(1, dw);
    if (!b.wants(2)) return;
    Tensor db = zeros({shape[1]}, DType::f64);
    for (Index n = 0; n < shape.numel(); ++n) f64_of(db)[n / area % shape[1]] += dy[n];
    b.add(2, db);
  });
  return y;
}

Tensor bias_of(const Inputs& x) { return x.size() > 2 ? x[2] : Tensor(); }

void conv2d_row(const char* variant, const Conv2dOptions& o, const std::vector<std::vector<Shape>>& shapes) {
  check({"conv2d", variant, shapes, [o](const Inputs& x) { return conv2d(x[0], x[1], bias_of(x), o); },
         [o](const Inputs& x) {
           const auto size = [&](int d, Index stride, Index padding, Index dilation) {
             return (x[0].size(d) + 2 * padding - dilation * (x[1].size(d) - 1) - 1) / stride + 1;
           };
           return plain(x, o, false,
                        {x[0].size(0), x[1].size(0), size(2, o.stride.h, o.padding.h, o.dilation.h),
                         size(3, o.stride.w, o.padding.w, o.dilation.w)});
         }});
}

void transpose_row(const char* variant, const ConvTranspose2dOptions& o,
                   const std::vector<std::vector<Shape>>& shapes) {
  check({"conv_transpose2d", variant, shapes,
         [o](const Inputs& x) { return conv_transpose2d(x[0], x[1], bias_of(x), o); },
         [o](const Inputs& x) {
           const auto size = [&](int d, Index stride, Index padding, Index dilation, Index extra) {
             return (x[0].size(d) - 1) * stride - 2 * padding + dilation * (x[1].size(d) - 1) + extra + 1;
           };
           return plain(
               x, {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups},
               true,
               {x[0].size(0), x[1].size(1) * o.groups,
                size(2, o.stride.h, o.padding.h, o.dilation.h, o.output_padding.h),
                size(3, o.stride.w, o.padding.w, o.dilation.w, o.output_padding.w)});
         }});
}

TEST_CASE("conv2d: rows") {
  conv2d_row("with bias", {},
             {{{2, 3, 5, 6}, {4, 3, 3, 3}, {4}},
              {{1, 1, 1, 1}, {1, 1, 1, 1}, {1}},
              {{0, 2, 4, 4}, {3, 2, 2, 2}, {3}},
              {{2, 1, 7, 5}, {20, 1, 3, 2}, {20}},
              {{1, 2, 4, 11}, {17, 2, 2, 4}, {17}},
              {{3, 5, 4, 9}, {1, 5, 3, 3}, {1}},
              {{1, 4, 6, 3}, {2, 4, 2, 3}, {2}}});
  conv2d_row("1x1", {},
             {{{2, 3, 2, 3}, {5, 3, 1, 1}}, {{1, 8, 3, 3}, {8, 8, 1, 1}}, {{1, 3, 4, 4}, {3, 3, 1, 1}}});
  conv2d_row("as large as the image", {}, {{{3, 2, 4, 5}, {9, 2, 4, 5}}});
  conv2d_row(
      "padding", {.padding = {1, 2}},
      {{{2, 2, 4, 3}, {5, 2, 3, 3}, {5}}, {{1, 1, 1, 1}, {6, 1, 3, 5}}, {{1, 2, 2, 2}, {3, 2, 4, 6}, {3}}});
  conv2d_row("padding wider than the kernel", {.padding = 3}, {{{1, 2, 2, 3}, {4, 2, 2, 2}, {4}}});
  conv2d_row("stride", {.stride = {2, 3}},
             {{{2, 2, 7, 8}, {5, 2, 3, 3}, {5}}, {{1, 3, 6, 6}, {2, 3, 1, 2}}, {{1, 1, 3, 4}, {9, 1, 2, 2}}});
  conv2d_row("stride beyond the image", {.stride = 5, .padding = 1}, {{{1, 2, 3, 4}, {4, 2, 3, 3}, {4}}});
  conv2d_row("dilation", {.padding = {2, 0}, .dilation = {2, 3}},
             {{{2, 2, 5, 8}, {5, 2, 3, 3}, {5}}, {{1, 1, 4, 4}, {2, 1, 4, 2}}});
  conv2d_row("groups", {.padding = 1, .groups = 2},
             {{{2, 4, 4, 5}, {6, 2, 3, 3}, {6}}, {{2, 2, 3, 3}, {20, 1, 2, 2}}});
  conv2d_row("depthwise", {.padding = 1, .groups = 5}, {{{2, 5, 4, 5}, {5, 1, 3, 3}, {5}}});
  conv2d_row("all options", {.stride = {2, 3}, .padding = {3, 2}, .dilation = {2, 1}, .groups = 3},
             {{{2, 6, 5, 7}, {9, 2, 3, 4}, {9}}});
  conv2d_row(
      "several tiles", {.padding = 1},
      {{{1, 1, 18, 17}, {4, 1, 3, 3}, {4}}, {{1, 1, 2, 300}, {5, 1, 3, 2}}, {{1, 1, 18, 17}, {1, 1, 3, 3}}});
  // What CUDA's larger tiles and sums in slabs need.
  conv2d_row("many channels", {}, {{{1, 2, 3, 4}, {70, 2, 2, 2}, {70}}, {{1, 32, 2, 2}, {130, 32, 2, 2}}});
  conv2d_row("many groups of many channels", {.groups = 128}, {{{1, 128, 1, 2}, {128 * 65, 1, 1, 1}}});
  conv2d_row("many places", {}, {{{2, 1, 26, 26}, {9, 1, 3, 3}, {9}}});
  conv2d_row("a long sum, many images", {.padding = 1},
             {{{1, 30, 3, 3}, {5, 30, 3, 3}}, {{19, 1, 3, 3}, {4, 1, 3, 3}, {4}}});
  check({"conv2d",
         "one tensor as image and kernel",
         {{{2, 2, 3, 3}}},
         [](const Inputs& x) { return conv2d(x[0], x[0], {}, {.padding = 1}); },
         [](const Inputs& x) {
           return plain({x[0], x[0]}, {.padding = 1}, false, {2, 2, 3, 3});
         }});
}

TEST_CASE("conv_transpose2d: rows") {
  transpose_row("with bias", {},
                {{{2, 3, 3, 4}, {3, 4, 3, 2}, {4}},
                 {{1, 1, 1, 1}, {1, 1, 1, 1}, {1}},
                 {{0, 2, 4, 4}, {2, 3, 2, 2}, {3}},
                 {{1, 2, 3, 5}, {2, 20, 2, 3}, {20}}});
  transpose_row(
      "stride", {.stride = 2, .padding = 1},
      {{{2, 3, 3, 4}, {3, 2, 4, 4}, {2}}, {{1, 5, 2, 3}, {5, 9, 3, 3}}, {{1, 2, 3, 3}, {2, 6, 1, 1}, {6}}});
  transpose_row("output padding", {.stride = {3, 2}, .output_padding = {2, 1}},
                {{{2, 2, 2, 3}, {2, 5, 2, 3}, {5}}, {{1, 3, 1, 2}, {3, 3, 3, 2}}});
  transpose_row(
      "all options",
      {.stride = {2, 3}, .padding = {1, 2}, .output_padding = {2, 1}, .dilation = {3, 1}, .groups = 2},
      {{{2, 4, 3, 4}, {4, 3, 2, 4}, {6}}});
}

TEST_CASE("Divisor: as division, up to the last number") {
  constexpr int last = std::numeric_limits<int>::max();
  Generator random(1);
  std::vector<int> some{1, 2, 3, 5, 7, 10, 641, 65535, 65536, 65537, last / 2, last / 2 + 1, last - 1, last};
  for (int i = 0; i < 200; ++i) some.push_back(1 + static_cast<int>(random.bits() >> (1 + i % 30)) % last);
  Index wrong = 0;
  for (const int by : some)
    for (const int a : some)
      for (const Index n :
           {Index{0}, Index{a} - 1, Index{a}, Index{last} / by * by, Index{last} / by * by - 1})
        wrong += Divisor(by).quotient(static_cast<int>(n)) != n / by;
  CHECK(wrong == 0);
}

TEST_CASE("conv2d: an element reaches its neighbours and no others") {
  // Also when it is not a number: lanes and patches are wider than what they are asked for.
  Tensor x = draw({2, 2, 6, 9}, DType::f32, -1, 1, 1);
  x.mutable_data<float>()[(1 * 2 + 1) * 54 + 2 * 9 + 8] = std::numeric_limits<float>::quiet_NaN();
  for (const Device& device : devices())
    for (const Index out : {1, 3, 5, 20, 40}) {
      const Tensor w = draw({out, 2, 3, 2}, DType::f32, -1, 1, 2);
      const Tensor y = to(conv2d(to(x, device), to(w, device), {}, {.padding = {1, 0}}), Cpu{});
      REQUIRE(y.shape() == Shape{2, out, 6, 8});
      for (Index b = 0; b < 2; ++b)
        for (Index o = 0; o < out; ++o)
          for (Index i = 0; i < 6; ++i)
            for (Index j = 0; j < 8; ++j)
              CHECK(std::isnan(y.at({b, o, i, j})) == (b == 1 && i >= 1 && i <= 3 && j == 7));
    }
}

TEST_CASE("conv2d: the same for any number of threads; gradients only where they are wanted") {
  const Tensor x = draw({40, 3, 16, 16}, DType::f32, -1, 1, 1);
  const Parameter w(draw({20, 3, 5, 5}, DType::f32, -1, 1, 2)), bias(zeros({20}));
  const auto run = [&](int threads, bool watched) {
    const int before = omp_get_max_threads();
    omp_set_num_threads(threads);
    Parameter(w).zero_grad();
    Parameter(bias).zero_grad();
    Tape tape;
    const Tensor from = watched ? tape.watch(x) : x, y = conv2d(from, w, bias);
    tape.backward(y, {.seed = draw(y.shape(), DType::f32, -1, 1, 3)});
    omp_set_num_threads(before);
    return std::vector<Tensor>{y.detach(), clone(w.grad()), clone(bias.grad()),
                               watched ? tape.gradient(from) : Tensor()};
  };
  const auto one = run(1, true), three = run(3, true), unwatched = run(3, false);
  for (std::size_t i = 0; i < 4; ++i) CHECK(difference(one[i], three[i]) == 0);
  for (std::size_t i = 0; i < 3; ++i) CHECK(difference(one[i], unwatched[i]) == 0);
  Parameter frozen = w;
  frozen.freeze();
  CHECK(!run(1, false)[0].tracked());
  CHECK(difference(frozen.grad(), zeros(frozen.shape())) == 0);
}

// Rounded to 10 bits of fraction, as tensor cores take f32.
Tensor tf32(Tensor x) {
  auto* v = x.mutable_data<float>();
  for (Index i = 0; i < x.numel(); ++i)
    v[i] = std::bit_cast<float>((std::bit_cast<std::uint32_t>(v[i]) + 0x1000u) & ~0x1fffu);
  return x;
}

TEST_CASE("conv2d: on a GPU factors of f32 are rounded where that is allowed, and only there") {
  struct Off {
    ~Off() { allow_tf32(false); }
  } off_in_the_end;
  struct Size {
    Shape x, w;
    Index groups;
  };
  for (const Size& size :
       {Size{{2, 6, 9, 11}, {16, 6, 3, 3}, 1}, Size{{3, 20, 5, 6}, {66, 10, 3, 2}, 2},
        Size{{16, 9, 32, 32}, {40, 9, 1, 1}, 1}, Size{{1, 130, 4, 3}, {129, 130, 1, 1}, 1}}) {
    CAPTURE(size.w);
    const Tensor x = draw(size.x, DType::f32, -1, 1, 1), w = draw(size.w, DType::f32, -1, 1, 2);
    Tensor g;
    const auto on = [&](const Device& device, const Tensor& x, const Tensor& w) {
      Parameter px(to(x, device)), pw(to(w, device));
      Tape tape;
      const Tensor y = conv2d(px, pw, {}, {.padding = {1, 1}, .groups = size.groups});
      if (!g.defined()) g = tf32(draw(y.shape(), DType::f32, -1, 1, 3));
      tape.backward(sum(y * to(g, device)));
      return std::array{to(y.detach(), Cpu{}), to(px.grad(), Cpu{}), to(pw.grad(), Cpu{})};
    };
    const auto exact = on(Cpu{}, x, w), rounded = on(Cpu{}, tf32(clone(x)), tf32(clone(w)));
    for (const bool allowed : {false, true}) {
      allow_tf32(allowed);
      const auto found = on(devices().back(), x, w);
      for (std::size_t i = 0; i < 3; ++i) {
        const Tensor& wanted = allowed && devices().size() > 1 ? rounded[i] : exact[i];
        const double greatest = max(abs(wanted)).item<double>();
        CHECK(difference(found[i], wanted) <= 2e-6 * greatest);
        CHECK(difference(exact[i], rounded[i]) > 1e-5 * greatest);
      }
    }
  }
}

TEST_CASE("conv2d: bad input") {
  const Tensor x = zeros({2, 4, 5, 6}), w = zeros({8, 4, 3, 3});
  check_throws([&] { conv2d(zeros({4, 5, 6}), w); }, {"[conv2d]", "(4,5,6)", "[B,C,H,W]", "unsqueeze"});
  check_throws([&] { conv2d(x, zeros({8, 4, 3})); }, {"[conv2d]", "(8,4,3)", "[O,C/groups,KH,KW]"});
  check_throws(
      [&] {
        conv2d(x, zeros({8, 3, 3, 3}));
      },
      {"[conv2d]", "(2,4,5,6)", "4 channels", "(8,3,3,3)", "takes 3"});
  check_throws(
      [&] {
        conv2d(x, zeros({7, 2, 3, 3}), {}, {.groups = 2});
      },
      {"[conv2d]", "7 output channels", "divide by groups 2"});
  check_throws([&] { conv2d(x, w, {}, {.groups = 0}); }, {"[conv2d]", "groups is 0"});
  check_throws([&] { conv2d(x, zeros({8, 4, 3, 3}, DType::f64)); }, {"[conv2d]", "f32", "f64", "cast()"});
  check_throws([&] { conv2d(x, w, zeros({7})); }, {"[conv2d]", "bias", "(7)", "(8)"});
  check_throws([&] { conv2d(x, w, zeros({8}, DType::f64)); }, {"[conv2d]", "bias", "f64", "cast()"});
  check_throws(
      [&] {
        conv2d(x, zeros({8, 4, 3, 4}), {}, {.padding = {0, 1}, .dilation = 3});
      },
      {"[conv2d]", "spans 7 rows", "(2,4,5,6)", "has 5", "pad more"});
  check_throws([&] { conv2d(x, zeros({8, 4, 3, 7})); }, {"[conv2d]", "spans 7 columns", "has 6"});
  check_throws([&] { conv2d(x, w, {}, {.stride = {1, 0}}); }, {"[conv2d]", "stride (1,0)"});
  check_throws([&] { conv2d(x, w, {}, {.dilation = 0}); }, {"[conv2d]", "dilation (0,0)"});
  check_throws([&] { conv2d(x, w, {}, {.padding = {-1, 0}}); }, {"[conv2d]", "padding (-1,0)", "slice()"});
  check_throws([&] { conv2d(zeros({2, 4, 0, 6}), w, {}, {.padding = 2}); }, {"[conv2d]", "(2,4,0,6)"});
  check_throws([&] { conv2d(x, zeros({0, 4, 3, 3})); }, {"[conv2d]", "(0,4,3,3)", "no elements"});
  check_throws(
      [&] {
        conv2d(zeros({2, 4, 5, 6}, DType::i32), zeros({8, 4, 3, 3}, DType::i32));
      },
      {"[conv2d]", "f32 or f64", "i32"});
}

TEST_CASE("conv_transpose2d: bad input") {
  const Tensor x = zeros({2, 4, 5, 6}), w = zeros({4, 8, 3, 3});
  check_throws([&] { conv_transpose2d(zeros({5, 6}), w); }, {"[conv_transpose2d]", "(5,6)"});
  check_throws(
      [&] {
        conv_transpose2d(x, zeros({3, 8, 3, 3}));
      },
      {"[conv_transpose2d]", "4 channels", "takes 3"});
  check_throws([&] { conv_transpose2d(x, w, {}, {.groups = 3}); }, {"[conv_transpose2d]", "groups 3"});
  check_throws([&] { conv_transpose2d(x, w, {}, {.stride = 2, .output_padding = 2}); },
               {"[conv_transpose2d]", "output_padding (2,2)", "stride (2,2)"});
  check_throws(
      [&] {
        conv_transpose2d(x, w, {}, {.padding = {0, 4}});
      },
      {"[conv_transpose2d]", "padding (0,4)", "no columns", "pad less"});
  check_throws([&] { conv_transpose2d(x, w, zeros({4})); }, {"[conv_transpose2d]", "bias", "(8)"});
}

template <Layer L>
void check_one(const NpzFile& file, const char* name, L layer) {
  check_layer(file, name, named_parameters(layer),
              [&](const std::vector<Tensor>& x) { return std::vector{layer.forward(x[0])}; });
}

TEST_CASE("Conv2d and ConvTranspose2d: as PyTorch's") {
  constexpr DType f64 = DType::f64;
  const NpzFile file = golden("conv2d.npz");
  Generator random(1);
  check_one(file, "conv2d",
            Conv2d({.in_channels = 4,
                    .out_channels = 6,
                    .kernel_size = {3, 2},
                    .stride = {2, 1},
                    .padding = {1, 2},
                    .dilation = {1, 2},
                    .groups = 2,
                    .dtype = f64},
                   random));
  check_one(
      file, "conv2d_no_bias",
      Conv2d({.in_channels = 3, .out_channels = 5, .kernel_size = 3, .bias = false, .dtype = f64}, random));
  check_one(file, "conv_transpose2d",
            ConvTranspose2d({.in_channels = 4,
                             .out_channels = 6,
                             .kernel_size = {3, 4},
                             .stride = {2, 3},
                             .padding = {1, 0},
                             .output_padding = {1, 2},
                             .dilation = {2, 1},
                             .groups = 2,
                             .dtype = f64},
                            random));
  check_one(file, "conv_transpose2d_no_bias",
            ConvTranspose2d({.in_channels = 3,
                             .out_channels = 2,
                             .kernel_size = 4,
                             .stride = 2,
                             .padding = 1,
                             .bias = false,
                             .dtype = f64},
                            random));
}

TEST_CASE("Conv2d and ConvTranspose2d: PyTorch's initial values, and bad sizes") {
  Generator random(1);
  const auto starts = [](const Tensor& t, double a) {
    CHECK(max(abs(t)).item<double>() <= a);
    CHECK(max(abs(t)).item<double>() > 0.98 * a);
    CHECK(var(t).item<double>() == doctest::Approx(a * a / 3).epsilon(0.1));
  };
  const Conv2d conv({.in_channels = 8, .out_channels = 300, .kernel_size = {2, 3}, .groups = 2}, random);
  starts(conv.weight, 1 / std::sqrt(4 * 6.0));
  starts(conv.bias, 1 / std::sqrt(4 * 6.0));
  const ConvTranspose2d up({.in_channels = 8, .out_channels = 300, .kernel_size = {2, 3}, .groups = 2},
                           random);
  starts(up.weight, 1 / std::sqrt(150 * 6.0));
  starts(up.bias, 1 / std::sqrt(150 * 6.0));
  check_throws([&] { Conv2d({.in_channels = 3, .out_channels = 4}, random); },
               {"[Conv2d]", "kernel_size (0,0)"});
  check_throws([&] { Conv2d({.in_channels = 3, .out_channels = 4, .kernel_size = 1, .groups = 2}, random); },
               {"[Conv2d]", "in_channels 3", "groups 2"});
  check_throws([&] { ConvTranspose2d({.in_channels = 3, .kernel_size = 2}, random); },
               {"[ConvTranspose2d]", "out_channels 0"});
}

}  // namespace
}  // namespace fovea::tests
