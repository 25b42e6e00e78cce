// Corrections of a picture's pose, in coordinates that suit descent.
//
// A camera moves by τ and turns about its centre by ω (axis times radians, in the field's frame).
// Of a thing in the middle of the pictures both show as nearly the same shift, and what tells them
// apart shows faintly: descent by τ and ω creeps. So a correction is z with (τ, ω) = L⁻ᵀ z, where
// L Lᵀ is the mean square motion in the picture by τ and ω of points in the box: a step of one
// length moves the picture by one length whatever its direction (Park et al. 2023, "CamP").
//
// The pictures alone do not say where the scene stands: all cameras and the field may move, turn
// and grow together. Settle() takes that part, as it is in the mean over the pictures, out of all
// corrections, so that the field stays in the frame of the poses that were given.
#pragma once

#include "native/base/arena.h"
#include "native/nerf/space.h"

namespace daf::nerf {

// τ, then ω.
using PoseVector = double[6];

class PoseSpace {
 public:
  // Errors: kMemory.
  Status Reserve(size_t pictures, Arena* arena);
  // Of the i-th picture, as it was given.
  void Set(size_t i, const Camera& camera, const Box& box);
  // After the last Set.
  void Close();

  size_t size() const { return count_; }
  // z → (τ, ω).
  void Correction(size_t i, const float z[6], PoseVector out) const;
  // A derivative by what a further small motion of the corrected camera, τ and then ω, would be →
  // by z. `correction` is the one in use.
  void Derivative(size_t i, const PoseVector correction, const PoseVector by_motion,
                  PoseVector by_z) const;
  // z [size()][6].
  void Settle(float* z) const;

 private:
  static constexpr int kCommon = 7;  // turns, shifts and growth of everything at once
  struct Picture {
    double lower[6][6];         // L
    double common[6][kCommon];  // z of everything moving as one
  };
  size_t count_ = 0;
  Picture* pictures_ = nullptr;
  double normal_[kCommon][kCommon] = {};  // Cholesky factor of Σ commonᵀ common
};

// The camera moved by the first three and turned about its centre by the others.
Camera Corrected(const Camera& camera, const PoseVector correction);

}  // namespace daf::nerf
