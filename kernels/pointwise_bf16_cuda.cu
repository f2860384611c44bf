#include "fovea/kernels/pointwise_cuda.h"

template void fovea::pointwise::run_forward<fovea::bf16>(int, const Arguments&);
template void fovea::pointwise::run_backward<fovea::bf16>(int, const Arguments&);
