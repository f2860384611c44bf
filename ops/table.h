#ifndef FOVEA_OPS_TABLE_H_
#define FOVEA_OPS_TABLE_H_

#include <functional>
#include <string>

#include "fovea/core/tensor.h"

namespace fovea {

/// The constant tensor of a name, a type and a device. `make` makes it on the host when it is first asked
/// for; from then on it lies on the device to the end of the process, where a captured step may read it. The
/// name must say everything that it depends on. Any thread may ask; nobody may change what is returned. The
/// first 256 are kept, and none of more than 4 MiB: others are made anew every time.
Tensor table(const std::string& name, DType dtype, const Device& device, const std::function<Tensor()>& make);

}  // namespace fovea

#endif  // FOVEA_OPS_TABLE_H_
