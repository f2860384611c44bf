#include "fovea/models/layers/rnn_attention.h"

#include <cmath>
#include <limits>

#include "fovea/ops/additive_scores.h"
#include "fovea/ops/compare.h"
#include "fovea/ops/cosine_similarity.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/gather.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/sample.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"
#include "fovea/ops/where.h"

namespace fovea {
namespace {

Tensor products(const RnnAttention&, const Tensor& q, const Tensor& keys) {
  return matmul(q, transpose(keys, 1, 2));
}
Tensor scaled_products(const RnnAttention& layer, const Tensor& q, const Tensor& keys) {
  return products(layer, q / std::sqrt(static_cast<double>(q.size(2))), keys);
}
Tensor cosines(const RnnAttention& layer, const Tensor& q, const Tensor& keys) {
  return layer.beta * cosine_similarity(unsqueeze(q, 2), unsqueeze(keys, 1));
}
Tensor sums(const RnnAttention& layer, const Tensor& q, const Tensor& keys) {
  return additive_scores(layer.query.forward(q), keys, layer.v);
}

constexpr AttentionScore scores[] = {
    // name, formula, W, U and v
    {"dot", "q . h", false, false, products},
    {"general", "q . W h", true, false, products},
    {"concat", "v . tanh(U q + W h)", true, true, sums},
    {"cosine", "beta q . h / (|q| |h|)", false, false, cosines},
    {"scaled", "q . h / sqrt(n)", false, false, scaled_products},
};

const AttentionScore& score_named(const std::string& name) {
  std::string names;
  for (const AttentionScore& s : scores) {
    if (name == s.name) return s;
    names += cat(names.empty() ? "" : ", ", s.name);
  }
  fail("RnnAttention", "there is no score '", name, "'; there are ", names);
}

// p kept within the sentence, for the middle of the window.
Tensor middle_of(const Tensor& p, const AttentionMemory& memory) {
  const Tensor last = relu(cast(unsqueeze(unsqueeze(memory.lengths, 1), 2), p.dtype()) - 1);
  return minimum(relu(p.detach()), last);
}

// 1 where a state, or padding, lies within D of floor(middle): u8 [B,T,S].
Tensor window_of(const Tensor& middle, const AttentionMemory& memory, Index half_width) {
  const auto D = static_cast<double>(half_width);
  const Tensor s = arange(memory.values.size(1), middle.dtype(), middle.device());
  // s - D <= floor(middle) <= s + D, said of the middle itself.
  return logical_and(less_equal(s - D, middle), greater(s + (D + 1), middle));
}

struct Named {
  const char* name;
  const char* score;
  Window window;
  bool hard;
};
constexpr Named named[] = {
    {"dot", "dot", Window::global, false},          {"general", "general", Window::global, false},
    {"concat", "concat", Window::global, false},    {"cosine", "cosine", Window::global, false},
    {"scaled", "scaled", Window::global, false},    {"local-m", "general", Window::local_m, false},
    {"local-p", "general", Window::local_p, false}, {"hard", "concat", Window::global, true},
};

}  // namespace

std::span<const AttentionScore> attention_scores() { return scores; }

RnnAttention::Options attention_named(const std::string& name) {
  for (const Named& n : named)
    if (name == n.name) return {.score = n.score, .window = n.window, .hard = n.hard};
  std::string names;
  for (const Named& n : named) names += cat(names.empty() ? "" : ", ", n.name);
  fail("RnnAttention", "there is no attention '", name, "'; there are ", names);
}

std::vector<std::string> attention_names() {
  std::vector<std::string> names;
  for (const Named& n : named) names.push_back(n.name);
  return names;
}

AttentionMemory AttentionMemory::rows(const Tensor& numbers) const {
  const auto chosen = [&](const Tensor& x) { return x.defined() ? index_select(x, 0, numbers) : x; };
  const bool same = keys.defined() && keys.same(values);
  AttentionMemory out{chosen(values), {}, chosen(keep), chosen(lengths)};
  out.keys = same ? out.values : chosen(keys);
  return out;
}

RnnAttention::RnnAttention(const Options& o, Generator& random)
    : rule(&score_named(o.score)), window(o.window), hard(o.hard), half_width(o.half_width) {
  const Index Q = o.query_size, E = o.memory_size, A = o.hidden_size > 0 ? o.hidden_size : Q;
  require(Q > 0 && E > 0, "RnnAttention", "query_size is ", Q, " and memory_size ", E,
          "; both must be at least 1");
  require(rule->projects_memory || Q == E, "RnnAttention", "score ", o.score,
          " multiplies queries with states: ", Q, " and ", E,
          " numbers must be as many; 'general' takes any");
  require(half_width > 0, "RnnAttention", "half_width is ", half_width, "; it must be at least 1");
  require(!hard || window != Window::local_p, "RnnAttention",
          "local-p learns where to look through the weights, which hard attention does not have");
  const auto linear = [&](Index in, Index out) {
    return Linear({.in_features = in, .out_features = out, .bias = false, .dtype = o.dtype}, random);
  };
  const auto vector = [&] {
    Parameter p(Tensor::empty({A}, o.dtype));
    const double a = 1 / std::sqrt(static_cast<double>(A));
    init::uniform(p, random, -a, a);
    return p;
  };
  if (rule->projects_memory) memory = linear(E, rule->projects_query ? A : Q);
  if (rule->projects_query) query = linear(Q, A);
  if (rule->projects_query) v = vector();
  if (rule->score == cosines) beta = Parameter(full({1}, 10, o.dtype));
  if (window != Window::local_p) return;
  position = linear(Q, A);
  position_v = vector();
}

AttentionMemory RnnAttention::remember(const Tensor& values, const Tensor& keep) const {
  require(values.rank() == 3 && keep.rank() == 2 && keep.dtype() == DType::u8 &&
              keep.shape() == Shape{values.size(0), values.size(1)},
          "RnnAttention", "a memory is values [B,S,E] and keep [B,S] (u8); got ", values.shape(), " and ",
          keep.shape(), " ", keep.dtype());
  const Tensor lengths = cast(sum(cast(keep, DType::f32), 1), DType::i32);
  return {values, rule->projects_memory ? memory.forward(values) : values, keep, lengths};
}

// p of every query: [B,T,1].
Tensor RnnAttention::positions(const Tensor& q, const AttentionMemory& m, Index first) const {
  const Index B = q.size(0), T = q.size(1);
  if (window == Window::local_m) {
    const Tensor p = arange(T, q.dtype(), q.device()) + static_cast<double>(first);
    return expand(reshape(p, {1, T, 1}), {B, T, 1});
  }
  const Tensor share = sigmoid(sum(tanh(position.forward(q)) * position_v, 2, true));
  return share * reshape(cast(m.lengths, q.dtype()), {B, 1, 1});
}

Look RnnAttention::forward(const Tensor& q, const AttentionMemory& m, Index first) const {
  require(q.rank() == 3 && q.size(0) == m.values.size(0), "RnnAttention", "queries ", q.shape(),
          " must be [B,T,Q], for a memory of ", m.values.size(0), " sentences");
  Tensor keep = unsqueeze(m.keep, 1), p;
  Look look;
  if (window != Window::global) {
    p = positions(q, m, first);
    const Tensor middle = middle_of(p, m);
    keep = logical_and(keep, window_of(middle, m, half_width));
    look.middle = squeeze(middle, 2);
  }
  const Tensor score = rule->score(*this, q, m.keys);
  if (hard) {
    // A sentence of nothing but padding draws from what is then set to 0.
    const Tensor some = max(cast(keep, q.dtype()), 2, true);
    const Tensor none = where(cast(some, DType::u8),
                              full_like(some, -std::numeric_limits<double>::infinity()), zeros_like(some));
    const Tensor logits = where(keep, score, none);
    if (mode.training)
      require(mode.random, "RnnAttention", "training draws; call training_mode(model, generator)");
    const Tensor state =
        mode.training ? categorical_sample(logits.detach(), *mode.random) : argmax(logits.detach(), 2);
    look.weights = one_hot(state, m.values.size(1), q.dtype()) * cast(keep, q.dtype());
    look.log_prob = neg(softmax_cross_entropy(logits, state, {.reduction = Reduction::none}));
  } else {
    look.weights = masked_softmax(score, keep);
  }
  if (window == Window::local_p) {
    const double deviation = static_cast<double>(half_width) / 2;
    const Tensor off = arange(m.values.size(1), q.dtype(), q.device()) - p;
    look.weights = look.weights * exp(square(off) * (-1 / (2 * deviation * deviation)));
  }
  look.context = matmul(look.weights, m.values);
  return look;
}

void RnnAttention::each(Visitor& visit) {
  visit("memory", memory);
  visit("query", query);
  visit("v", v);
  visit("beta", beta);
  visit("position", position);
  visit("position_v", position_v);
  visit(mode);
}

}  // namespace fovea
