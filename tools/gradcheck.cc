#include "tools/gradcheck.h"

#include <algorithm>
#include <cstdio>

#include "fovea/core/gradcheck.h"
#include "fovea/ops/bce.h"
#include "fovea/ops/cosine_similarity.h"
#include "fovea/ops/create.h"
#include "fovea/ops/layer_norm.h"
#include "fovea/ops/linear.h"
#include "fovea/ops/lstm_cell.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/ntm_addressing.h"
#include "fovea/ops/ntm_write.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/softmax.h"

namespace fovea::tools {
namespace {

using Inputs = std::vector<Tensor>;

// A choice of ops that shows how a check is written; the tests check every op on many shapes.
struct Check {
  const char* name;
  std::vector<Shape> shapes;
  std::function<Tensor(const Inputs&)> f;
};

const std::vector<Check>& checks() {
  static const std::vector<Check> all = {
      {"mul", {{3, 4}, {4}}, [](const Inputs& x) { return x[0] * x[1]; }},
      {"tanh", {{3, 4}}, [](const Inputs& x) { return tanh(x[0]); }},
      {"gelu", {{3, 4}}, [](const Inputs& x) { return gelu(x[0]); }},
      {"matmul", {{2, 3, 4}, {4, 5}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {"linear", {{5, 3}, {4, 3}, {4}}, [](const Inputs& x) { return linear(x[0], x[1], x[2]); }},
      {"softmax", {{3, 7}}, [](const Inputs& x) { return softmax(x[0]); }},
      {"layer_norm", {{3, 7}, {7}, {7}}, [](const Inputs& x) { return layer_norm(x[0], x[1], x[2]); }},
      {"bce_with_logits", {{3, 4}, {3, 4}}, [](const Inputs& x) { return bce_with_logits(x[0], x[1]); }},
      {"cosine_similarity", {{3, 4}, {3, 4}}, [](const Inputs& x) { return cosine_similarity(x[0], x[1]); }},
      {"lstm_cell",
       {{2, 3}, {2, 4}, {2, 4}, {16, 3}, {16, 4}, {16}, {16}},
       [](const Inputs& x) {
         return lstm_cell(x[0], {x[1], x[2]}, x[3], x[4], x[5], x[6]).h;
       }},
      {"ntm_addressing",
       {{2, 2, 10}, {2, 6, 4}, {2, 2, 6}},
       [](const Inputs& x) { return ntm_addressing(x[0], x[1], softmax(x[2])); }},
      {"ntm_write", {{2, 6, 4}, {2, 2, 6}, {2, 2, 4}, {2, 2, 4}}, [](const Inputs& x) {
         return ntm_write(x[0], x[1], x[2], x[3]);
       }}};
  return all;
}

struct Gradcheck {
  std::vector<std::string> wanted;
  std::uint64_t seed = 1;

  int operator()() const {
    Generator random(seed);
    int status = 0;
    for (const Check& c : checks()) {
      if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), c.name) == wanted.end()) continue;
      Inputs inputs;
      for (const Shape& s : c.shapes) inputs.push_back(rand_uniform(s, random, -1, 1, DType::f64));
      const GradcheckResult r = gradcheck(c.f, inputs);
      std::printf("%-18s %s  largest error %.1e\n", c.name, r.ok ? "ok  " : "FAIL", r.error);
      if (!r.ok) {
        std::printf("  %s\n", r.where.c_str());
        status = 1;
      }
    }
    return status;
  }
};

}  // namespace

void add_gradcheck(Commands& commands) {
  Command command = commands.root.add("gradcheck", "Check derivatives of ops against differences, in f64");
  Gradcheck& g = command.calls<Gradcheck>();
  std::vector<std::string> names;
  for (const Check& c : checks()) names.push_back(c.name);
  command.option("ops", g.wanted, "Which (default: all)").one_of(names);
  command.option("--seed", g.seed, "Seed of the inputs").with_default();
}

}  // namespace fovea::tools
