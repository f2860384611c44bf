#include <filesystem>

#include "fovea/core/npz.h"
#include "fovea/core/tape.h"
#include "fovea/ops/attention.h"
#include "fovea/ops/bce.h"
#include "fovea/ops/cosine_similarity.h"
#include "fovea/ops/create.h"
#include "fovea/ops/cross_entropy.h"
#include "fovea/ops/gru_cell.h"
#include "fovea/ops/layer_norm.h"
#include "fovea/ops/linear_cross_entropy.h"
#include "fovea/ops/lstm_cell.h"
#include "fovea/ops/regression_loss.h"
#include "fovea/ops/rms_norm.h"
#include "fovea/ops/rnn_cell.h"
#include "fovea/ops/softmax.h"
#include "tests/rows.h"
#include "tests/test_dir.h"

// Values and gradients against PyTorch's. tests/golden/ops.py makes the file and says what its entries are.

namespace fovea::tests {
namespace {

const NpzFile& file() {
  static const NpzFile npz(test_dir() / "golden" / "ops.npz");
  return npz;
}

Tensor entry(const std::string& name) { return file().get(name); }

using Outputs = std::vector<Tensor>;

// Runs f on the named inputs of a case and compares what it gives and the gradients of all inputs.
void compare(const std::string& name, const std::vector<std::string>& inputs,
             const std::function<Outputs(const Inputs&)>& f) {
  INFO(name);
  Tape tape;
  Inputs x;
  for (const std::string& i : inputs) x.push_back(tape.watch(entry(name + "." + i)));
  const Outputs y = f(x);
  // sum(out dout) over all outputs, as one step
  Tensor objective = zeros({}, DType::f64);
  Inputs seeds;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::string suffix = i == 0 ? "" : std::to_string(i + 1);
    CHECK(difference(y[i], entry(name + ".out" + suffix)) < 1e-12);
    seeds.push_back(entry(name + ".dout" + suffix));
  }
  record("objective", std::span<const Tensor>(y), {objective}, [seeds](Backward& b) {
    for (std::size_t i = 0; i < seeds.size(); ++i) b.add(static_cast<int>(i), seeds[i]);
  });
  tape.backward(objective);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    INFO("gradient of ", inputs[i]);
    CHECK(difference(tape.gradient(x[i]), entry(name + ".d." + inputs[i])) < 1e-12);
  }
}

const std::pair<Reduction, std::string> reductions[] = {
    {Reduction::mean, "mean"}, {Reduction::sum, "sum"}, {Reduction::none, "none"}};

TEST_CASE("golden: element losses") {
  for (const auto& [r, name] : reductions) {
    compare("mse_" + name, {"x", "y"}, [r = r](const Inputs& x) { return Outputs{mse_loss(x[0], x[1], r)}; });
    compare("l1_" + name, {"x", "y"}, [r = r](const Inputs& x) { return Outputs{l1_loss(x[0], x[1], r)}; });
    compare("huber_" + name, {"x", "y"},
            [r = r](const Inputs& x) { return Outputs{huber_loss(x[0], x[1], 0.6, r)}; });
    compare("bce_" + name, {"x", "y"},
            [r = r](const Inputs& x) { return Outputs{bce_with_logits(x[0], x[1], r)}; });
    const Tensor weight = entry("bce_weight_" + name + ".weight");
    compare("bce_weight_" + name, {"x", "y"},
            [&, r = r](const Inputs& x) { return Outputs{bce_with_logits(x[0], x[1], r, weight)}; });
  }
}

TEST_CASE("golden: cross-entropy") {
  for (const auto& [r, reduction] : reductions)
    for (bool smooth : {false, true})
      for (bool weighted : {false, true}) {
        const std::string name =
            "ce_" + reduction + (smooth ? "_smooth" : "_hard") + (weighted ? "_weighted" : "_plain");
        CrossEntropyOptions o{.label_smoothing = smooth ? 0.1 : 0, .reduction = r};
        if (weighted) o.class_weights = entry(name + ".weights");
        const Tensor classes = entry(name + ".classes");
        compare(name, {"x"},
                [&](const Inputs& x) { return Outputs{softmax_cross_entropy(x[0], classes, o)}; });
      }
}

TEST_CASE("golden: softmax, layer norm, cosine") {
  compare("softmax_last", {"x"}, [](const Inputs& x) { return Outputs{softmax(x[0])}; });
  compare("softmax_middle", {"x"}, [](const Inputs& x) { return Outputs{softmax(x[0], 1)}; });
  compare("log_softmax_last", {"x"}, [](const Inputs& x) { return Outputs{log_softmax(x[0])}; });
  compare("log_softmax_first", {"x"}, [](const Inputs& x) { return Outputs{log_softmax(x[0], 0)}; });
  compare("layer_norm", {"x", "weight", "bias"},
          [](const Inputs& x) { return Outputs{layer_norm(x[0], x[1], x[2])}; });
  compare("cosine_similarity", {"u", "v"},
          [](const Inputs& x) { return Outputs{cosine_similarity(x[0], x[1])}; });
}

TEST_CASE("golden: attention, rms norm, the last layer with its loss") {
  const auto attend = [](const AttentionOptions& o) {
    return [o](const Inputs& x) { return Outputs{scaled_dot_product_attention(x[0], x[1], x[2], o)}; };
  };
  compare("attention", {"q", "k", "v"}, attend({}));
  compare("attention_causal", {"q", "k", "v"}, attend({.causal = true}));
  compare("attention_mask", {"q", "k", "v"}, attend({.keep_mask = entry("attention_mask.keep")}));
  compare("attention_grouped", {"q", "k", "v"}, attend({}));
  compare("attention_bias", {"q", "k", "v", "bias"}, [](const Inputs& x) {
    return Outputs{scaled_dot_product_attention(x[0], x[1], x[2], {.bias = x[3], .scale = 0.4})};
  });
  compare("rms_norm", {"x", "weight"}, [](const Inputs& x) { return Outputs{rms_norm(x[0], x[1], 1e-5)}; });
  compare("linear_ce", {"x", "weight", "bias"}, [](const Inputs& x) {
    return Outputs{
        linear_cross_entropy(x[0], x[1], x[2], entry("linear_ce.classes"), {.label_smoothing = 0.1})};
  });
}

TEST_CASE("golden: recurrent cells") {
  const std::vector<std::string> names{"x", "h", "w_ih", "w_hh", "b_ih", "b_hh"};
  compare("gru", names,
          [](const Inputs& x) { return Outputs{gru_cell(x[0], x[1], x[2], x[3], x[4], x[5])}; });
  compare("rnn_tanh", names,
          [](const Inputs& x) { return Outputs{rnn_cell(x[0], x[1], x[2], x[3], x[4], x[5])}; });
  compare("rnn_relu", names, [](const Inputs& x) {
    return Outputs{rnn_cell(x[0], x[1], x[2], x[3], x[4], x[5], RnnActivation::relu)};
  });
  compare("lstm", {"x", "h", "c", "w_ih", "w_hh", "b_ih", "b_hh"}, [](const Inputs& x) {
    const LstmState s = lstm_cell(x[0], {x[1], x[2]}, x[3], x[4], x[5], x[6]);
    return Outputs{s.h, s.c};
  });
}

}  // namespace
}  // namespace fovea::tests
