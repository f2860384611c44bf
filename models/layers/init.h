#ifndef FOVEA_MODELS_LAYERS_INIT_H_
#define FOVEA_MODELS_LAYERS_INIT_H_

#include "fovea/core/generator.h"
#include "fovea/core/tensor.h"

/// Initialisers: each fills a tensor (f32 or f64) in place. For the fans of a weight [O,I,...], fan_in = I
/// times the sizes after it and fan_out = O times these.

namespace fovea::init {

void constant(Tensor t, double value);
/// U(low, high).
void uniform(Tensor t, Generator& random, double low, double high);
/// N(mean, deviation^2).
void normal(Tensor t, Generator& random, double mean = 0, double deviation = 1);
/// N(mean, deviation^2), drawn again while outside mean +- cut * deviation.
void truncated_normal(Tensor t, Generator& random, double mean = 0, double deviation = 1, double cut = 2);

/// Glorot and Bengio 2010: U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)).
void xavier_uniform(Tensor weight, Generator& random, double gain = 1);
/// N(0, gain^2 2 / (fan_in + fan_out)).
void xavier_normal(Tensor weight, Generator& random, double gain = 1);

enum class Fan { in, out };
/// He et al. 2015, for a leaky ReLU of this slope (0: ReLU): U(-a, a), a = sqrt(6 / ((1 + slope^2) fan)).
void kaiming_uniform(Tensor weight, Generator& random, double slope = 0, Fan fan = Fan::in);
/// N(0, 2 / ((1 + slope^2) fan)).
void kaiming_normal(Tensor weight, Generator& random, double slope = 0, Fan fan = Fan::in);

/// Saxe et al. 2014: gain times a matrix [O, I...] with orthonormal rows (O <= I...) or columns.
void orthogonal(Tensor weight, Generator& random, double gain = 1);

/// fan_in and fan_out of a weight of rank >= 2.
struct Fans {
  double in, out;
};
Fans fans(const Tensor& weight);

}  // namespace fovea::init

#endif  // FOVEA_MODELS_LAYERS_INIT_H_
