#ifndef FOVEA_CORE_INTO_H_
#define FOVEA_CORE_INTO_H_

namespace fovea {

/// Whether a backward kernel overwrites its target (first contribution to a gradient) or adds to it (later
/// ones).
enum class Into { set, add };

}  // namespace fovea

#endif  // FOVEA_CORE_INTO_H_
