#include "fovea/models/data/dates.h"

#include <chrono>
#include <string>

#include "fovea/core/error.h"

namespace fovea {
namespace {

constexpr const char* months[] = {"january", "february", "march",     "april",   "may",      "june",
                                  "july",    "august",   "september", "october", "november", "december"};
constexpr const char* below_20[] = {"zero",    "one",     "two",       "three",    "four",
                                    "five",    "six",     "seven",     "eight",    "nine",
                                    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr const char* tens[] = {"",      "",      "twenty",  "thirty", "forty",
                                "fifty", "sixty", "seventy", "eighty", "ninety"};
constexpr const char* ordinals[] = {"zeroth",    "first",     "second",      "third",      "fourth",
                                    "fifth",     "sixth",     "seventh",     "eighth",     "ninth",
                                    "tenth",     "eleventh",  "twelfth",     "thirteenth", "fourteenth",
                                    "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"};

/// 1 to 99.
std::string number(unsigned n) {
  if (n < 20) return below_20[n];
  return n % 10 == 0 ? tens[n / 10] : cat(tens[n / 10], "-", below_20[n % 10]);
}

/// 1 to 31.
std::string ordinal(unsigned n) {
  if (n < 20) return ordinals[n];
  if (n % 10 == 0) return n == 20 ? "twentieth" : "thirtieth";
  return cat(tens[n / 10], "-", ordinals[n % 10]);
}

/// 1800 to 2099.
std::string year_in_words(unsigned year) {
  const unsigned rest = year % 100;
  if (year / 100 == 20 && rest < 10) return rest == 0 ? "two thousand" : cat("two thousand ", number(rest));
  const std::string century = number(year / 100);
  return rest == 0 ? century + " hundred" : cat(century, rest < 10 ? " oh " : " ", number(rest));
}

std::string digits(unsigned n, bool two = false) { return cat(two && n < 10 ? "0" : "", n); }

std::string spaced(const std::string& text) {
  std::string out;
  for (const char c : text) out += out.empty() ? std::string{c} : std::string{' ', c};
  return out;
}

std::string in_figures(unsigned year, unsigned month, unsigned day, unsigned notation) {
  if (notation == 0) return cat(digits(year), "-", digits(month, true), "-", digits(day, true));
  if (notation == 1) return cat(digits(month, true), "/", digits(day, true), "/", digits(year));
  return cat(digits(day), ".", digits(month), ".", digits(year));
}

}  // namespace

ParallelText dates(std::size_t count, Split split, const Generator& random) {
  using namespace std::chrono;
  const sys_days first = year{1800} / 1 / 1, last = year{2100} / 1 / 1;
  const auto groups = static_cast<std::uint32_t>((last - first).count() / 10);
  ParallelText out;
  for (std::size_t i = 0; i < count; ++i) {
    Generator own = random.fork(i);
    const unsigned place = split == Split::validation ? 8 : split == Split::test ? 9 : own.below(8);
    const year_month_day date = first + days{10 * own.below(groups) + place};
    const auto y = static_cast<unsigned>(static_cast<int>(date.year()));
    const auto m = static_cast<unsigned>(date.month()), d = static_cast<unsigned>(date.day());
    out.source.push_back(spaced(in_figures(y, m, d, own.below(3))));
    out.target.push_back(cat(months[m - 1], " the ", ordinal(d), " , ", year_in_words(y)));
  }
  return out;
}

}  // namespace fovea
