#ifndef FOVEA_MODELS_DATA_TEXTS_H_
#define FOVEA_MODELS_DATA_TEXTS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "fovea/models/data/split.h"

/// Texts in one language. What comes from a data folder is filled in by `tools/get-data NAME --data-dir
/// FOLDER`; a file that is missing, damaged or no UTF-8 is an Error that names it and says how to get it.

namespace fovea {

/// The text that a language model learns from where there is no data folder: G. K. Chesterton, "The Man Who
/// Was Thursday" (1908), in the public domain; 319,478 ASCII characters of 73 kinds, about a sentence a line.
/// It is part of the library, gzipped to 119 kB.
std::string sample_text();

/// Parts of Shakespeare's plays, 1,115,394 characters of 65 kinds, from FOLDER/tinyshakespeare (Karpathy).
std::string load_tinyshakespeare(const std::filesystem::path& data_dir);

/// WikiText-2 (Merity et al. 2016), tokens between spaces, "<unk>" for rare words, from FOLDER/wikitext-2.
/// Validation and test only.
std::string load_wikitext2(const std::filesystem::path& data_dir, Split split);

/// The names of NLTK's selections from Project Gutenberg, such as "carroll-alice", sorted.
const std::vector<std::string>& gutenberg_texts();
/// One of them, 0.04 to 1.2 million characters of ASCII, about a sentence a line, punctuation standing apart,
/// from FOLDER/gutenberg.
std::string load_gutenberg(const std::filesystem::path& data_dir, const std::string& name);

}  // namespace fovea

#endif  // FOVEA_MODELS_DATA_TEXTS_H_
