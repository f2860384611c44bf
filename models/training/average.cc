#include "fovea/models/training/average.h"

#include <utility>

#include "fovea/core/captured.h"
#include "fovea/kernels/optimizer.h"
#include "fovea/models/layers/weights_file.h"
#include "fovea/ops/create.h"

namespace fovea {

AverageWeights::AverageWeights(FlatParameters flat, double decay)
    : flat_(std::move(flat)), decay_(decay), average_(clone(flat_.values)) {
  require(decay >= 0 && decay <= equal, "AverageWeights", "decay is ", decay,
          "; it must be in [0, 1), or `equal`, which is 1, for a plain mean");
}

void AverageWeights::update() {
  flat_.check_current("AverageWeights");
  require(!swapped_, "AverageWeights", "the model has the averaged values; swap() back before update()");
  require(
      decay_ != equal || !detail::being_captured(average_.device()), "AverageWeights",
      "a plain mean counts its updates on the host, which a captured step does once; update() between the "
      "steps");
  average_.note_change();
  const auto n = static_cast<double>(count_++);
  const double decay = decay_ == equal ? n / (n + 1) : decay_;
  if (decay == 0)
    return assign(average_, flat_.values);  // nothing is left of what was there, not by rounding
  std::visit([&](auto d) { update_average(d, view_of(average_), view_of(flat_.values), decay); },
             average_.device());
}

void AverageWeights::swap() {
  flat_.check_current("AverageWeights");
  const Tensor values = clone(flat_.values);
  assign(flat_.values, average_);
  assign(average_, values);
  swapped_ = !swapped_;
}

std::vector<NamedTensor> AverageWeights::state() const {
  std::vector<NamedTensor> out;
  for (const auto& s : flat_.segments)
    out.push_back(
        {s.name, average_.view(s.parameter.shape(), row_major_strides(s.parameter.shape()), s.offset)});
  return out;
}

void AverageWeights::load_state(std::span<const NamedTensor> state) {
  detail::Parts parts;
  for (const NamedTensor& t : this->state()) parts.entries.push_back({t.name, t.tensor, false, {}});
  detail::load_tensors(parts, state, true, "the averages' state");
}

}  // namespace fovea
