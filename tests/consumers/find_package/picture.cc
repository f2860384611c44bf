#include <iostream>

#include "fovea/models/images/read_image.h"

int main(int, char** argv) {
  const fovea::Tensor t = fovea::read_image(argv[1]);
  std::cout << "a picture of shape " << t.shape() << "\n";
  return t.shape() == fovea::Shape{3, 16, 24} ? 0 : 1;
}
