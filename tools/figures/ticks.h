#ifndef FOVEA_TOOLS_FIGURES_TICKS_H_
#define FOVEA_TOOLS_FIGURES_TICKS_H_

#include <string>
#include <vector>

namespace fovea::tools {

/// A mark on an axis.
struct Tick {
  double at = 0;
  std::string label;
};

/// Round values (1, 2, 2.5, 5 times a power of ten) within [low, high], about `count` of them. Labels show
/// value / unit, with thousands separated by commas: with unit = 1000, 20000 is labelled "20".
std::vector<Tick> linear_ticks(double low, double high, int count, double unit = 1);

/// At most `most` of the whole numbers first, first + 1, ..., first + count - 1: multiples of 1, 2 or 5 times
/// a power of ten; the first where there is none.
std::vector<Tick> whole_ticks(int first, int count, int most);

/// Ticks for a logarithmic axis over [low, high], both positive: powers of ten, with 2 and 5 times them where
/// the range is short, at most about `count`.
std::vector<Tick> log_ticks(double low, double high, int count);

}  // namespace fovea::tools

#endif
