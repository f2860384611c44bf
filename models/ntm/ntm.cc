#include "fovea/models/ntm/ntm.h"

#include "fovea/core/tape.h"
#include "fovea/ops/join.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/ntm_addressing.h"
#include "fovea/ops/ntm_write.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/softmax.h"
#include "fovea/ops/views.h"

namespace fovea::ntm {
namespace {

Parameter parameter(const Shape& shape, Generator& random, double deviation, DType dtype) {
  return Parameter(rand_normal(shape, random, 0, deviation, dtype));
}

Linear head(Index in, Index out, DType dtype, Generator& random) {
  Linear layer({.in_features = in, .out_features = out, .dtype = dtype}, random);
  init::xavier_uniform(layer.weight, random, 1.4);
  init::normal(layer.bias, random, 0, 0.01);
  return layer;
}

// Logits [heads,N].
Parameter first_weightings(const Shape& shape, double focus, DType dtype, Generator& random) {
  const Tensor logits = rand_normal(shape, random, 0, 0.1, dtype);
  const Tensor first = slice(logits, 1, 0, 1);
  assign(first, affine(first, 1, focus));
  return Parameter(logits);
}

// A start value repeated for every batch element.
Tensor for_batch(const Tensor& x, Index batch) {
  return expand(unsqueeze(x, 0), x.shape().inserted(0, batch));
}

Tensor heads_of(const Tensor& flat, Index heads) {
  return reshape(flat, {flat.size(0), heads, flat.size(1) / heads});
}

}  // namespace

Ntm::Ntm(const Options& o, Generator& random) : options(o) {
  require(o.inputs > 0 && o.outputs > 0 && o.controller_size > 0 && o.controller_layers > 0, "Ntm",
          "inputs, outputs, controller_size and controller_layers must be at least 1");
  require(o.read_heads > 0 && o.write_heads > 0 && o.rows > 0 && o.width > 0, "Ntm",
          "read_heads, write_heads, rows and width must be at least 1");
  require(o.shifts % 2 == 1 && o.shifts > 0 && o.shifts <= o.rows, "Ntm", "shifts is ", o.shifts,
          "; it must be odd and at most the ", o.rows, " rows");
  const Index C = o.controller_size, M = o.width, N = o.rows, R = o.read_heads, W = o.write_heads;
  Index in = o.inputs + R * M;
  for (int layer = 0; layer < o.controller_layers; ++layer, in = C) {
    if (o.controller == Controller::feedforward) {
      hidden.push_back(Linear({.in_features = in, .out_features = C, .dtype = o.dtype}, random));
      continue;
    }
    cells.push_back(LstmCell({.input_size = in, .hidden_size = C, .dtype = o.dtype}, random));
    h.push_back(parameter({C}, random, 0.05, o.dtype));
    c.push_back(parameter({C}, random, 0.05, o.dtype));
  }
  const Index address = M + o.shifts + 3;
  read_address = head(C, R * address, o.dtype, random);
  write_address = head(C, W * address, o.dtype, random);
  erase = head(C, W * M, o.dtype, random);
  add = head(C, W * M, o.dtype, random);
  out = Linear({.in_features = C + R * M, .out_features = o.outputs, .dtype = o.dtype}, random);
  init::xavier_uniform(out.weight, random);

  // Something must tell the rows apart: with equal rows, different starting weights.
  read_weights = first_weightings({R, N}, o.focus, o.dtype, random);
  write_weights = first_weightings({W, N}, o.focus, o.dtype, random);
  reads = Parameter(zeros({R, M}, o.dtype));
  const double a = 1 / std::sqrt(static_cast<double>(N + M));
  switch (o.start) {
    case Start::constant:
      fixed_memory = full({N, M}, 1e-6, o.dtype);
      break;
    case Start::learned:
      memory = parameter({N, M}, random, 0.1, o.dtype);
      break;
    case Start::random:
      fixed_memory = rand_uniform({N, M}, random, -a, a, o.dtype);
  }
}

Tensor Ntm::forward(const Tensor& input, Index scored, Trace* trace) const {
  require(input.rank() == 3 && input.size(2) == options.inputs, "Ntm", "input ", input.shape(),
          " must be [T,B,", options.inputs, "]");
  const Index T = input.size(0), B = input.size(1), R = options.read_heads, W = options.write_heads;
  require(scored >= 0 && scored <= T, "Ntm", "cannot score ", scored, " of ", T, " steps");

  Tensor m = for_batch(memory.defined() ? memory : fixed_memory, B);
  Tensor r = reshape(for_batch(tanh(reads), B), {B, R * options.width});
  Tensor wr = for_batch(softmax(read_weights), B);
  Tensor ww = for_batch(softmax(write_weights), B);
  std::vector<LstmState> states;
  for (std::size_t i = 0; i < cells.size(); ++i) states.push_back({for_batch(h[i], B), for_batch(c[i], B)});

  std::vector<Tensor> features;
  for (Index t = 0; t < T; ++t) {
    Tensor x = concat({select(input, 0, t), r}, 1);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      states[i] = cells[i].forward(x, states[i]);
      x = states[i].h;
    }
    for (const Linear& layer : hidden) x = tanh(layer.forward(x));

    wr = ntm_addressing(heads_of(read_address.forward(x), R), m, wr, options.tanh_heads);
    ww = ntm_addressing(heads_of(write_address.forward(x), W), m, ww, options.tanh_heads);
    const Tensor read = matmul(wr, m);
    const Tensor e = sigmoid(erase.forward(x)), raw = add.forward(x),
                 a = options.tanh_heads ? tanh(raw) : raw;
    m = ntm_write(m, ww, heads_of(e, W), heads_of(a, W));
    r = reshape(read, {B, R * options.width});
    if (scored == 0 || t >= T - scored) features.push_back(concat({x, r}, 1));
    if (trace) {
      trace->read_weights.push_back(select(wr, 0, 0).detach());
      trace->write_weights.push_back(select(ww, 0, 0).detach());
      trace->reads.push_back(select(read, 0, 0).detach());
      trace->adds.push_back(select(heads_of(a, W), 0, 0).detach());
    }
  }
  return out.forward(stack(features, 0));
}

void Ntm::each(Visitor& v) {
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i].each(v, "_l" + std::to_string(i));
  v("hidden", hidden);
  v("read_address", read_address);
  v("write_address", write_address);
  v("erase", erase);
  v("add", add);
  v("out", out);
  v("memory", memory);
  v("read_weights", read_weights);
  v("write_weights", write_weights);
  v("reads", reads);
  v("h", h);
  v("c", c);
  v.buffer("fixed_memory", fixed_memory);
}

LstmBaseline::LstmBaseline(const Options& o, Generator& random) : options(o) {
  for (int layer = 0; layer < o.layers; ++layer)
    cells.push_back(LstmCell(
        {.input_size = layer == 0 ? o.inputs : o.size, .hidden_size = o.size, .dtype = o.dtype}, random));
  out = Linear({.in_features = o.size, .out_features = o.outputs, .dtype = o.dtype}, random);
}

Tensor LstmBaseline::forward(const Tensor& input, Index scored) const {
  const Index T = input.size(0), B = input.size(1);
  std::vector<LstmState> states;
  for (const LstmCell& cell : cells) states.push_back(cell.initial_state(B));
  std::vector<Tensor> features;
  for (Index t = 0; t < T; ++t) {
    Tensor x = select(input, 0, t);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      states[i] = cells[i].forward(x, states[i]);
      x = states[i].h;
    }
    if (scored == 0 || t >= T - scored) features.push_back(x);
  }
  return out.forward(stack(features, 0));
}

void LstmBaseline::each(Visitor& v) {
  for (std::size_t i = 0; i < cells.size(); ++i) cells[i].each(v, "_l" + std::to_string(i));
  v("out", out);
}

}  // namespace fovea::ntm
