#include "tools/figures/ticks.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace fovea::tools {
namespace {

// A number with a fixed count of decimals, commas between thousands and a real minus sign.
std::string fixed_label(double value, int decimals) {
  char digits[400];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, std::abs(value), std::chars_format::fixed, decimals);
  std::string text(digits, end.ptr);
  const std::size_t point = std::min(text.find('.'), text.size());
  for (std::size_t i = point; i > 3; i -= 3) text.insert(i - 3, ",");
  const bool zero = text.find_first_not_of("0.,") == std::string::npos;
  return value < 0 && !zero ? "\u2212" + text : text;
}

std::string power_label(double mantissa, int exponent) {
  if (exponent >= -4 && exponent <= 5) {
    return fixed_label(mantissa * std::pow(10.0, exponent), std::max(0, -exponent));
  }
  static constexpr const char* superscript[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = mantissa == 1 ? "10" : fixed_label(mantissa, 0) + "·10";
  if (exponent < 0) text += "⁻";
  for (const char digit : std::to_string(std::abs(exponent))) text += superscript[digit - '0'];
  return text;
}

std::string scientific_label(double value) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 4);
  return {digits, end.ptr};
}

}  // namespace

std::vector<Tick> linear_ticks(double low, double high, int count, double unit) {
  low /= unit;
  high /= unit;
  if (!(high > low) || !std::isfinite(high - low)) return {};
  const double rough = (high - low) / std::max(count, 1);
  int exponent = static_cast<int>(std::floor(std::log10(rough)));
  const double lead = rough / std::pow(10.0, exponent);
  double round = lead <= 1.05 ? 1 : lead <= 2.1 ? 2 : lead <= 2.6 ? 2.5 : lead <= 5.25 ? 5 : 10;
  const double step = round * std::pow(10.0, exponent);
  int decimals = std::max(0, -exponent + (round == 2.5 ? 1 : 0));
  if (round == 10) decimals = std::max(0, -exponent - 1);
  const bool scientific = decimals > 6 || std::max(std::abs(low), std::abs(high)) >= 1e9;

  std::vector<Tick> ticks;
  const double slack = 1e-9 * (high - low);
  const double first = std::ceil((low - slack) / step);
  for (double i = first; i * step <= high + slack && ticks.size() < 100; ++i) {
    const double value = i * step;
    ticks.push_back({value * unit, scientific ? scientific_label(value) : fixed_label(value, decimals)});
  }
  return ticks;
}

std::vector<Tick> whole_ticks(int first, int count, int most) {
  for (int power = 1;; power *= 10)
    for (const int lead : {1, 2, 5}) {
      const int step = lead * power;
      std::vector<Tick> ticks;
      for (int i = 0; i < count; ++i)
        if ((first + i) % step == 0) ticks.push_back({double(first + i), fixed_label(first + i, 0)});
      if (ticks.empty() && count > 0) return {{double(first), fixed_label(first, 0)}};
      if (static_cast<int>(ticks.size()) <= std::max(most, 1)) return ticks;
    }
}

std::vector<Tick> log_ticks(double low, double high, int count) {
  const int first = static_cast<int>(std::floor(std::log10(low))),
            last = static_cast<int>(std::ceil(std::log10(high)));
  const auto collect = [&](std::initializer_list<double> mantissas, int every) {
    std::vector<Tick> ticks;
    for (int e = first; e <= last; ++e) {
      if (e % every != 0) continue;
      for (const double m : mantissas) {
        const double value = m * std::pow(10.0, e);
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9))
          ticks.push_back({value, power_label(m, e)});
      }
    }
    return ticks;
  };
  const double decades = std::log10(high / low);
  if (decades < 1) {  // the ticks of a linear axis are still the readable ones
    auto ticks = linear_ticks(low, high, count);
    std::erase_if(ticks, [](const Tick& t) { return t.at <= 0; });
    return ticks;
  }
  if (decades * 3 <= count + 1) return collect({1, 2, 5}, 1);
  return collect({1}, std::max(1, static_cast<int>(std::ceil(decades / count))));
}

}  // namespace fovea::tools
