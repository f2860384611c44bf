#include "fovea/models/gpt/gpt.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "fovea/core/tape.h"
#include "fovea/ops/create.h"
#include "fovea/ops/join.h"
#include "fovea/ops/linear_cross_entropy.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/views.h"

namespace fovea::gpt {
namespace {

LayerNorm norm_of(const Options& o) {
  return LayerNorm({.features = o.embed_dim, .eps = o.eps, .bias = o.bias, .dtype = o.dtype});
}

Linear linear_of(const Options& o, Index in, Index out, Generator& random) {
  return Linear({.in_features = in, .out_features = out, .bias = o.bias, .dtype = o.dtype}, random);
}

}  // namespace

Block::Block(const Options& o, Generator& random)
    : ln_1(norm_of(o)),
      ln_2(norm_of(o)),
      attn({.embed_dim = o.embed_dim,
            .num_heads = o.heads,
            .bias = o.bias,
            .dropout = o.dropout,
            .dtype = o.dtype},
           random),
      c_fc(linear_of(o, o.embed_dim, 4 * o.embed_dim, random)),
      c_proj(linear_of(o, 4 * o.embed_dim, o.embed_dim, random)),
      dropout{o.dropout, {}},
      activation(o.activation) {
  const double deviation = 0.02, last = deviation / std::sqrt(2.0 * o.layers);
  init::normal(attn.in_proj_weight, random, 0, deviation);
  init::normal(attn.out_proj.weight, random, 0, last);
  init::normal(c_fc.weight, random, 0, deviation);
  init::normal(c_proj.weight, random, 0, last);
  for (const Parameter& bias : {c_fc.bias, c_proj.bias})
    if (bias.defined()) init::constant(bias, 0);
}

Tensor Block::forward(const Tensor& x, KvCache* cache) const {
  const Tensor y = x + dropout.forward(attn.forward(ln_1.forward(x), {.causal = true, .cache = cache}));
  return y + dropout.forward(c_proj.forward(c_fc.forward(ln_2.forward(y), activation)));
}

void Block::each(Visitor& v) {
  v("ln_1", ln_1);
  v("attn.c_attn.weight", attn.in_proj_weight);
  v("attn.c_attn.bias", attn.in_proj_bias);
  v("attn.c_proj", attn.out_proj);
  attn.dropout.each(v);
  v("ln_2", ln_2);
  v("mlp.c_fc", c_fc);
  v("mlp.c_proj", c_proj);
  dropout.each(v);
}

Gpt::Gpt(const Options& o, Generator& random)
    : options(o),
      wte({.num_embeddings = o.vocabulary, .embedding_dim = o.embed_dim, .dtype = o.dtype}, random),
      wpe({.num_embeddings = o.block_size, .embedding_dim = o.embed_dim, .dtype = o.dtype}, random),
      dropout{o.dropout, {}},
      rounding{o.activations, {}} {
  require(o.layers > 0, "Gpt", "layers is ", o.layers, "; it must be at least 1");
  init::normal(wte.weight, random, 0, 0.02);
  init::normal(wpe.weight, random, 0, 0.02);
  for (int i = 0; i < o.layers; ++i) h.emplace_back(o, random);
  ln_f = norm_of(o);
}

Tensor Gpt::hidden(const Tensor& ids, std::vector<KvCache>* caches) const {
  require(ids.rank() == 2 && ids.dtype() == DType::i32, "Gpt", "ids ", ids.dtype(), ids.shape(),
          " must be i32 [B,L]");
  require(!caches || caches->size() == h.size(), "Gpt", "one cache a layer is needed: ", h.size());
  const Index first = caches ? caches->front().length : 0, last = first + ids.size(1);
  require(last <= options.block_size, "Gpt", last, " tokens are more than the block_size, ",
          options.block_size, "; keep the last ones");
  Tensor x = rounding.forward(dropout.forward(wte.forward(ids) + slice(wpe.weight, 0, first, last)));
  for (std::size_t i = 0; i < h.size(); ++i) x = h[i].forward(x, caches ? &(*caches)[i] : nullptr);
  return ln_f.forward(x);
}

Tensor Gpt::forward(const Tensor& ids) const { return linear(hidden(ids), wte.weight); }

Tensor Gpt::loss(const Tensor& ids, const Tensor& targets) const {
  return linear_cross_entropy(hidden(ids), wte.weight, {}, targets);
}

Tensor Gpt::generate(const Tensor& ids, Index count, const Sampling& sampling, Generator& random,
                     const std::function<bool(const Tensor&)>& on_tokens) const {
  require(ids.rank() == 2 && ids.size(1) > 0, "Gpt",
          "generate() goes on from ids [B,L] with L at least 1, not ", ids.shape());
  const Pause pause;
  const Index T = options.block_size;
  const Device device = wte.weight.device();
  std::vector<KvCache> caches;
  for (const Block& block : h) caches.push_back(block.attn.cache(ids.size(0), T));
  Tensor all = ids, fresh = ids;  // what the caches do not hold yet
  for (Index i = 0; i < count; ++i) {
    const Index length = all.size(1);
    const Tensor x = length <= T ? hidden(to(fresh, device), &caches)
                                 : hidden(to(slice(all, 1, length - T, length), device));
    const Tensor next = sample(linear(select(x, 1, -1), wte.weight), sampling, random);
    fresh = unsqueeze(next, 1);
    all = concat({all, fresh}, 1);
    if (on_tokens && !on_tokens(next)) break;
  }
  return all;
}

void Gpt::each(Visitor& v) {
  v("transformer.wte", wte);
  v("transformer.wpe", wpe);
  v("transformer.h", h);
  v("transformer.ln_f", ln_f);
  v("lm_head.weight", wte.weight);
  dropout.each(v);
  rounding.each(v);
}

Tensor sample(const Tensor& logits, const Sampling& s, Generator& random) {
  require(logits.rank() == 2 && logits.size(1) > 0, "Gpt", "logits ", logits.shape(), " must be [B,V]");
  require(s.temperature >= 0 && s.top_k >= 0 && s.top_p > 0 && s.top_p <= 1, "Gpt", "temperature ",
          s.temperature, " and top_k ", s.top_k, " cannot be below 0, and top_p ", s.top_p,
          " must be in (0, 1]");
  const Index B = logits.size(0), V = logits.size(1);
  const Tensor wide = to(cast(contiguous(logits.detach()), DType::f64), Cpu{});
  Tensor next = Tensor::empty({B}, DType::i32);
  std::vector<std::int32_t> order(static_cast<std::size_t>(V));
  std::vector<double> p;
  for (Index b = 0; b < B; ++b) {
    const double* x = wide.data<double>() + b * V;
    // A token may be ruled out by a logit of -inf, but not all of them.
    const double most = *std::max_element(x, x + V);
    require(std::isfinite(most) && std::none_of(x, x + V, [](double v) { return std::isnan(v); }), "Gpt",
            "the weights give numbers that are not finite: no token can be drawn from such logits");
    std::iota(order.begin(), order.end(), 0);
    const Index kept = s.temperature == 0 ? 1 : s.top_k > 0 ? std::min(s.top_k, V) : V;
    if (kept < V || s.top_p < 1)
      std::partial_sort(order.begin(), order.begin() + kept, order.end(),
                        [x](std::int32_t i, std::int32_t j) { return x[i] != x[j] ? x[i] > x[j] : i < j; });
    p.assign(static_cast<std::size_t>(kept), 1);
    if (kept > 1)
      for (std::size_t i = 0; i < p.size(); ++i) p[i] = std::exp((x[order[i]] - most) / s.temperature);
    if (s.top_p < 1) {
      const double enough = s.top_p * std::accumulate(p.begin(), p.end(), 0.0);
      double reached = 0;
      std::size_t n = 0;
      while (n < p.size() && reached < enough) reached += p[n++];
      p.resize(n);
    }
    double left = static_cast<double>(random.uniform()) * std::accumulate(p.begin(), p.end(), 0.0);
    std::size_t chosen = 0;
    while (chosen + 1 < p.size() && left >= p[chosen]) left -= p[chosen++];
    next.mutable_data<std::int32_t>()[b] = order[chosen];
  }
  return next;
}

}  // namespace fovea::gpt
