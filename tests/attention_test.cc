#include "fovea/ops/attention.h"

#include <omp.h>

#include <cmath>
#include <limits>

#include "fovea/core/memory.h"
#include "fovea/core/tape.h"
#include "fovea/ops/compare.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

using Options = AttentionOptions;

// 0 or 1, of which `share` is 1; at least one row keeps nothing when `empty_row`.
Tensor mask(const Shape& shape, double share, unsigned seed) {
  const Tensor u = draw(shape, DType::f64, 0, 1, seed);
  return less(u, share);
}

Tensor fused(const Inputs& x, const Options& o) { return scaled_dot_product_attention(x[0], x[1], x[2], o); }
Tensor composed(const Inputs& x, const Options& o) {
  return attention_with_weights(x[0], x[1], x[2], o).output;
}

// The row of one set of options; `make` is called for every run, because generators move on.
void check_options(const char* variant, const std::vector<std::vector<Shape>>& shapes,
                   const std::function<Options(const Inputs&)>& make) {
  check({"scaled_dot_product_attention", variant, shapes,
         [make](const Inputs& x) { return fused(x, make(x)); },
         [make](const Inputs& x) { return composed(x, make(x)); }});
}

Shape scores_of(const Inputs& x) { return {x[0].size(0), x[0].size(1), x[0].size(2), x[1].size(2)}; }

const std::vector<std::vector<Shape>> few = {
    {{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}},
    {{2, 2, 3, 5}, {2, 2, 7, 5}, {2, 2, 7, 4}},
    {{1, 2, 5, 8}, {1, 2, 3, 8}, {1, 2, 3, 8}},
};
// Several tiles in both directions, with remainders; nothing; grouped queries; rows in several pieces.
const std::vector<std::vector<Shape>> more = {
    {{1, 2, 51, 9}, {1, 2, 131, 9}, {1, 2, 131, 17}}, {{1, 1, 100, 8}, {1, 1, 65, 8}, {1, 1, 65, 8}},
    {{0, 2, 3, 4}, {0, 2, 3, 4}, {0, 2, 3, 4}},       {{1, 2, 0, 4}, {1, 2, 3, 4}, {1, 2, 3, 4}},
    {{1, 2, 3, 4}, {1, 2, 0, 4}, {1, 2, 0, 4}},       {{2, 4, 5, 3}, {2, 2, 6, 3}, {2, 2, 6, 5}},
    {{1, 3, 50, 8}, {1, 1, 70, 8}, {1, 1, 70, 8}},    {{1, 2, 3, 0}, {1, 2, 4, 0}, {1, 2, 4, 2}},
    {{1, 2, 3, 70}, {1, 1, 5, 70}, {1, 1, 5, 140}},   {{1, 1, 2, 300}, {1, 1, 3, 300}, {1, 1, 3, 5}}};

std::vector<std::vector<Shape>> all() {
  auto out = few;
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

TEST_CASE("attention: rows") {
  check_options("plain", all(), [](const Inputs&) { return Options{}; });
  check_options("causal", all(), [](const Inputs&) { return Options{.causal = true}; });
  check_options("scale", few, [](const Inputs&) { return Options{.scale = -0.3}; });
  check_options("mask", all(), [](const Inputs& x) {
    return Options{.keep_mask = beside(x[0], mask(scores_of(x), 0.4, 7))};
  });
  check_options("mask of keys, causal", all(), [](const Inputs& x) {
    return Options{.keep_mask = beside(x[0], mask({x[0].size(0), 1, 1, x[1].size(2)}, 0.6, 8)),
                   .causal = true};
  });
}

TEST_CASE("attention: rows with dropout") {
  const auto with_dropout = [](bool causal, int skip) {
    return [=](const Inputs&) {
      static thread_local Generator random;
      random = Generator(5, 2);
      for (int i = 0; i < skip; ++i) random.bits();
      return Options{.causal = causal, .dropout = 0.3, .random = &random};
    };
  };
  check_options("dropout", all(), with_dropout(false, 0));
  check_options("dropout, causal", all(), with_dropout(true, 3));
}

TEST_CASE("attention: rows with a bias") {
  // The bias is a fourth input, of every shape that stretches.
  const auto with_bias = [](const char* variant, const std::vector<Shape>& biases, bool causal) {
    std::vector<std::vector<Shape>> shapes;
    for (const Shape& bias : biases) shapes.push_back({{2, 2, 3, 5}, {2, 2, 7, 5}, {2, 2, 7, 4}, bias});
    shapes.push_back({{1, 2, 49, 3}, {1, 2, 66, 3}, {1, 2, 66, 3}, {1, 2, 49, 66}});
    for (const Shape& bias : {Shape{2, 49, 66}, Shape{49, 1}, Shape{2, 1, 1, 66}})
      shapes.push_back({{2, 2, 49, 3}, {2, 1, 66, 3}, {2, 1, 66, 3}, bias});
    check({"scaled_dot_product_attention", variant, shapes,
           [=](const Inputs& x) { return fused(x, {.causal = causal, .bias = x[3]}); },
           [=](const Inputs& x) { return composed(x, {.causal = causal, .bias = x[3]}); }});
  };
  with_bias("bias", {{2, 2, 3, 7}, {1, 2, 3, 7}, {2, 1, 1, 7}, {3, 1}, {7}, {}}, false);
  with_bias("bias, causal", {{2, 3, 7}}, true);
}

TEST_CASE("attention: rows with one tensor for several") {
  const auto one = [](auto f) {
    return [f](const Inputs& x) { return f(Inputs{x[0], x[0], x[0]}, Options{.causal = true}); };
  };
  check({"scaled_dot_product_attention",
         "of itself",
         {{{2, 2, 5, 3}}, {{1, 1, 70, 8}}},
         one(fused),
         one(composed)});
  // Transposed views are read as they lie: [B,L,H,D].
  const auto turned = [](auto f) {
    return [f](const Inputs& x) {
      Inputs t;
      for (const Tensor& i : x) t.push_back(transpose(i, 1, 2));
      return f(t, Options{});
    };
  };
  check({"scaled_dot_product_attention",
         "views",
         {{{2, 3, 2, 5}, {2, 7, 2, 5}, {2, 7, 2, 4}}, {{1, 50, 1, 8}, {1, 70, 1, 8}, {1, 70, 1, 8}}},
         turned(fused),
         turned(composed)});
}

// x [B,L,n D] as [B,n,L,D], and back.
Tensor heads(const Tensor& x, Index n) {
  return transpose(reshape(x, {x.size(0), x.size(1), n, x.size(2) / n}), 1, 2);
}
Tensor side_by_side(const Tensor& y) {
  return reshape(transpose(y, 1, 2), {y.size(0), y.size(2), y.size(1) * y.size(3)});
}

TEST_CASE("attention: rows of heads side by side") {
  for (const Index H : {4, 2}) {
    check({"self_attention",
           "grouped queries, causal",
           {{{2, 3, (H + 4) * 5}}, {{1, 50, (H + 4) * 8}}, {{0, 3, H + 4}}, {{1, 1, H + 4}}},
           [=](const Inputs& x) {
             return self_attention(x[0], {H, 2}, {.causal = true});
           },
           [=](const Inputs& x) {
             const Index D = x[0].size(2) / (H + 4);
             const auto part = split(x[0], {H * D, 2 * D, 2 * D}, 2);
             return side_by_side(
                 composed({heads(part[0], H), heads(part[1], 2), heads(part[2], 2)}, {.causal = true}));
           }});
    check({"cross_attention",
           "grouped queries",
           {{{2, 3, H * 5}, {2, 7, 20}}, {{1, 50, H * 8}, {1, 70, 32}}, {{1, 1, H}, {1, 0, 4}}},
           [=](const Inputs& x) {
             return cross_attention(x[0], x[1], {H, 2});
           },
           [=](const Inputs& x) {
             const auto part = split(x[1], 2, 2);
             return side_by_side(composed({heads(x[0], H), heads(part[0], 2), heads(part[1], 2)}, {}));
           }});
  }
}

TEST_CASE("attention: rows with the weights") {
  // The op that is composed of others, output and weights side by side.
  check({"attention_with_weights", "output and weights", few, [](const Inputs& x) {
           const WeightedAttention y = attention_with_weights(x[0], x[1], x[2], {.causal = true});
           return concat({y.output, y.weights}, -1);
         }});
  const Inputs x = {draw({1, 2, 3, 4}, DType::f64, -1, 1, 1), draw({1, 1, 5, 4}, DType::f64, -1, 1, 2),
                    draw({1, 1, 5, 4}, DType::f64, -1, 1, 3)};
  const Tensor w = attention_with_weights(x[0], x[1], x[2], {.causal = true}).weights;
  CHECK(w.at({0, 1, 0, 3}) == 0);
  CHECK(w.at({0, 1, 0, 2}) > 0);
  CHECK(difference(sum(w, -1), ones({1, 2, 3}, DType::f64)) <= 1e-15);
}

TEST_CASE("attention: by hand") {
  // Two keys of equal score, then one.
  const Tensor q = Tensor::from({0, 0}, {1, 1, 1, 2}), k = Tensor::from({1, 2, 3, 4}, {1, 1, 2, 2}),
               v = Tensor::from({2, 6}, {1, 1, 2, 1});
  CHECK(scaled_dot_product_attention(q, k, v).item() == 4);
  const Tensor second = Tensor::from(std::vector<std::uint8_t>{0, 1}, {2});
  CHECK(scaled_dot_product_attention(q, k, v, {.keep_mask = second}).item() == 6);
  // The last of one query sees both keys; of three queries the first sees none.
  CHECK(scaled_dot_product_attention(q, k, v, {.causal = true}).item() == 4);
  const Tensor y = scaled_dot_product_attention(expand(q, {1, 1, 3, 2}), k, v, {.causal = true});
  CHECK(y.at({0, 0, 0, 0}) == 0);
  CHECK(y.at({0, 0, 1, 0}) == 2);
  CHECK(y.at({0, 0, 2, 0}) == 4);
}

TEST_CASE("attention: a query without keys gets 0 and gives none") {
  const Inputs x = {draw({1, 1, 5, 8}, DType::f32, -1, 1, 1), draw({1, 1, 6, 8}, DType::f32, -1, 1, 2),
                    draw({1, 1, 6, 8}, DType::f32, -1, 1, 3)};
  Tensor keep = full({5, 6}, 1, DType::u8);
  for (int j = 0; j < 6; ++j) keep.mutable_data<std::uint8_t>()[2 * 6 + j] = 0;
  const Tensor minus_inf = full({6}, -std::numeric_limits<double>::infinity());
  for (const Options& o : {Options{.keep_mask = keep}, Options{.bias = minus_inf}}) {
    Tape tape;
    const Tensor q = tape.watch(x[0]), k = tape.watch(x[1]), v = tape.watch(x[2]);
    const Tensor y = scaled_dot_product_attention(q, k, v, o);
    for (int e = 0; e < 8; ++e) CHECK(y.at({0, 0, 2, e}) == 0);
    tape.backward(sum(y));
    for (int e = 0; e < 8; ++e) CHECK(tape.gradient(q).at({0, 0, 2, e}) == 0);
    for (const Tensor& g : {tape.gradient(q), tape.gradient(k), tape.gradient(v)})
      CHECK(std::isfinite(sum(g).item()));
  }
}

TEST_CASE("attention: the same bits for any number of threads") {
  const Tensor x = draw({1, 2, 200, 8}, DType::f32, -1, 1, 1), m = draw({1, 1, 150, 8}, DType::f32, -1, 1, 2);
  const int before = omp_get_max_threads();
  std::vector<Tensor> first;
  for (int threads : {1, 2, 5}) {
    omp_set_num_threads(threads);
    Tape tape;
    const Tensor q = tape.watch(x), k = tape.watch(m), v = tape.watch(m);
    const Tensor y = scaled_dot_product_attention(q, k, v);
    tape.backward(y, {.seed = x});
    const std::vector<Tensor> all = {y.detach(), tape.gradient(q), tape.gradient(k), tape.gradient(v)};
    if (first.empty()) first = all;
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(difference(all[i], first[i]) == 0);
  }
  omp_set_num_threads(before);
}

TEST_CASE("attention: bf16 on a GPU is near f32 of the same numbers, with weights rounded to bf16") {
  struct Case {
    const char* name;
    std::vector<Shape> shapes;
    std::function<Tensor(const Inputs&, Options)> f;
  };
  const auto together = [](Heads h) {
    return [h](const Inputs& x, const Options& o) { return self_attention(x[0], h, o); };
  };
  const std::vector<Case> cases = {
      {"several tiles", {{1, 2, 131, 64}, {1, 2, 70, 64}, {1, 2, 70, 64}}, fused},
      {"more keys than queries", {{1, 1, 9, 16}, {1, 1, 150, 16}, {1, 1, 150, 40}}, fused},
      {"wide heads", {{1, 1, 67, 128}, {1, 1, 69, 128}, {1, 1, 69, 72}}, fused},
      {"grouped queries", {{2, 3, 20, 8}, {2, 1, 33, 8}, {2, 1, 33, 8}}, fused},
      {"one tensor", {{2, 35, (4 + 2 + 2) * 16}}, together({4, 2})},
      {"of itself",
       {{1, 1, 70, 16}},
       [](const Inputs& x, const Options& o) { return scaled_dot_product_attention(x[0], x[0], x[0], o); }},
      {"a gradient that starts within 16 bytes",
       {{1, 1, 5, 8}},
       [](const Inputs& x, const Options& o) {
         const Tensor y = scaled_dot_product_attention(x[0], x[0], x[0], o);
         return concat({slice(flatten(x[0]), 0, 0, 3), flatten(y)}, 0);
       }},
      {"no keys", {{1, 1, 3, 8}, {1, 1, 0, 8}, {1, 1, 0, 8}}, fused},
      {"odd heads, by f32", {{1, 2, 5, 6}, {1, 2, 4, 6}, {1, 2, 4, 6}}, fused}};
  for (const Device& device : devices()) {
    if (is_cpu(device)) continue;
    for (const Case& c : cases)
      for (const char* variant : {"plain", "causal", "mask", "dropout", "all"}) {
        CAPTURE(std::string(c.name));
        CAPTURE(std::string(variant));
        const auto is = [&](const char* name) {
          return std::string(variant) == name || variant == std::string("all");
        };
        const auto run = [&](DType dtype) {
          Tape tape;
          Inputs x;
          for (std::size_t i = 0; i < c.shapes.size(); ++i)
            x.push_back(tape.watch(
                to(cast(cast(draw(c.shapes[i], DType::f32, -2, 2, static_cast<unsigned>(i)), DType::bf16),
                        dtype),
                   device)));
          Generator random(5, 3);
          random.bits();
          const bool one = c.shapes.size() == 1;
          const Index B = c.shapes[0][0], L = c.shapes[0][c.shapes[0].rank() - 2],
                      K = one ? L : c.shapes[1][2];
          Options o{.causal = is("causal"), .scale = is("mask") ? -0.2 : 0.3};
          if (is("mask")) o.keep_mask = to(mask({B, 1, L, K}, 0.7, 4), device);
          if (is("dropout")) o.dropout = 0.3, o.random = &random;
          const Tensor y = c.f(x, o), seed = draw(y.shape(), DType::f32, -1, 1, 9);
          tape.backward(y, {.seed = to(cast(cast(seed, DType::bf16), dtype), device)});
          std::vector<Tensor> all = {to(y.detach(), Cpu{})};
          for (const Tensor& t : x) all.push_back(to(tape.gradient(t), Cpu{}));
          return all;
        };
        const auto got = run(DType::bf16), exact = run(DType::f32);
        for (std::size_t i = 0; i < got.size(); ++i) {
          CAPTURE(i);
          CHECK(got[i].dtype() == DType::bf16);
          if (got[i].numel() == 0) continue;
          const double largest = max(abs(exact[i])).item();
          CHECK(difference(got[i], exact[i]) <= 0.01 * largest);
          CHECK((largest > 0.02 || c.shapes.back()[2] == 0));
        }
      }
  }
}

TEST_CASE("attention: NaN goes through") {
  Tensor q = draw({1, 1, 2, 8}, DType::f32, -1, 1, 1);
  const Tensor k = clone(q);
  q.mutable_data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  const Tensor y = scaled_dot_product_attention(q, k, k);
  CHECK(std::isnan(y.at({0, 0, 0, 5})));
  CHECK(!std::isnan(y.at({0, 0, 1, 5})));
}

TEST_CASE("attention: memory is linear in the length") {
  const auto peak = [](Index L) {
    Tape tape;
    Generator random(1);
    const Tensor x = tape.watch(rand_normal({1, 1, L, 8}, random));
    release_cached_memory();
    reset_peak_memory();
    const std::size_t before = memory_stats().allocated;
    tape.backward(sum(scaled_dot_product_attention(x, x, x, {.causal = true})));
    return static_cast<double>(memory_stats().peak - before);
  };
  const double one = peak(2048), four = peak(8192);
  CHECK(four <= 5 * one);
  CHECK(four < 8192.0 * 8192 * sizeof(float) / 16);  // far from the matrix
}

TEST_CASE("attention: bad input") {
  const auto t = [](const Shape& s, DType d = DType::f32) { return zeros(s, d); };
  const Tensor x = t({2, 4, 3, 8});
  const auto attend = [&](const Tensor& q, const Tensor& k, const Tensor& v, const Options& o = {}) {
    check_throws([&] { scaled_dot_product_attention(q, k, v, o); }, {"[scaled_dot_product_attention]"});
  };
  attend(t({2, 3, 8}), x, x);
  attend(x, t({1, 4, 3, 8}), x);
  attend(x, t({2, 4, 3, 7}), x);
  attend(x, x, t({2, 4, 5, 8}));
  attend(x, t({2, 4, 3, 8}, DType::f64), x);
  check_throws(
      [&] {
        scaled_dot_product_attention(x, t({2, 3, 3, 8}), t({2, 3, 3, 8}));
      },
      {"3 heads of k", "divide the 4"});
  check_throws(
      [&] {
        scaled_dot_product_attention(x, x, x, {.keep_mask = t({3, 3})});
      },
      {"keep_mask", "f32", "u8"});
  check_throws(
      [&] {
        scaled_dot_product_attention(x, x, x, {.keep_mask = t({4, 3}, DType::u8)});
      },
      {"(4,3)", "(2,4,3,3)"});
  check_throws(
      [&] {
        scaled_dot_product_attention(x, x, x, {.keep_mask = t({1, 1, 1, 1, 3}, DType::u8)});
      },
      {"keep_mask", "larger"});
  check_throws(
      [&] {
        scaled_dot_product_attention(x, x, x, {.bias = t({3, 3}, DType::u8)});
      },
      {"bias is u8", "keep_mask?"});
  check_throws(
      [&] {
        scaled_dot_product_attention(x, x, x, {.bias = t({1, 1, 1, 1, 3})});
      },
      {"bias", "larger"});
  check_throws([&] { scaled_dot_product_attention(x, x, x, {.dropout = 1}); }, {"dropout is 1"});
  check_throws([&] { scaled_dot_product_attention(x, x, x, {.dropout = 0.1}); }, {"random numbers"});
  check_throws([&] { attention_with_weights(x, x, x, {.dropout = 0.1}); }, {"[attention_with_weights]"});
  check_throws([&] { self_attention(t({2, 3, 10}), {3}); }, {"[self_attention]", "9 heads", "(2,3,10)"});
  check_throws([&] { self_attention(t({3, 12}), {2}); }, {"[self_attention]", "[B,L,heads D]"});
  check_throws([&] { self_attention(t({2, 3, 12}), {4, 3}); }, {"[self_attention]", "divide"});
  check_throws(
      [&] {
        cross_attention(t({2, 3, 12}), t({2, 3, 12}), {2});
      },
      {"[cross_attention]", "which is 6"});
  check_throws([&] { cross_attention(t({2, 3, 6}), t({2, 3, 12}, DType::f64), {2}); }, {"types differ"});
}

}  // namespace
}  // namespace fovea::tests
