#include "native/head/model/head_field.h"

namespace daf::head {
namespace {

void AddSkull(const HeadMeasures& m, Sdf& f) {
  const double half_length = (2.55 - m.head_back) / 2, middle = (2.55 + m.head_back) / 2;
  const double height = (m.head_top + 4.6) / 2;
  f.Ellipsoid({0, m.head_top - height, middle - 0.1},
              {m.head_half_width, height, half_length - 0.15}, 1.0);
  // Parietal width sits behind the middle, the back of the head is fuller than an ellipsoid.
  f.Ellipsoid({1.9, 4.3, -9.3}, {m.head_half_width - 1.95, 5.6, 5.6}, 2.5);
  f.Ellipsoid({0, 2.6, m.head_back + 5.6 - m.occiput}, {5.4, 5.4, 5.5}, 2.0);
  f.Ellipsoid({2.1, -0.3, -7.2}, {m.head_half_width - 2.35, 4.6, 5.4},
              2.0);  // temporal bones, down to the ears
  // The forehead is broader and steeper than the front of an ellipsoid.
  f.Ellipsoid({1.55, 4.3 + 0.2 * m.forehead_bulge, -2.2 - 0.55 * m.forehead_slope},
              {4.1, 4.4, 4.35 + m.forehead_bulge}, 1.6, -6 - 5 * m.forehead_slope, 0, 0);
  f.Ellipsoid({0, 2.2 + m.brow_height, -2.4}, {4.9, 2.6, 4.6}, 1.5);
}

void AddFaceBlock(const HeadMeasures& m, Sdf& f) {
  f.Ellipsoid({0, -3.6, -3.6}, {5.3, 5.6, 5.35}, 1.8);  // maxilla
  const double jx = m.jaw_half_width, jy = m.jaw_height;
  f.RoundCone({3.75 + jx, -6.75 + jy, -5.0}, {1.6 + 0.3 * jx, -9.65, -0.05 + m.jaw_forward}, 1.15,
              1.3, 1.8);  // body of the jaw
  f.RoundCone({4.0 + jx, -6.5 + jy, -5.3}, {5.3 + 0.4 * jx, -2.2, -6.8}, 1.2, 1.15,
              1.6);                                                   // its ramus
  f.Ellipsoid({3.95 + 0.8 * jx, -4.4, -3.4}, {1.85, 3.4, 3.2}, 1.8);  // masseter
  f.Ellipsoid({0, -8.7 + m.double_chin * -0.9, -3.4}, {3.9, 2.05 + 0.5 * m.double_chin, 4.2},
              1.6);                                                 // floor of the mouth
  f.Ellipsoid({0, -6.9, -0.35 + m.muzzle}, {3.0, 2.9, 2.55}, 1.4);  // teeth and lips
  f.Ellipsoid({2.9, -5.7, -1.1},
              {2.5 + 0.25 * m.cheek_fullness, 3.0, 2.35 + 0.45 * m.cheek_fullness},
              1.5);  // buccal fat
  f.Ellipsoid({3.95 + m.cheekbone_width, -2.35, -1.05 + m.cheekbone}, {2.0, 1.6, 1.75}, 1.7, 0, 35,
              0);  // cheekbone
  f.RoundCone({4.9 + m.cheekbone_width, -1.9, -2.4}, {5.6 + m.cheekbone_width, -1.5, -6.6}, 0.75,
              0.75, 2.0);  // arch
  // Chin
  f.Ellipsoid({0, -10.0 - m.chin_height, 0.55 + m.chin_forward}, {1.85 + m.chin_width, 1.3, 1.4},
              1.7);
  f.Bump({0.75 + 0.5 * m.chin_width, -10.4 - m.chin_height, 1.5 + m.chin_forward}, {0.6, 0.55, 0.8},
         0.08);
  f.Bump({0, -10.2 - m.chin_height, 2.1 + m.chin_forward}, {0.22, 0.5, 0.8}, -m.chin_cleft);
}

void AddNeck(const HeadMeasures& m, Sdf& f) {
  const double w = m.neck_half_width;
  f.RoundCone({0, -4.5, -9.2}, {0, -15.5, -10.0}, 4.45 + w, 4.55 + w, 3.0);
  f.RoundCone({1.0, -8, -8.9}, {1.0, -17, -9.9}, 3.85 + w, 3.9 + w, 2.0);
  f.RoundCone({0, -11.5, -7.4}, {0, -19, -8.4}, 3.3, 3.4, 2.0);           // throat
  f.RoundCone({5.0, -3.6, -9.6}, {1.4, -19.3, -5.4}, 0.9, 0.8, 1.2);      // sternomastoid
  f.RoundCone({1.6, -5, -11.8}, {3.2, -15.0, -12.6}, 1.9, 2.5, 3.0);      // nape
  f.RoundCone({3.0, -14.8, -12.3}, {10.5, -19.8, -10.6}, 2.2, 2.2, 2.6);  // trapezius
  f.RoundCone({0, -20.6, -9.4}, {11, -21.6, -10.0}, 3.9, 3.0, 2.4);       // shoulders
  f.Ellipsoid({0, -23.5, -9.0}, {9.5, 6.0, 5.2}, 2.5);                    // chest
  f.Ellipsoid({0, -20.2, -12.4}, {7.0, 5.0, 4.0}, 2.5);                   // upper back
  f.RoundCone({1.2, -19.6, -4.7}, {8.4, -18.7, -7.4}, 0.55, 0.5, 0.9);    // collarbone
  f.Bump({0, -19.2, -4.4}, {0.8, 0.8, 1.0}, -0.25);                       // the notch between
  f.Bump({0, -13.6, -4.0}, {0.8, 1.0, 1.2}, m.larynx);
}

void AddNose(const HeadMeasures& m, Sdf& f) {
  const double tip_y = -3.62 - m.nose_length + m.nose_tip_up, tip_z = 3.42 + m.nose_tip_forward;
  const double root_z = 1.12 + m.nose_root;
  const Vec3 root = {0, 0.55, root_z};
  const Vec3 middle = {0, -1.75 - 0.4 * m.nose_length,
                       2.28 + m.nose_hump + 0.45 * m.nose_tip_forward + m.nose_bridge_height};
  const Vec3 tip = {0, tip_y, tip_z};
  const double w = m.nose_bridge_width;
  f.RoundCone({0, 1.9, 1.25 + 0.4 * m.nose_root}, root, 0.75 + w, 0.52 + w,
              1.0);  // glabella to root
  f.RoundCone(root, middle, 0.50 + w, 0.54 + w, 0.9);
  f.RoundCone(middle, {0, tip_y + 0.18, tip_z - 0.12}, 0.54 + w, 0.56 + 0.5 * m.nose_tip_size, 0.9);
  // Side walls widen downward.
  f.RoundCone({0.35 + w, 0.1, 0.72}, {0.80 + 0.4 * m.nose_wing_width, -3.2 - m.nose_length, 1.85},
              0.55, 0.85, 1.3);
  f.Ellipsoid(tip,
              {0.62 + m.nose_tip_size, 0.58 + 0.8 * m.nose_tip_size, 0.66 + 0.6 * m.nose_tip_size},
              0.45);
  f.Ellipsoid({0.28 + 0.3 * m.nose_tip_size, tip_y + 0.02, tip_z + 0.12}, {0.42, 0.46, 0.46},
              0.35);  // the two domes
  // Wings
  const double wing_y = -4.02 - 0.9 * m.nose_length + 0.4 * m.nose_tip_up, s = m.nose_wing_size;
  f.Ellipsoid({1.12 + m.nose_wing_width, wing_y, 2.30 + 0.3 * m.nose_tip_forward},
              {0.46 + 0.6 * s, 0.58 + s, 0.82 + 0.5 * s}, 0.35, 8, -24, 0);
  f.RoundCone({1.05 + m.nose_wing_width, wing_y + 0.02, 2.75}, {0.45, tip_y - 0.05, tip_z - 0.05},
              0.3, 0.42, 0.35);  // soft triangle
  f.RoundCone({0, tip_y - 0.36, tip_z + 0.06}, {0, -4.50 - 0.9 * m.nose_length, 2.30}, 0.28, 0.34,
              0.35);  // columella
  // Nostrils
  f.CarveEllipsoid({0.62 + 0.6 * m.nose_wing_width, wing_y - 0.40, 2.92 + 0.5 * m.nose_tip_forward},
                   {0.33 + 0.3 * m.nose_wing_width, 0.50, 0.62}, 0.16, 12, -24, 0);
  // The groove behind a wing.
  f.RidgeAlong({{1.68 + m.nose_wing_width, wing_y + 0.62, 1.7},
                {1.82 + m.nose_wing_width, wing_y, 1.6},
                {1.62 + m.nose_wing_width, wing_y - 0.5, 1.7}},
               0.17, -0.10);
}

void AddEyes(const HeadMeasures& m, Sdf& f) {
  const double x = m.eye_x, z = m.eye_depth;
  f.CarveEllipsoid({x - 0.05, 0.35, 2.60 + z}, {1.95, 1.15, 1.62}, 1.1, 0, 8, -4);  // orbit
  f.CarveEllipsoid({x - 1.45, 0.35, 2.2 + z}, {0.65, 0.8, 0.9}, 0.7);  // its inner corner
  f.Ridge({0.9, 2.15 + m.brow_height, 1.75}, {3.6, 2.35 + m.brow_height, 1.2}, 0.55, m.brow_ridge);
  f.Ridge({3.4, 2.3 + m.brow_height, 1.2}, {4.9, 1.3 + m.brow_height, -0.2}, 0.5,
          0.8 * m.brow_ridge);
  f.Bump({0, 1.95 + m.brow_height, 2.2}, {0.8, 0.6, 0.8}, 0.5 * m.brow_ridge);
  // The ball under the lids: longer towards the inner corner.
  f.Ellipsoid({x, 0.12, z}, {1.40, 1.26, 1.37}, 0.6);
  f.Ellipsoid({x - 0.5, 0.0, z + 0.02}, {1.18, 0.9, 1.05}, 0.5);
  f.Bump({x + 0.15, 1.30, 1.15 + z}, {1.25, 0.26, 0.7},
         0.18 + m.lid_fullness);  // fold above the upper lid
  f.RidgeAlong({{x - 1.25, 0.42, 0.9 + z},
                {x - 0.7, 0.78, 1.2 + z},
                {x + 0.1, 0.92, 1.2 + z},
                {x + 0.8, 0.74, 0.95 + z},
                {x + 1.35, 0.32, 0.5 + z}},
               0.15, -0.17);
  f.RidgeAlong({{x - 1.3, -0.75, 1.1 + z}, {x - 0.4, -1.15, 1.1 + z}, {x + 0.6, -1.1, 0.8 + z}},
               0.2, -m.under_eye);
}

void AddMouth(const HeadMeasures& m, Sdf& f) {
  const double y = m.mouth_y, z = m.lip_forward + m.muzzle;
  f.RoundCone({0.50, y + 0.46, 1.84 + z}, {2.2, y + 0.08, 0.95 + z}, 0.58, 0.32, 0.6);  // upper lip
  f.RoundCone({0.40, y - 0.50, 1.68 + z}, {2.1, y - 0.14, 0.92 + z}, 0.62, 0.32, 0.6);  // lower lip
  f.Bump({0, y - 1.62, 1.95 + z}, {1.25, 0.36, 0.6}, -0.22);  // under the lower lip
  f.Ridge({0, -5.0 - m.nose_length * 0.8, 2.6 + z}, {0, y + 1.0, 2.6 + z}, 0.20, -m.philtrum);
  f.Ridge({0.36, -5.1 - m.nose_length * 0.8, 2.5 + z}, {0.38, y + 1.0, 2.6 + z}, 0.14,
          0.5 * m.philtrum);
  f.RidgeAlong({{1.9, -4.6, 1.6}, {2.5, -5.5, 1.25}, {2.95, -6.5, 0.95}, {3.05, -7.3, 0.7}}, 0.28,
               -m.nasolabial);
  f.Bump({2.75, y - 0.05, 0.9 + z}, {0.28, 0.4, 0.6}, -0.10);  // corner of the mouth
  f.Bump({3.3, y + 0.1, 0.4}, {0.5, 1.0, 0.8}, 0.05);          // the pad beside it
}

}  // namespace

Sdf MakeHeadField(const HeadMeasures& m) {
  Sdf f;
  AddSkull(m, f);
  AddFaceBlock(m, f);
  AddNeck(m, f);
  f.Bump({6.1, 1.9, -1.9}, {1.3, 1.5, 1.9}, -m.temple_depth);
  f.Bump({4.3, -6.2, -0.9}, {1.4, 1.2, 1.5}, -0.12);  // below the cheekbone
  AddEyes(m, f);
  AddNose(m, f);
  AddMouth(m, f);
  return f;
}

}  // namespace daf::head
