#include "native/nerf/interior.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace daf::nerf {
namespace {

constexpr float kDark = 4.6f;  // optical depth that lets a hundredth through

// The i-th cell along an axis in the direction of travel.
size_t Nth(size_t i, size_t side, int step) { return step >= 0 ? i : side - 1 - i; }

}  // namespace

Status Interior::Find(Model* model, const TaskControl& control, uint64_t* queries) {
  if (model->box().unbounded) return Status::Ok();
  side_ = model->occupancy().resolution();
  const size_t cells = side_ * side_ * side_;
  DAF_RETURN_IF_ERROR(arena_.Allocate(cells, &lit_));
  DAF_RETURN_IF_ERROR(arena_.Allocate(cells, &depth_));
  for (auto& slice : before_) DAF_RETURN_IF_ERROR(arena_.Allocate(side_ * side_, &slice));
  std::fill_n(lit_, cells, uint8_t{0});
  DAF_RETURN_IF_ERROR(Depths(model, control, queries));
  for (int dz = -1; dz <= 1; ++dz) {
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) {
        if (dx == 0 && dy == 0 && dz == 0) continue;
        DAF_RETURN_IF_ERROR(control.Check());
        LetIn(dx, dy, dz);
      }
    }
  }
  return Status::Ok();
}

Status Interior::Depths(Model* model, const TaskControl& control, uint64_t* queries) {
  const Box& box = model->box();
  const float cell_side =
      (box.side(0) + box.side(1) + box.side(2)) / (3 * static_cast<float>(side_));  // their mean
  std::vector<float> points, density;
  std::vector<size_t> targets;
  const auto flush = [&] {
    density.resize(targets.size());
    DAF_RETURN_IF_ERROR(
        model->Evaluate(points.data(), nullptr, targets.size(), density.data(), nullptr, control));
    for (size_t i = 0; i < targets.size(); ++i) depth_[targets[i]] = density[i] * cell_side;
    *queries += targets.size();
    points.clear();
    targets.clear();
    return Status::Ok();
  };
  for (size_t cell = 0; cell < side_ * side_ * side_; ++cell) {
    const size_t at[3] = {cell % side_, cell / side_ % side_, cell / side_ / side_};
    depth_[cell] = 0;
    if (!model->occupancy().Occupied(static_cast<uint32_t>(at[0]), static_cast<uint32_t>(at[1]),
                                     static_cast<uint32_t>(at[2])))
      continue;
    for (int a = 0; a < 3; ++a) {
      const float unit = (static_cast<float>(at[a]) + 0.5f) / static_cast<float>(side_);
      points.push_back(box.min[a] + unit * box.side(a));
    }
    targets.push_back(cell);
    if (targets.size() == kPassSamples) DAF_RETURN_IF_ERROR(flush());
  }
  return flush();
}

void Interior::LetIn(int dx, int dy, int dz) {
  const float length = std::sqrt(static_cast<float>(dx * dx + dy * dy + dz * dz));
  for (size_t k = 0; k < side_; ++k) {
    const size_t z = Nth(k, side_, dz);
    std::swap(before_[0], before_[1]);
    for (size_t j = 0; j < side_; ++j) {
      const size_t y = Nth(j, side_, dy);
      for (size_t i = 0; i < side_; ++i) {
        const size_t x = Nth(i, side_, dx);
        const bool enters = (dx != 0 && i == 0) || (dy != 0 && j == 0) || (dz != 0 && k == 0);
        float before = 0;
        if (!enters) {
          const size_t from_x = x - static_cast<size_t>(dx), from_y = y - static_cast<size_t>(dy),
                       from_z = z - static_cast<size_t>(dz);
          before = before_[dz == 0 ? 1 : 0][from_y * side_ + from_x] +
                   length * depth_[Index(from_x, from_y, from_z)];
        }
        before_[1][y * side_ + x] = before;
        if (before < kDark) lit_[Index(x, y, z)] = 1;
      }
    }
  }
}

bool Interior::Contains(const float unit[3]) const {
  if (side_ == 0) return false;
  size_t cell[3];
  for (int a = 0; a < 3; ++a)
    cell[a] = std::min(static_cast<size_t>(unit[a] * static_cast<float>(side_)), side_ - 1);
  return lit_[Index(cell[0], cell[1], cell[2])] == 0;
}

double Interior::Fraction() const {
  const size_t cells = side_ * side_ * side_;
  return cells == 0
             ? 0
             : static_cast<double>(std::count(lit_, lit_ + cells, 0)) / static_cast<double>(cells);
}

}  // namespace daf::nerf
