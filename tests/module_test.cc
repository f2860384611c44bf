#include "fovea/models/layers/module.h"

#include <filesystem>

#include "fovea/core/tape.h"
#include "fovea/models/layers/flat.h"
#include "fovea/models/layers/linear.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/models/training/optimizer.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "fovea/ops/views.h"
#include "tests/rows.h"

namespace fovea::tests {
namespace {

// Two layers, a buffer, and a third layer whose weight is the second's.
struct Net {
  Linear first, last;
  Parameter tied;
  std::vector<Linear> more;
  Tensor shift;

  explicit Net(unsigned seed, Index width = 3) {
    Generator random(seed);
    first = Linear({.in_features = 2, .out_features = width}, random);
    last = Linear({.in_features = width, .out_features = 2}, random);
    more.push_back(Linear({.in_features = 2, .out_features = 2, .bias = false}, random));
    tied = last.weight;
    shift = full({2}, seed);
  }
  Tensor forward(const Tensor& x) const {
    return linear(linear(tanh(first.forward(x)), tied, last.bias), more[0].weight) + shift;
  }
  void each(Visitor& v) {
    v("first", first);
    v("last", last);
    v("tied", tied);
    v("more", more);
    v.buffer("shift", shift);
  }
};

std::vector<std::string> names_of(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> out;
  for (const auto& t : tensors) out.push_back(t.name);
  return out;
}

struct TemporaryFile {
  std::filesystem::path path;
  explicit TemporaryFile(const char* name) : path(std::filesystem::temp_directory_path() / name) {}
  ~TemporaryFile() { std::filesystem::remove(path); }
};

TEST_CASE("module: names, tied parameters once") {
  Net net(1);
  CHECK(names_of(named_tensors(net)) == std::vector<std::string>{"first.weight", "first.bias", "last.weight",
                                                                 "last.bias", "more.0.weight", "shift"});
  CHECK(named_parameters(net).size() == 5);
  CHECK(parameter_count(net) == 6 + 3 + 6 + 2 + 4);
}

TEST_CASE("module: a name twice is refused") {
  struct Twice {
    Linear a, b;
    void each(Visitor& v) {
      v("a", a);
      v("a", b);
    }
  };
  Generator random(1);
  Twice twice{Linear({.in_features = 1, .out_features = 1}, random),
              Linear({.in_features = 1, .out_features = 1}, random)};
  check_throws([&] { named_parameters(twice); }, {"a.weight"});
}

TEST_CASE("module: weights go to a file and back, bit for bit") {
  const TemporaryFile file("fovea_module_test.safetensors");
  Net a(1), b(2);
  save_parameters(a, file.path);
  flatten(b);  // also into flat buffers
  CHECK(load_parameters(b, file.path).ok());
  const auto x = named_tensors(a), y = named_tensors(b);
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(difference(x[i].tensor, y[i].tensor) == 0);
  CHECK(b.tied.same(b.last.weight));
}

TEST_CASE("module: a tied parameter may come under any of its names") {
  Net a(1), b(2);
  auto tensors = named_tensors(a);
  tensors[2].name = "tied";
  CHECK(load_tensors(b, tensors).ok());
  CHECK(difference(a.tied, b.last.weight) == 0);
  tensors.push_back({"last.weight", a.last.weight});  // PyTorch's state_dict has both
  CHECK(load_tensors(b, tensors).ok());
}

TEST_CASE("module: what does not fit is listed, and nothing changes") {
  Net a(1), b(2, 4);
  auto tensors = named_tensors(a);
  tensors[0].name = "strange";
  const Tensor before = clone(b.more[0].weight);
  check_throws([&] { load_tensors(b, tensors, true, "the file"); },
               {"the file", "missing: first.weight", "unexpected: strange",
                "mismatched: first.bias: (4) f32 in the model, (3) f32 in the source; last.weight: (2,4)"});
  CHECK(difference(b.more[0].weight, before) == 0);
  const LoadReport report = load_tensors(b, tensors, false);
  CHECK(report.missing == std::vector<std::string>{"first.weight"});
  CHECK(report.unexpected == std::vector<std::string>{"strange"});
  CHECK(report.mismatched.size() == 2);
  CHECK(difference(b.more[0].weight, a.more[0].weight) == 0);
  check_throws([&] { load_parameters(b, "/nowhere/model.safetensors"); }, {"/nowhere/model.safetensors"});
}

TEST_CASE("module: weights of another float type are converted") {
  Net a(1), b(2);
  auto tensors = named_tensors(a);
  for (auto& t : tensors) t.tensor = cast(t.tensor, DType::f64);
  CHECK(load_tensors(b, tensors).ok());
  CHECK(difference(a.first.weight, b.first.weight) == 0);
  tensors[0].tensor = cast(tensors[0].tensor, DType::i32);
  check_throws([&] { load_tensors(b, tensors); }, {"first.weight: (3,2) f32 in the model, (3,2) i32"});
}

TEST_CASE("module: flat buffers hold values and gradients, and the model goes on") {
  Net net(1), same(1);
  const Tensor x = draw({5, 2}, DType::f32, -1, 1, 3);
  const FlatParameters flat = flatten(net);
  CHECK(flat.segments.size() == 5);
  CHECK(flat.segments[0].name == "first.weight");
  CHECK(flat.segments[3].group == FlatParameters::vectors);
  for (const auto& s : flat.segments) CHECK(s.offset % 16 == 0);
  CHECK(difference(net.forward(x), same.forward(x)) == 0);
  for (Net* n : {&net, &same}) {
    Tape tape;
    tape.backward(sum(n->forward(x)));
  }
  for (const auto& s : flat.segments) {
    const Tensor gradient = slice(flat.gradients, 0, s.offset, s.offset + s.length);
    CHECK(difference(reshape(gradient, s.parameter.shape()), s.parameter.grad()) == 0);
  }
  CHECK(difference(net.first.weight.grad(), same.first.weight.grad()) == 0);
  zero_gradients(net);
  CHECK(norm(flat.gradients).item() == 0);
}

TEST_CASE("module: buffers that are no longer the model's are refused") {
  Net net(1);
  Sgd stale(flatten(net), {.lr = 0.1});
  flatten(net);
  check_throws([&] { stale.step(); }, {"[step]", "flattened again"});
}

TEST_CASE("module: types cannot be mixed in one buffer") {
  struct Mixed {
    Parameter a{zeros({2})}, b{zeros({2}, DType::f64)};
    void each(Visitor& v) {
      v("a", a);
      v("b", b);
    }
  };
  Mixed mixed;
  check_throws([&] { flatten(mixed); }, {"[flatten]", "'b' is f64 and 'a' f32"});
}

TEST_CASE("module: frozen parameters stay as they are") {
  Net net(1);
  freeze(net.first);
  const Tensor w = clone(net.first.weight), last = clone(net.last.weight);
  Adam adam(flatten(net), {.lr = 0.1, .weight_decay = 0.1});
  for (int i = 0; i < 3; ++i) {
    Tape tape;
    tape.backward(sum(net.forward(draw({4, 2}, DType::f32, -1, 1, 7))));
    adam.step();
  }
  CHECK(difference(net.first.weight, w) == 0);
  CHECK(difference(net.last.weight, last) > 0);
  freeze(net.first, false);
  {
    Tape tape;
    tape.backward(sum(net.forward(draw({4, 2}, DType::f32, -1, 1, 7))));
  }
  adam.step();
  CHECK(difference(net.first.weight, w) > 0);
}

}  // namespace
}  // namespace fovea::tests
