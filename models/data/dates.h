#ifndef FOVEA_MODELS_DATA_DATES_H_
#define FOVEA_MODELS_DATA_DATES_H_

#include "fovea/core/generator.h"
#include "fovea/models/data/parallel_text.h"

namespace fovea {

/// A translation task that makes itself: dates in figures, and the same in English words.
///
///     1 9 8 4 - 0 3 - 2 1       march the twenty-first , nineteen eighty-four
///     0 7 / 0 4 / 1 9 0 6       july the fourth , nineteen oh six
///     9 . 1 1 . 2 0 0 0         november the ninth , two thousand
///
/// Years 1800 to 2099, in three notations of equal chance: year-month-day, month/day/year and day.month.year,
/// so that what a word depends on stands in another place each time. Tokens stand between spaces. Pair i
/// depends on the generator and i alone. A day belongs to one split only: of ten days in a row one is for
/// validation, one for test.
ParallelText dates(std::size_t count, Split split, const Generator& random);

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_DATES_H_
