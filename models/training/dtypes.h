#ifndef FOVEA_MODELS_TRAINING_DTYPES_H_
#define FOVEA_MODELS_TRAINING_DTYPES_H_

#include "fovea/core/dtype.h"
#include "fovea/models/training/settings.h"

namespace fovea {

/// The types that a model can be trained in, for a setting `dtype`: f64 shows what rounding does, at about
/// half the speed.
inline constexpr Choices<DType> dtypes = {{"f32", DType::f32}, {"f64", DType::f64}};

/// Of what a Transformer's layers hand on, for the same setting there: parameters, sums and updates stay f32.
inline constexpr Choices<DType> activation_dtypes = {{"f32", DType::f32}, {"bf16", DType::bf16}};

}  // namespace fovea

#endif  // FOVEA_MODELS_TRAINING_DTYPES_H_
