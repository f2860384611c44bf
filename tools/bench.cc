#include "tools/bench.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <iostream>

#include "fovea/core/memory.h"
#include "fovea/core/tape.h"
#include "fovea/models/draw/draw.h"
#include "fovea/models/layers/conv2d.h"
#include "fovea/models/layers/lstm.h"
#include "fovea/models/ntm/learner.h"
#include "fovea/models/stn/learner.h"
#include "fovea/models/training/clip.h"
#include "fovea/ops/bce.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tools/bench_workloads.h"
#include "tools/report/facts.h"

namespace fovea::tools {
namespace {

// One training step of the NTM on the copy task: LSTM-100, memory 128x20, one head of each kind, `length`
// vectors in and out and two markers, all steps' outputs computed, RMSProp, clipping by norm 10.
Step ntm_step(Index batch, const BenchOptions& o) {
  const Index L = o.length.value_or(20), T = 2 * L + 2, bits = 8;
  struct State {
    Generator random{1};
    ntm::Ntm model;
    std::unique_ptr<GravesRmsProp> optimizer;
    Tensor input, target;
  };
  auto s = std::make_shared<State>();
  s->model = ntm::Ntm({.inputs = bits + 1, .outputs = bits, .controller_size = o.hidden_size.value_or(100)},
                      s->random);
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
  return [s, L, T] {
    {
      Tape tape;
      tape.backward(bce_with_logits(slice(s->model.forward(s->input), 0, T - L, T), s->target));
    }
    clip_by_norm(s->optimizer->parameters(), 10);
    s->optimizer->step();
  };
}

// One training step of DRAW with attention: 10 steps on 28x28 pixels, LSTM 256, z 10, read and write N = 5,
// states that start at 0, Adam, clipping by norm 5.
Step draw_step(Index batch, const BenchOptions& o) {
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
  s->optimizer = std::make_unique<Adam>(flatten(s->model), Adam::Options{});
  s->images = rand_bernoulli({batch, 1, 28, 28}, s->random, 0.5);
  return [s] {
    {
      Tape tape;
      tape.backward(s->model.loss(s->images, s->random).total());
    }
    clip_by_norm(s->optimizer->parameters(), 5);
    s->optimizer->step();
  };
}

// One training step of a classifier of cluttered 60x60 digits with an affine transformer, Adam.
Step stn_step(Index batch) {
  struct State {
    Generator random{1};
    stn::Stn model;
    std::unique_ptr<Adam> optimizer;
    Tensor images, classes;
  };
  auto s = std::make_shared<State>();
  s->model = stn::Stn(stn::network_for(stn::settings_for("cluttered", "cnn", "default"), {batch, 1, 60, 60}),
                      s->random);
  s->optimizer = std::make_unique<Adam>(flatten(s->model), Adam::Options{});
  s->images = rand_uniform({batch, 1, 60, 60}, s->random);
  s->classes = zeros({batch}, DType::i32);
  for (Index b = 0; b < batch; ++b)
    s->classes.mutable_data<std::int32_t>()[b] = static_cast<std::int32_t>(s->random.below(10));
  return [s] {
    {
      Tape tape;
      tape.backward(softmax_cross_entropy(s->model.forward(s->images), s->classes));
    }
    s->optimizer->step();
  };
}

// An LSTM cell over 20 steps, one call a step, forward and backward.
Step lstm_step(Index batch, const BenchOptions& o) {
  const Index T = o.length.value_or(20), I = 32, H = o.hidden_size.value_or(100);
  struct State {
    Generator random{1};
    LstmCell cell;
    std::vector<NamedParameter> parameters;
    std::vector<Tensor> x;
  };
  auto s = std::make_shared<State>();
  s->cell = LstmCell({.input_size = I, .hidden_size = H}, s->random);
  for (Index t = 0; t < T; ++t) s->x.push_back(rand_normal({batch, I}, s->random));
  struct Named {
    LstmCell& cell;
    void each(Visitor& v) { cell.each(v); }
  } named{s->cell};
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
  const Tensor x = rand_normal({16}, random);
  return [x, n = o.length.value_or(200)] {
    Tape tape;
    const Tensor start = tape.watch(x);
    Tensor y = start;
    for (Index i = 0; i < n; ++i) y = y + start;
    tape.backward(sum(y));
  };
}

// One convolution, forward and backward to the image, the weight and the bias.
struct ConvShape {
  Index batch, in, out, kernel, size, padding = 0;
};
Step conv2d_step(const ConvShape& c, const BenchOptions& o) {
  struct State {
    Generator random{1};
    Conv2d layer;
    Tensor x, dy;
  };
  auto s = std::make_shared<State>();
  const Index B = o.batch_size.value_or(c.batch), out = c.size + 2 * c.padding - c.kernel + 1;
  s->layer = Conv2d(
      {.in_channels = c.in, .out_channels = c.out, .kernel_size = c.kernel, .padding = c.padding}, s->random);
  s->x = rand_normal({B, c.in, c.size, c.size}, s->random);
  s->dy = rand_normal({B, c.out, out, out}, s->random);
  return [s] {
    s->layer.weight.zero_grad();
    s->layer.bias.zero_grad();
    Tape tape;
    tape.backward(s->layer.forward(tape.watch(s->x)), {.seed = s->dy});
  };
}

const std::vector<std::pair<std::string, std::function<Step(const BenchOptions&)>>>& workloads() {
  static const std::vector<std::pair<std::string, std::function<Step(const BenchOptions&)>>> all = {
      {"ntm_b1", [](const auto& o) { return ntm_step(o.batch_size.value_or(1), o); }},
      {"ntm_b16", [](const auto& o) { return ntm_step(o.batch_size.value_or(16), o); }},
      {"draw", [](const auto& o) { return draw_step(o.batch_size.value_or(100), o); }},
      {"stn", [](const auto& o) { return stn_step(o.batch_size.value_or(256)); }},
      {"transformer", transformer_step},
      {"gpt", gpt_step},
      {"decode", decode_step},
      {"attention", attention_step},
      {"lstm", [](const auto& o) { return lstm_step(o.batch_size.value_or(16), o); }},
      {"chain", [](const auto& o) { return chain_step(o); }},
      // The spatial transformer's four, and two of the sizes that image networks have.
      {"conv2d_stn1",
       [](const auto& o) {
         return conv2d_step({256, 1, 20, 5, 30}, o);
       }},
      {"conv2d_stn2",
       [](const auto& o) {
         return conv2d_step({256, 20, 20, 5, 13}, o);
       }},
      {"conv2d_stn3",
       [](const auto& o) {
         return conv2d_step({256, 1, 32, 3, 20}, o);
       }},
      {"conv2d_stn4",
       [](const auto& o) {
         return conv2d_step({256, 32, 32, 3, 9}, o);
       }},
      {"conv2d_28",
       [](const auto& o) {
         return conv2d_step({64, 32, 32, 3, 28, 1}, o);
       }},
      {"conv2d_56", [](const auto& o) {
         return conv2d_step({16, 64, 64, 3, 56, 1}, o);
       }}};
  return all;
}

void measure(const std::string& name, const BenchOptions& o) {
  using Clock = std::chrono::steady_clock;
  for (const auto& [known, make] : workloads()) {
    if (known != name) continue;
    const Step step = make(o);
    for (int i = 0; i < 3; ++i) step();
    std::vector<double> ms;
    const auto end = Clock::now() + std::chrono::duration<double>(o.seconds);
    while (Clock::now() < end || ms.size() < 5) {
      const auto start = Clock::now();
      step();
      ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
    std::sort(ms.begin(), ms.end());
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const double low = ms.front(), median = ms[ms.size() / 2],
                 rss = static_cast<double>(usage.ru_maxrss) / 1024;
    if (o.json)
      std::cout << to_json({{"name", name},
                            {"min_ms", low},
                            {"median_ms", median},
                            {"n", ms.size()},
                            {"peak_bytes", memory_stats().peak},
                            {"peak_rss_mb", rss}},
                           true)
                << std::endl;
    else
      std::printf("%-11s min %9.4f ms   median %9.4f ms   n %6zu   tensors %7.2f MB   process %6.1f MB\n",
                  name.c_str(), low, median, ms.size(), static_cast<double>(memory_stats().peak) / 1e6, rss);
    std::fflush(stdout);
  }
}

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const auto& [name, make] : workloads()) names.push_back(name);
  return names;
}

struct Bench : BenchOptions {
  int operator()() const {
    common.apply();
    require(!common.device.starts_with("cuda"), "bench", "measures the host alone; use --device cpu");
    for (const std::string& name : names)
      require(!products_only || has_products_only(name), "bench",
              "--products-only is of transformer and gpt, not ", name);
    require(!products_only || !names.empty(), "bench", "--products-only needs a name: transformer or gpt");
    int status = 0;
    for (const std::string& name : names.empty() ? workload_names() : names) {
      // A process of its own, so that peak memory and warm caches are this workload's alone. No thread exists
      // yet.
      std::cout.flush();
      const pid_t child = fork();
      require(child >= 0, "bench", "cannot start a process");
      if (child == 0) {
        measure(name, *this);
        _exit(0);
      }
      int child_status = 0;
      waitpid(child, &child_status, 0);
      if (child_status != 0) status = 1;
    }
    return status;
  }
};

}  // namespace

void add_bench(Commands& commands) {
  Command command = commands.root.add("bench", "Time training steps; one workload per process");
  Bench& b = command.calls<Bench>();
  command.option("names", b.names, "Which (default: all)").one_of(workload_names());
  command.option("--seconds", b.seconds, "How long to measure each").with_default().positive();
  command.option("--batch-size", b.batch_size, "Another batch size").positive();
  command.option("--length", b.length, "Another length: vectors to copy, steps, or adds").positive();
  command.option("--hidden-size", b.hidden_size, "Another size of the LSTM").positive();
  command.flag("--products-only", b.products_only,
               "Only the products of matrices of transformer or gpt, on random numbers");
  command.flag("--json", b.json, "One JSON line a workload");
  b.common.add_to(command);
}

}  // namespace fovea::tools
