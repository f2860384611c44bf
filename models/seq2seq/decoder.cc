#include "fovea/models/seq2seq/decoder.h"

#include <algorithm>

#include "fovea/ops/gather.h"
#include "fovea/ops/pointwise.h"

namespace fovea::seq2seq {

std::vector<std::string> attentions() {
  std::vector<std::string> names = attention_names();
  names.insert(names.begin(), "none");
  return names;
}

namespace {

std::optional<RnnAttention> make_attention(const NetOptions& o, Index memory_size, Generator& random) {
  if (o.attention == "none") return {};
  std::string known;
  for (const std::string& name : attentions()) known += cat(known.empty() ? "" : ", ", name);
  require(std::ranges::count(attentions(), o.attention) > 0, "seq2seq", "there is no attention '",
          o.attention, "'; there are ", known);
  RnnAttention::Options options = attention_named(o.attention);
  options.query_size = o.hidden;
  options.memory_size = memory_size;
  options.half_width = o.half_width;
  options.dtype = o.dtype;
  return RnnAttention(options, random);
}

// One query a sentence.
Look look_once(const RnnAttention& attention, const Tensor& query, const State& state, Step& step) {
  Look look = attention.forward(unsqueeze(query, 1), state.memory, state.position);
  look.context = squeeze(look.context, 1);
  step.weights = squeeze(look.weights, 1);
  if (look.log_prob.defined()) step.log_prob = squeeze(look.log_prob, 1);
  if (look.middle.defined()) step.middle = squeeze(look.middle, 1);
  return look;
}

// [2,B,n] of a layer, forward and backward -> [B,2n].
Tensor side_by_side(const Tensor& states, Index layer) {
  return concat({select(states, 0, 2 * layer), select(states, 0, 2 * layer + 1)}, 1);
}

}  // namespace

State State::rows(const Tensor& numbers) const {
  State out{memory.values.defined() ? memory.rows(numbers) : memory, {}, position};
  for (const Tensor& part : parts) out.parts.push_back(index_select(part, 0, numbers));
  return out;
}

RnnSearch::RnnSearch(const NetOptions& o, Generator& random) {
  const Index n = o.direction_size(), F = o.features > 0 ? o.features : (o.hidden + 1) / 2;
  require(o.layers == 1, "seq2seq", "RNNsearch has one layer, not ", o.layers,
          "; Luong's network takes more");
  encoder =
      Gru({.input_size = o.embedding, .hidden_size = n, .bidirectional = true, .dtype = o.dtype}, random);
  start = Linear({.in_features = n, .out_features = o.hidden, .dtype = o.dtype}, random);
  attention = make_attention(o, 2 * n, random);
  cell = GruCell({.input_size = o.embedding + 2 * n, .hidden_size = o.hidden, .dtype = o.dtype}, random);
  maxout = Linear({.in_features = o.hidden + 2 * n + o.embedding, .out_features = 2 * F, .dtype = o.dtype},
                  random);
}

State RnnSearch::encode(const Tensor& x, const Tensor& keep, const Tensor& lengths) const {
  const auto [annotations, last] = encoder.forward(x, {}, lengths);
  State state;
  state.parts = {tanh(start.forward(select(last, 0, 1)))};
  if (attention)
    state.memory = attention->remember(annotations, keep);
  else
    state.parts.push_back(side_by_side(last, 0));
  return state;
}

Step RnnSearch::step(const Tensor& y, State& state) const {
  Step step;
  Tensor& s = state.parts[0];
  const Tensor context = attention ? look_once(*attention, s, state, step).context : state.parts[1];
  s = cell.forward(concat({y, context}, 1), s);
  const std::vector<Tensor> t = split(maxout.forward(concat({s, context, y}, 1)), 2, 1);
  step.features = maximum(t[0], t[1]);
  ++state.position;
  return step;
}

void RnnSearch::each(Visitor& v) {
  v("encoder", encoder);
  v("start", start);
  if (attention) v("attention", *attention);
  v("cell", cell);
  v("maxout", maxout);
}

Luong::Luong(const NetOptions& o, Generator& random) : dropout{o.dropout, {}} {
  require(2 * o.direction_size() == o.hidden, "seq2seq", "the decoder's ", o.hidden,
          " units start as the encoder's two directions of ", o.direction_size(),
          "; they must be twice as many");
  encoder = Lstm({.input_size = o.embedding,
                  .hidden_size = o.direction_size(),
                  .num_layers = o.layers,
                  .bidirectional = true,
                  .dropout = o.dropout,
                  .dtype = o.dtype},
                 random);
  attention = make_attention(o, o.hidden, random);
  feeds = o.input_feeding && attention;
  for (int layer = 0; layer < o.layers; ++layer)
    cells.push_back(LstmCell({.input_size = layer > 0 ? o.hidden : o.embedding + (feeds ? o.hidden : 0),
                              .hidden_size = o.hidden,
                              .dtype = o.dtype},
                             random));
  if (attention)
    combine = Linear({.in_features = 2 * o.hidden, .out_features = o.hidden, .bias = false, .dtype = o.dtype},
                     random);
}

// Parts: h and c of every layer, then what is fed.
State Luong::encode(const Tensor& x, const Tensor& keep, const Tensor& lengths) const {
  const auto [annotations, last] = encoder.forward(x, {}, lengths);
  State state;
  if (attention) state.memory = attention->remember(annotations, keep);
  for (Index layer = 0; layer < static_cast<Index>(cells.size()); ++layer) {
    state.parts.push_back(side_by_side(last.h, layer));
    state.parts.push_back(side_by_side(last.c, layer));
  }
  if (feeds) state.parts.push_back(cells[0].zero_state(x.size(0)));
  return state;
}

Step Luong::step(const Tensor& y, State& state) const {
  Step step;
  Tensor h = feeds ? concat({y, state.parts.back()}, 1) : y;
  for (std::size_t layer = 0; layer < cells.size(); ++layer) {
    if (layer > 0) h = dropout.forward(h);
    Tensor &own = state.parts[2 * layer], &c = state.parts[2 * layer + 1];
    const LstmState next = cells[layer].forward(h, {own, c});
    h = own = next.h;
    c = next.c;
  }
  step.features = h;
  if (attention) {
    const Look look = look_once(*attention, h, state, step);
    step.features = tanh(combine.forward(concat({look.context, h}, 1)));
  }
  if (feeds) state.parts.back() = step.features;
  ++state.position;
  return step;
}

void Luong::each(Visitor& v) {
  v("encoder", encoder);
  v("cells", cells);
  if (attention) v("attention", *attention);
  v("combine", combine);
  dropout.each(v);
}

}  // namespace fovea::seq2seq
