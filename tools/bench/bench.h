#ifndef FOVEA_TOOLS_BENCH_BENCH_H_
#define FOVEA_TOOLS_BENCH_BENCH_H_

#include "tools/commands.h"

namespace fovea::tools {

/// `fovea bench`: one benchmark harness for everything.
void add_bench(Commands& commands);

}  // namespace fovea::tools

#endif  // FOVEA_TOOLS_BENCH_BENCH_H_
