#ifndef FOVEA_TESTS_GOLDEN_H_
#define FOVEA_TESTS_GOLDEN_H_

#include <functional>
#include <string>
#include <vector>

#include "fovea/core/npz.h"
#include "fovea/core/tape.h"
#include "fovea/models/layers/module.h"
#include "fovea/ops/create.h"
#include "fovea/ops/pointwise.h"
#include "fovea/ops/reduce.h"
#include "tests/rows.h"
#include "tests/test_dir.h"

namespace fovea::tests {

/// A file of tests/golden/.
inline NpzFile golden(const std::string& name) { return NpzFile(test_dir() / "golden" / name); }

/// Checks a layer against a case of a file that tests/golden/layers.py wrote. The layer, in f64, gets the
/// case's parameters; outputs, and the gradients of parameters and inputs, must agree to 1e-9.
inline void check_layer(const NpzFile& file, const std::string& name,
                        const std::vector<NamedParameter>& parameters,
                        const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& forward) {
  INFO(name);
  std::size_t count = 0;
  for (const std::string& member : file.names()) count += member.rfind(name + "/p/", 0) == 0;
  CHECK(parameters.size() == count);  // no parameter goes by a name of its own
  for (const auto& [parameter, p] : parameters) assign(p, file.get(cat(name, "/p/", parameter)));

  Tape tape;
  std::vector<Tensor> inputs;
  for (int i = 0; file.contains(cat(name, "/x", i)); ++i) {
    const Tensor x = file.get(cat(name, "/x", i));
    inputs.push_back(is_float(x.dtype()) ? tape.watch(x) : x);
  }
  const std::vector<Tensor> outputs = forward(inputs);
  Tensor objective = zeros({}, DType::f64);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor want = file.get(cat(name, "/y", i));
    CHECK_MESSAGE(difference(outputs[i].detach(), want) <= 1e-9, cat(name, ": output ", i));
    objective = objective + sum(outputs[i] * file.get(cat(name, "/s", i)));
  }
  CHECK(!file.contains(cat(name, "/y", outputs.size())));
  tape.backward(objective);
  for (const auto& [parameter, p] : parameters)
    CHECK_MESSAGE(difference(p.grad(), file.get(cat(name, "/g/", parameter))) <= 1e-9,
                  cat(name, ": gradient of ", parameter));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (file.contains(cat(name, "/dx", i)))
      CHECK_MESSAGE(difference(tape.gradient(inputs[i]), file.get(cat(name, "/dx", i))) <= 1e-9,
                    cat(name, ": gradient of input ", i));
}

}  // namespace fovea::tests

#endif  // FOVEA_TESTS_GOLDEN_H_
