#include "fovea/ops/thin_plate_spline.h"

#include <cmath>
#include <vector>

#include "fovea/kernels/sampling_grid.h"
#include "fovea/ops/create.h"
#include "fovea/ops/matmul.h"
#include "fovea/ops/table.h"
#include "fovea/ops/views.h"

namespace fovea {
namespace {

constexpr auto op = "thin_plate_spline_grid";

struct Point {
  double x, y;
};

// All points of a grid, row by row.
std::vector<Point> grid_points(Index height, Index width, bool align_corners) {
  std::vector<Point> out;
  for (Index i = 0; i < height; ++i)
    for (Index j = 0; j < width; ++j)
      out.push_back(
          {target_point<double>(j, width, align_corners), target_point<double>(i, height, align_corners)});
  return out;
}

// The basis functions at p: U(|p - c_k|), then 1, x and y.
std::vector<double> basis(Point p, const std::vector<Point>& controls) {
  std::vector<double> out;
  for (const Point& c : controls) {
    const double square = (p.x - c.x) * (p.x - c.x) + (p.y - c.y) * (p.y - c.y);
    out.push_back(square > 0 ? square * std::log(square) : 0);
  }
  out.insert(out.end(), {1, p.x, p.y});
  return out;
}

using Rows = std::vector<std::vector<double>>;

// Turns rows (A | R) into (I | A^-1 R): Gauss and Jordan, with the largest pivot of the column.
void solve(Rows& rows) {
  for (std::size_t k = 0; k < rows.size(); ++k) {
    std::size_t pivot = k;
    for (std::size_t r = k + 1; r < rows.size(); ++r)
      if (std::abs(rows[r][k]) > std::abs(rows[pivot][k])) pivot = r;
    std::swap(rows[k], rows[pivot]);
    const double scale = 1 / rows[k][k];
    for (double& value : rows[k]) value *= scale;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const double factor = rows[r][k];
      if (r == k || factor == 0) continue;
      for (std::size_t c = k; c < rows[r].size(); ++c) rows[r][c] -= factor * rows[k][c];
    }
  }
}

// M. The coefficients s of a spline with values t at the controls solve L (s) = (t; 0), where L has the
// basis at every control as a row, and below it what makes the w_k orthogonal.
Tensor spline_matrix(Index n, const std::vector<Point>& points) {
  const std::vector<Point> controls = grid_points(n, n, true);
  const std::size_t k = controls.size(), size = k + 3;
  Rows rows(size, std::vector<double>(size + k));
  for (std::size_t i = 0; i < k; ++i) {
    const std::vector<double> b = basis(controls[i], controls);
    std::copy(b.begin(), b.end(), rows[i].begin());
    for (std::size_t j = k; j < size; ++j) rows[j][i] = b[j];
    rows[i][size + i] = 1;
  }
  solve(rows);
  std::vector<double> out;
  for (const Point& p : points) {
    const std::vector<double> b = basis(p, controls);
    std::vector<double> sums(k);
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < k; ++j) sums[j] += b[i] * rows[i][size + j];
    out.insert(out.end(), sums.begin(), sums.end());
  }
  return Tensor::from(out, {static_cast<Index>(points.size()), static_cast<Index>(k)});
}

}  // namespace

Tensor control_points(Index n, DType dtype) {
  require(n >= 2, "control_points", "n is ", n, "; a spline needs at least 2 x 2 points");
  std::vector<double> out;
  for (const Point& p : grid_points(n, n, true)) out.insert(out.end(), {p.x, p.y});
  return cast(Tensor::from(out, {2 * n * n}), dtype);
}

SamplingGrid thin_plate_spline_grid(const Tensor& theta, Index height, Index width, AlignCorners corners) {
  require(theta.rank() == 2, op, "theta must be [B,2K], got ", theta.shape());
  const Index batch = theta.shape()[0], count = theta.shape()[1] / 2;
  const Index n = std::lround(std::sqrt(static_cast<double>(count)));
  require(n >= 2 && 2 * n * n == theta.shape()[1], op, "theta ", theta.shape(),
          " does not hold (x,y) of n x n control points with n >= 2: 8, 18, 32, ... numbers");
  require(height >= 0 && width >= 0, op, "a grid of ", height, " x ", width, " points cannot be");
  require(theta.dtype() == DType::f32 || theta.dtype() == DType::f64, op, "takes f32 or f64, not ",
          theta.dtype());
  const bool to_corners = corners == AlignCorners::yes;
  const Tensor matrix = table(cat(op, n, " ", height, " ", width, to_corners), theta.dtype(), theta.device(),
                              [&] { return spline_matrix(n, grid_points(height, width, to_corners)); });
  return {reshape(matmul(matrix, reshape(theta, {batch, count, 2})), {batch, height, width, 2}), corners};
}

}  // namespace fovea
