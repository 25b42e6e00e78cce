// The skin of a head as a signed distance field, by measurements that have names. Centimetres; the
// defaults are the mean of women and men in published anthropometry (L. G. Farkas, "Anthropometry
// of the Head and Face", 1994, and the international study of 2005): head 19.2 × 14.8,
// bizygomatic 13.4, face height 11.7, nose 5.1 × 3.3, mouth 5.2, …
#pragma once

#include "native/head/model/sdf.h"

namespace daf::head {

struct HeadMeasures {
  // Skull
  double head_half_width = 6.95, head_top = 11.1, head_back = -16.3;
  double forehead_slope = 0;  // cm that the hairline lies farther back
  double forehead_bulge = 0;
  double temple_depth = 0.30;  // hollow of the temples
  double brow_ridge = 0.11;
  double brow_height = 0;
  double occiput = 0;
  // Face
  double cheekbone = 0, cheekbone_width = 0, cheek_fullness = 0;
  double jaw_half_width = 0, jaw_height = 0, jaw_forward = 0;
  double chin_forward = 0, chin_width = 0, chin_height = 0, chin_cleft = 0;
  double muzzle = 0;  // protrusion of both jaws at the teeth
  double nasolabial = 0.06;
  double under_eye = 0.05;
  // Eyes
  double eye_x = 3.15, eye_depth = 0, lid_fullness = 0;
  // Nose
  double nose_bridge_width = 0, nose_bridge_height = 0, nose_hump = 0, nose_root = 0;
  double nose_tip_forward = 0, nose_tip_size = 0, nose_tip_up = 0, nose_wing_width = 0,
         nose_wing_size = 0, nose_length = 0;
  double philtrum = 0.07;
  // Mouth
  double mouth_y = -6.88, lip_forward = 0;
  double mouth_half_width = 2.55, lip_upper = 0.86, lip_lower = 0.94, lip_fullness = 0,
         cupid_bow = 0.13, mouth_corner = 0;
  // The opening between the lids
  double eye_inner = 1.47, eye_outer = 1.27, eye_upper = 0.49, eye_lower = 0.51, eye_tilt = 0.10;
  // Ears
  double ear_scale = 1, ear_protrusion = 0, ear_y = 0;
  // Neck
  double neck_half_width = 0, larynx = 0.10, double_chin = 0;
};

Sdf MakeHeadField(const HeadMeasures& m);

}  // namespace daf::head
