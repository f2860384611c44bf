#include <iostream>

#include "fovea/models/text/word_tokenizer.h"

int main() {
  const std::string tokens =
      fovea::join_words(fovea::WordTokenizer({.language = "de"})("Ein MÄDCHEN, das schläft."));
  std::cout << tokens << "\n";
  return tokens == "ein mädchen , das schläft ." ? 0 : 1;
}
