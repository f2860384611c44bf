#include "fovea/ops/by_f32.h"

#include "fovea/core/tape.h"
#include "fovea/ops/attention.h"
#include "fovea/ops/create.h"
#include "fovea/ops/dropout.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/layer_norm.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/linear_cross_entropy.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"
#include "fovea/ops/where.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// What an op does to bf16 activations x and f32 parameters p.
struct Mixed {
  const char* name;
  std::vector<Shape> activations, parameters;
  std::function<Tensor(const Inputs& x, const Inputs& p)> f;
};

std::vector<Mixed> mixed_ops() {
  return {{"add", {{3, 5}, {3, 5}}, {}, [](const Inputs& x, const Inputs&) { return x[0] + x[1]; }},
          {"add, stretched", {{3, 5}, {5}}, {}, [](const Inputs& x, const Inputs&) { return x[0] + x[1]; }},
          {"mul", {{7}, {7}}, {}, [](const Inputs& x, const Inputs&) { return x[0] * x[1]; }},
          {"gelu", {{2, 9}}, {}, [](const Inputs& x, const Inputs&) { return gelu(x[0]); }},
          {"relu", {{0, 9}}, {}, [](const Inputs& x, const Inputs&) { return relu(x[0]); }},
          {"linear",
           {{2, 4, 6}},
           {{5, 6}, {5}},
           [](const Inputs& x, const Inputs& p) { return linear(x[0], p[0], p[1]); }},
          {"linear, many rows",
           {{70, 6}},
           {{5, 6}},
           [](const Inputs& x, const Inputs& p) { return linear(x[0], p[0]); }},
          {"linear, relu",
           {{3, 6}},
           {{8, 6}, {8}},
           [](const Inputs& x, const Inputs& p) { return linear(x[0], p[0], p[1], Activation::relu); }},
          {"linear, gelu_tanh",
           {{3, 6}},
           {{8, 6}},
           [](const Inputs& x, const Inputs& p) { return linear(x[0], p[0], {}, Activation::gelu_tanh); }},
          {"layer_norm",
           {{4, 33}},
           {{33}, {33}},
           [](const Inputs& x, const Inputs& p) { return layer_norm(x[0], p[0], p[1]); }},
          {"dropout",
           {{4, 33}},
           {},
           [](const Inputs& x, const Inputs&) {
             Generator random(3);
             return dropout(x[0], 0.4, random);
           }},
          {"self_attention",
           {{2, 5, 24}},
           {},
           [](const Inputs& x, const Inputs&) { return self_attention(x[0], {2}, {.causal = true}); }},
          {"scaled_dot_product_attention",
           {{2, 2, 3, 4}, {2, 2, 5, 4}, {2, 2, 5, 4}},
           {},
           [](const Inputs& x, const Inputs&) { return scaled_dot_product_attention(x[0], x[1], x[2]); }},
          {"views", {{4, 6}}, {}, [](const Inputs& x, const Inputs&) {
             return slice(transpose(x[0], 0, 1), 0, 1, 4) + slice(transpose(x[0], 0, 1), 0, 2, 5);
           }}};
}

Tensor product(const Inputs& x, const Inputs&) { return x[0] * x[1]; }

// What a GPU has kernels of its own for: packs of elements with and without a rest, rows of packs, none.
std::vector<Mixed> elementwise_ops() {
  return {
      {"mul, one element", {{1}, {1}}, {}, product},
      {"mul, packs and a rest", {{3, 37}, {3, 37}}, {}, product},
      {"mul, rows of packs", {{5, 24}, {24}}, {}, product},
      {"mul, by one for all", {{3, 9}, {1}}, {}, product},
      {"mul, by one for each row", {{3, 16}, {3, 1}}, {}, product},
      {"mul, not aligned",
       {{20}, {19}},
       {},
       [](const Inputs& x, const Inputs&) { return slice(x[0], 0, 1, 20) * x[1]; }},
      {"mul, by itself", {{21}}, {}, [](const Inputs& x, const Inputs&) { return x[0] * x[0]; }},
      {"mul_add, stretched and twice",
       {{4, 9}, {9}},
       {},
       [](const Inputs& x, const Inputs&) { return mul_add(x[0], x[1], x[1]); }},
      {"affine", {{2, 9}}, {}, [](const Inputs& x, const Inputs&) { return affine(x[0], 0.7, -1); }},
      {"tanh", {{2, 9}}, {}, [](const Inputs& x, const Inputs&) { return tanh(x[0]); }},
      {"maximum", {{2, 9}, {9}}, {}, [](const Inputs& x, const Inputs&) { return maximum(x[0], x[1]); }},
      {"lerp",
       {{2, 9}, {2, 9}, {9}},
       {},
       [](const Inputs& x, const Inputs&) { return lerp(x[0], x[1], x[2]); }},
      {"gelu, many", {{3, 1003}}, {}, [](const Inputs& x, const Inputs&) { return gelu(x[0]); }},
      {"dropout, from inside a block of words on",
       {{3, 37}},
       {},
       [](const Inputs& x, const Inputs&) {
         Generator random(3);
         random.bits();
         return dropout(x[0], 0.4, random);
       }},
  };
}

Tensor normed(const Inputs& x, const Inputs& p) { return layer_norm(x[0], p[0], p[1], 1e-3); }

// Rows of which a warp or a block holds packs, and rows that are taken element by element.
std::vector<Mixed> row_ops() {
  std::vector<Mixed> all;
  for (const Index n : {1, 8, 200, 264, 520, 1032, 1033, 16392})
    all.push_back({"layer_norm, of rows", {{3, n}}, {{n}, {n}}, normed});
  all.push_back({"layer_norm, of no rows", {{0, 8}}, {{8}, {8}}, normed});
  all.push_back({"layer_norm, of many rows", {{130, 16}}, {{16}, {16}}, normed});
  all.push_back({"layer_norm, plain", {{3, 24}}, {}, [](const Inputs& x, const Inputs&) {
                   return layer_norm(x[0], {}, {}, 1e-3);
                 }});
  all.push_back({"layer_norm, not aligned", {{25}}, {{8}, {8}}, [](const Inputs& x, const Inputs& p) {
                   return normed({reshape(slice(x[0], 0, 1, 25), {3, 8})}, p);
                 }});
  return all;
}

std::vector<Mixed> stretching_ops() {
  const auto stretch = [](Shape to) {
    return [to](const Inputs& x, const Inputs&) { return expand(x[0], to); };
  };
  return {{"expand, to rows", {{5}}, {}, stretch({7, 5})},
          {"expand, to columns", {{4, 1}}, {}, stretch({4, 24})},
          {"expand, to many rows", {{8}}, {}, stretch({700, 8})},
          {"expand, to nothing", {{1, 3}}, {}, stretch({0, 3})},
          {"expand, twice", {{3, 1}}, {}, [](const Inputs& x, const Inputs&) {
             return expand(x[0], {3, 9}) + expand(x[0], {3, 9});
           }}};
}

// What passes elements on by a mask or by positions, of which a sum of many is rounded once.
std::vector<Mixed> choosing_ops() {
  const auto drawn = [](const Shape& shape, Index limit) {
    Generator random(5);
    return rand_int(shape, random, 0, limit);
  };
  const auto choose = [=](const Inputs& x, const Inputs&) {
    return where(beside(x[0], cast(drawn({3, 37}, 2), DType::u8)), x[0], x[1]);
  };
  const auto gathered = [=](int dim, const Shape& shape) {
    return [=](const Inputs& x, const Inputs&) {
      return gather(x[0], dim, beside(x[0], drawn(shape, x[0].size(dim))));
    };
  };
  return {
      {"where", {{3, 37}, {3, 37}}, {}, choose},
      {"where, stretched", {{37}, {3, 1}}, {}, choose},
      {"where, twice",
       {{3, 37}},
       {},
       [=](const Inputs& x, const Inputs& p) {
         return choose({x[0], x[0]}, p);
       }},
      {"masked_fill",
       {{4, 24}},
       {},
       [=](const Inputs& x, const Inputs&) {
         return masked_fill(x[0], beside(x[0], cast(drawn({24}, 2), DType::u8)), 3);
       }},
      {"index_select",
       {{5, 9}},
       {},
       [=](const Inputs& x, const Inputs&) { return index_select(x[0], 0, beside(x[0], drawn({200}, 5))); }},
      {"gather, of rows", {{7, 9}}, {}, gathered(1, {7, 200})},
      {"scatter_add",
       {{5, 9}, {200, 9}},
       {},
       [=](const Inputs& x, const Inputs&) {
         return scatter_add(x[0], 0, beside(x[0], drawn({200, 9}, 5)), x[1]);
       }},
      {"gather, of columns", {{9, 40}}, {}, gathered(0, {200, 40})}};
}

std::vector<Mixed> all_ops() {
  std::vector<Mixed> all = mixed_ops();
  for (const auto& more : {elementwise_ops(), row_ops(), stretching_ops(), choosing_ops()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

struct Run {
  Tensor y;
  std::vector<Tensor> dx, dp;
};

Run run(const Mixed& op, const Inputs& x, const Inputs& p, const Tensor& seed) {
  Tape tape;
  Inputs wx, wp;
  for (const Tensor& t : x) wx.push_back(tape.watch(t));
  for (const Tensor& t : p) wp.push_back(tape.watch(t));
  Run r{op.f(wx, wp), {}, {}};
  tape.backward(r.y, {.seed = cast(seed, r.y.dtype())});
  for (const Tensor& t : wx) r.dx.push_back(tape.gradient(t));
  for (const Tensor& t : wp) r.dp.push_back(tape.gradient(t));
  r.y = r.y.detach();
  return r;
}

void check_mixed(const Device& device, const Mixed& op) {
  CAPTURE(op.name);
  Inputs x, wide, p;
  for (std::size_t i = 0; i < op.activations.size(); ++i) {
    x.push_back(
        to(cast(draw(op.activations[i], DType::f32, -2, 2, static_cast<unsigned>(i)), DType::bf16), device));
    wide.push_back(cast(x.back(), DType::f32));
  }
  for (std::size_t i = 0; i < op.parameters.size(); ++i)
    p.push_back(to(draw(op.parameters[i], DType::f32, -1, 1, static_cast<unsigned>(9 + i)), device));
  const Tensor like = op.f(wide, p);
  const Tensor seed = to(cast(draw(like.shape(), DType::f32, -1, 1, 5), DType::bf16), device);
  const Run got = run(op, x, p, seed), exact = run(op, wide, p, seed);
  CHECK(got.y.dtype() == DType::bf16);
  // A product's factors are rounded on a GPU, and its result; so are sums of several gradients, and a
  // result that the backward reads.
  const double close = 0.03;
  CHECK(difference(to(got.y, Cpu{}), to(exact.y, Cpu{})) <= close);
  if (is_cpu(device)) CHECK(difference(got.y, cast(exact.y, DType::bf16)) == 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    CHECK(got.dx[i].dtype() == DType::bf16);
    CHECK(difference(to(got.dx[i], Cpu{}), to(exact.dx[i], Cpu{})) <= close);
  }
  for (std::size_t i = 0; i < p.size(); ++i) {
    CHECK(got.dp[i].dtype() == DType::f32);
    CHECK(difference(to(got.dp[i], Cpu{}), to(exact.dp[i], Cpu{})) <= close);
  }
}

TEST_CASE("bf16 activations: ops give what f32 gives of the same numbers, rounded, and so do gradients") {
  for (const Device& device : devices())
    for (const Mixed& op : all_ops()) check_mixed(device, op);
}

TEST_CASE("bf16 activations: a cost is f32, and so are gradients of its parameters") {
  for (const Device& device : devices())
    for (const Index V : {5, 8, 33, 1100})
      for (const auto& o : {LinearCrossEntropyOptions{}, LinearCrossEntropyOptions{.label_smoothing = 0.2,
                                                         .not_smoothed = 1,
                                                         .ignore_index = 3,
                                                         .reduction = Reduction::sum,
                                                         .chunk_rows = 2}})
        for (const bool with_bias : {false, true}) {
          CAPTURE(V);
          // Weights that bf16 holds: what is rounded are then gradients alone.
          const auto rounded = [](const Tensor& t) { return cast(cast(t, DType::bf16), DType::f32); };
          const Tensor x = to(cast(draw({5, 8}, DType::f32, -1, 1, 1), DType::bf16), device),
                       w = to(rounded(draw({V, 8}, DType::f32, -1, 1, 2)), device),
                       bias = with_bias ? to(draw({V}, DType::f32, -1, 1, 3), device) : Tensor(),
                       classes = to(Tensor::from(std::vector<std::int32_t>{0, 4, 2, 3, 4}, {5}), device);
          const Mixed op{"", {}, {}, [&](const Inputs& x, const Inputs& p) {
                           return linear_cross_entropy(x[0], p[0], with_bias ? p[1] : Tensor(), classes, o);
                         }};
          const Inputs p = with_bias ? Inputs{w, bias} : Inputs{w};
          const Tensor seed = to(full({}, 0.5), device);
          const Run got = run(op, {x}, p, seed), exact = run(op, {cast(x, DType::f32)}, p, seed);
          CHECK(got.y.dtype() == DType::f32);
          CHECK(difference(got.y, exact.y) <= (is_cpu(device) ? 0 : 1e-6));
          CHECK(got.dx[0].dtype() == DType::bf16);
          CHECK(difference(got.dx[0], exact.dx[0]) <= 0.01);
          CHECK(got.dp[0].dtype() == DType::f32);
          CHECK(difference(got.dp[0], exact.dp[0]) <= (is_cpu(device) ? 0 : 0.01));
          if (with_bias) CHECK(difference(got.dp[1], exact.dp[1]) <= (is_cpu(device) ? 0 : 1e-6));
        }
}

TEST_CASE("bf16 activations: parameters must be f32") {
  const Tensor x = zeros({2, 3}, DType::bf16);
  check_throws([&] { linear(x, zeros({4, 3}, DType::bf16)); }, {"[linear]", "types differ"});
  for (const Device& device : devices())
    check_throws([&] { layer_norm(to(x, device), to(zeros({3}, DType::f64), device), {}); },
                 {"[layer_norm]", "weight is f64"});
  check_throws([&] { x + zeros({2, 3}); }, {"[add]", "types differ: bf16 and f32"});
}

}  // namespace
}  // namespace fovea::tests
