// Positions of the skin's vertices for given measures: the template wrapped onto the field, and
// lids, lips and ears built ring by ring.
#pragma once

#include <vector>

#include "native/head/model/head_field.h"
#include "native/head/model/template.h"

namespace daf::head {

class SkinWrap {
 public:
  // Wraps the template onto the field of `mean`: projection and relaxation in turn. Symmetric to
  // the last bit.
  SkinWrap(const SkinTemplate& skin, const HeadMeasures& mean);
  const std::vector<Vec3>& mean() const { return mean_; }
  // Skin of other measures near the mean, first order: every vertex of the surface moves along its
  // normal by what the field changed there; lids, lips and ears are built anew on it.
  std::vector<Vec3> At(const HeadMeasures& measures) const;

  // Centre of the subject's left eyeball.
  static Vec3 EyeCenter(const HeadMeasures& m) { return {m.eye_x, 0, m.eye_depth}; }

 private:
  void BuildLids(const HeadMeasures& m, const Sdf& field, bool first, std::vector<Vec3>* p) const;
  void BuildLips(const HeadMeasures& m, const Sdf& field, std::vector<Vec3>* p) const;
  void BuildEars(const HeadMeasures& m, const Sdf& field, std::vector<Vec3>* p) const;
  void MirrorLeft(std::vector<Vec3>* p) const;
  void Relax(const Sdf& field, std::vector<Vec3>* p) const;

  const SkinTemplate& skin_;
  std::vector<bool> on_surface_;  // moved by the field; the rest is built
  std::vector<bool> pinned_;      // not relaxed
  std::vector<Vec3> mean_, normal_;
  std::vector<double> slope_, value_;
};

// Radius and rim of the eyeballs, cm.
constexpr double kEyeRadius = 1.2;

}  // namespace daf::head
