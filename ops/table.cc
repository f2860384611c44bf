#include "fovea/ops/table.h"

#include <map>
#include <mutex>

#include "fovea/core/error.h"
#include "fovea/core/tape.h"
#include "fovea/ops/create.h"

namespace fovea {

Tensor table(const std::string& name, DType dtype, const Device& device,
             const std::function<Tensor()>& make) {
  static std::mutex mutex;
  static auto* tables = new std::map<std::string, Tensor>;  // outlives every static tensor
  const std::string key = cat(name, " ", dtype, " ", device);
  std::lock_guard lock(mutex);
  Tensor& t = (*tables)[key];
  if (!t.defined()) {
    Pause no_tape;
    t = to(cast(make(), dtype), device);
  }
  return t;
}

}  // namespace fovea
