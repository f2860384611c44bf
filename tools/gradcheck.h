#ifndef FOVEA_TOOLS_GRADCHECK_H_
#define FOVEA_TOOLS_GRADCHECK_H_

#include "tools/commands.h"

namespace fovea::tools {

/// `fovea gradcheck`: the derivatives of ops against differences.
void add_gradcheck(Commands& commands);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_GRADCHECK_H_
