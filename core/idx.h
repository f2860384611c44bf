#ifndef FOVEA_CORE_IDX_H_
#define FOVEA_CORE_IDX_H_

#include <filesystem>

#include "fovea/core/tensor.h"

namespace fovea {

/// Reads a file in MNIST's format, gzipped or not, to a tensor of u8, i32, f32 or f64:
///
///     0 | 0 | type (8: u8, 12: i32, 13: f32, 14: f64) | D | D sizes as big-endian u32 | elements, big-endian
///
/// The file must hold exactly the elements that its sizes announce. Every error is Error and names file,
/// field and offset; in a gzipped file offsets count in what it inflates to.
Tensor load_idx(const std::filesystem::path& path);

}  // namespace fovea

#endif  // FOVEA_CORE_IDX_H_
