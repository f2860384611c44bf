#include <memory>

#include "fovea/core/tape.h"
#include "fovea/models/draw/draw.h"
#include "fovea/models/layers/lstm.h"
#include "fovea/models/ntm/learner.h"
#include "fovea/ops/bce.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tools/bench/workloads.h"

namespace fovea::tools {
namespace {

// One training step of the NTM on the copy task: LSTM-100, memory 128x20, one head of each kind, `length`
// vectors in and out and two markers, all steps' outputs computed, RMSProp, clipping by norm 10.
Step ntm_step(const BenchOptions& o, Index default_batch) {
  const Index L = o.length.value_or(20), T = 2 * L + 2, bits = 8,
              batch = o.batch_size.value_or(default_batch);
  struct State {
    Generator random{1};
    ntm::Ntm model;
    std::unique_ptr<GravesRmsProp> optimizer;
    Tensor input, target;
  };
  auto s = std::make_shared<State>();
  s->model = ntm::Ntm({.inputs = bits + 1, .outputs = bits, .controller_size = o.hidden_size.value_or(100)},
                      s->random);
  move_to(s->model, o.device);
  s->optimizer = std::make_unique<GravesRmsProp>(flatten(s->model), GravesRmsProp::Options{});
  s->target = rand_bernoulli({L, batch, bits}, s->random, 0.5);
  s->input = zeros({T, batch, bits + 1});
  float* x = s->input.mutable_data<float>();
  const float* y = s->target.data<float>();
  for (Index b = 0; b < batch; ++b) {
    x[b * (bits + 1) + bits] = 1;
    for (Index t = 0; t < L; ++t)
      for (Index i = 0; i < bits; ++i)
        x[((t + 1) * batch + b) * (bits + 1) + i] = y[(t * batch + b) * bits + i];
  }
  for (Tensor* t : {&s->input, &s->target}) *t = to(*t, o.device);
  return [s, L, T] {
    train_step(*s->optimizer, 10,
               [&] { return bce_with_logits(slice(s->model.forward(s->input), 0, T - L, T), s->target); });
  };
}

// One training step of DRAW with attention: 10 steps on 28x28 pixels, LSTM 256, z 10, read and write N = 5,
// states that start at 0, Adam, clipping by norm 5.
Step draw_step(const BenchOptions& o) {
  struct State {
    Generator random{1};
    draw::Draw model;
    std::unique_ptr<Adam> optimizer;
    Tensor images;
  };
  auto s = std::make_shared<State>();
  s->model = draw::Draw(
      {.steps = o.length.value_or(10), .hidden = o.hidden_size.value_or(256), .learned_start = false},
      s->random);
  move_to(s->model, o.device);
  s->optimizer = std::make_unique<Adam>(flatten(s->model), Adam::Options{});
  s->images = to(rand_bernoulli({o.batch_size.value_or(100), 1, 28, 28}, s->random, 0.5), o.device);
  return [s] { train_step(*s->optimizer, 5, [&] { return s->model.loss(s->images, s->random).total(); }); };
}

// An LSTM cell over 20 steps, one call a step, forward and backward.
Step lstm_step(const BenchOptions& o) {
  const Index T = o.length.value_or(20), I = 32, H = o.hidden_size.value_or(100),
              batch = o.batch_size.value_or(16);
  struct State {
    Generator random{1};
    LstmCell cell;
    std::vector<NamedParameter> parameters;
    std::vector<Tensor> x;
  };
  auto s = std::make_shared<State>();
  s->cell = LstmCell({.input_size = I, .hidden_size = H}, s->random);
  for (Index t = 0; t < T; ++t) s->x.push_back(to(rand_normal({batch, I}, s->random), o.device));
  struct Named {
    LstmCell& cell;
    void each(Visitor& v) { cell.each(v); }
  } named{s->cell};
  move_to(named, o.device);
  s->parameters = named_parameters(named);
  return [s, batch] {
    for (NamedParameter& p : s->parameters) p.parameter.zero_grad();
    Tape tape;
    LstmState state = s->cell.initial_state(batch);
    for (const Tensor& x : s->x) state = s->cell.forward(x, state);
    tape.backward(sum(state.h));
  };
}

// 200 dependent adds on 16 floats, forward and backward: what the tape itself costs.
Step chain_step(const BenchOptions& o) {
  Generator random(1);
  const Tensor x = to(rand_normal({16}, random), o.device);
  return [x, n = o.length.value_or(200)] {
    Tape tape;
    const Tensor start = tape.watch(x);
    Tensor y = start;
    for (Index i = 0; i < n; ++i) y = y + start;
    tape.backward(sum(y));
  };
}

}  // namespace

std::vector<Workload> recurrent_workloads() {
  return {{"ntm_b1", [](const BenchOptions& o) { return ntm_step(o, 1); }},
          {"ntm_b16", [](const BenchOptions& o) { return ntm_step(o, 16); }},
          {"draw", draw_step},
          {"lstm", lstm_step},
          {"chain", chain_step}};
}

}  // namespace fovea::tools
