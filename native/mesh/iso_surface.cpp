#include "native/mesh/iso_surface.h"

#include <algorithm>
#include <utility>

#include "native/mesh/tetrahedra.h"

namespace daf::mesh {
namespace {

class DenseExtractor {
 public:
  DenseExtractor(const IsoGrid& grid, Mesh* out)
      : grid_(grid), side_(grid.side()), out_(*out), mesher_(grid, out) {
    for (auto& slice : values_) slice.resize(side_ * side_);
    points_.resize(side_ * side_ * 3);
  }

  Status Run(const Sampler& sampler, const TaskControl& control) {
    for (size_t z = 0; z < side_; ++z) {
      DAF_RETURN_IF_ERROR(control.Check());
      std::swap(values_[0], values_[1]);
      DAF_RETURN_IF_ERROR(SampleSlice(sampler, z));
      if (z == 0) continue;
      DAF_RETURN_IF_ERROR(MakeRoom());
      mesher_.NextLayer();
      for (size_t y = 0; y + 1 < side_; ++y) {
        for (size_t x = 0; x + 1 < side_; ++x) Cell(x, y, z - 1);
      }
      control.Progress(static_cast<int32_t>(z), static_cast<int32_t>(side_ - 1));
    }
    return Status::Ok();
  }

 private:
  Status SampleSlice(const Sampler& sampler, size_t z) {
    std::vector<float>& values = values_[1];
    std::fill(values.begin(), values.end(), grid_.Outside());
    if (z == 0 || z + 1 == side_ || side_ < 3) return Status::Ok();
    const size_t inner = side_ - 2;
    for (size_t i = 0; i < inner * inner; ++i) {
      points_[3 * i] = grid_.Coordinate(0, 1 + i % inner);
      points_[3 * i + 1] = grid_.Coordinate(1, 1 + i / inner);
      points_[3 * i + 2] = grid_.Coordinate(2, z);
    }
    asked_.resize(inner * inner);
    DAF_RETURN_IF_ERROR(sampler(points_.data(), asked_.size(), asked_.data()));
    DAF_RETURN_IF_ERROR(CheckFinite(asked_.data(), asked_.size()));
    for (size_t y = 0; y < inner; ++y)
      std::copy_n(&asked_[y * inner], inner, &values[(y + 1) * side_ + 1]);
    return Status::Ok();
  }

  // For the most that one layer of cells can add: seven edges a grid point, twelve triangles a
  // cell.
  Status MakeRoom() {
    const size_t layer = side_ * side_;
    const size_t vertices = out_.positions.size() + 7 * layer,
                 triangles = out_.triangles.size() + 12 * layer;
    if (vertices <= out_.positions.capacity() && triangles <= out_.triangles.capacity())
      return Status::Ok();
    return out_.Reserve(vertices + vertices / 2, triangles + triangles / 2);
  }

  void Cell(size_t x, size_t y, size_t z) {
    float corner[8];
    for (size_t c = 0; c < 8; ++c)
      corner[c] = values_[c >> 2][(y + ((c >> 1) & 1)) * side_ + x + (c & 1)];
    mesher_.Cell(x, y, z, corner);
  }

  const IsoGrid& grid_;
  const size_t side_;
  Mesh& out_;
  TetrahedraMesher mesher_;
  std::vector<float> values_[2];  // slice z − 1 and slice z
  std::vector<float> points_, asked_;
};

}  // namespace

Status ExtractIsoSurface(const IsoGrid& grid, const Sampler& sampler, const TaskControl& control,
                         Mesh* out) {
  out->positions.clear();
  out->triangles.clear();
  DAF_RETURN_IF_ERROR(grid.Check());
  return DenseExtractor(grid, out).Run(sampler, control);
}

}  // namespace daf::mesh
