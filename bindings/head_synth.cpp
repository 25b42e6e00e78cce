// native/head/synth for TypeScript; declared again in src/core/addon/head_synth.ts.
#include <algorithm>
#include <string>

#include "bindings/head_values.h"
#include "native/head/synth/albedo.h"
#include "native/head/synth/faces/faces.h"
#include "native/head/synth/photo.h"

namespace daf::node {
namespace {

// The embedded head and its marks; false (and thrown) for another model, whose places the painter
// does not know.
bool Embedded(Napi::Env env, const Napi::Value& value,
              std::shared_ptr<const head::HeadModel>* model,
              std::shared_ptr<const head::HeadMarks>* marks) {
  const head::HeadModel* given = ReadHead(value);
  if (given == nullptr || !Check(env, head::BuiltinHead(model)) ||
      !Check(env, head::BuiltinMarks(marks)))
    return false;
  if (given == model->get()) return true;
  ThrowArgument(env, "only the embedded head (headLoad(null)) can be painted and synthesised");
  return false;
}

Napi::Float32Array Floats(Napi::Env env, const float* from, size_t count) {
  Napi::Float32Array out = Napi::Float32Array::New(env, count);
  std::copy_n(from, count, out.Data());
  return out;
}

const char* const kStyles[] = {"short", "long", "bald", "receding", "bun", "cropped"};

Napi::Object MakeLooks(Napi::Env env, const head::Looks& looks) {
  Napi::Object out = Napi::Object::New(env);
  auto number = [&](const char* name, double value) {
    out.Set(name, Napi::Number::New(env, value));
  };
  number("grain", looks.grain);
  number("masculine", looks.masculine);
  number("age", looks.age);
  number("melanin", looks.melanin);
  number("blood", looks.blood);
  number("freckles", looks.freckles);
  number("stubble", looks.stubble);
  number("moles", looks.moles);
  number("browDensity", looks.brow_density);
  number("browWidth", looks.brow_width);
  number("lipColour", looks.lip_colour);
  number("grey", looks.grey);
  out.Set("hair", Floats(env, looks.hair, 3));
  out.Set("iris", Floats(env, looks.iris, 3));
  out.Set("style", Napi::String::New(env, kStyles[static_cast<int>(looks.style)]));
  out.Set("marks", Napi::Boolean::New(env, looks.marks));
  return out;
}

bool ReadLooks(const Napi::Value& value, head::Looks* looks) {
  Napi::Env env = value.Env();
  if (!value.IsObject()) {
    ThrowArgument(env, "looks must be an object");
    return false;
  }
  const Napi::Object object = value.As<Napi::Object>();
  const std::pair<const char*, float*> numbers[] = {
      {"masculine", &looks->masculine},      {"age", &looks->age},
      {"melanin", &looks->melanin},          {"blood", &looks->blood},
      {"freckles", &looks->freckles},        {"stubble", &looks->stubble},
      {"browDensity", &looks->brow_density}, {"browWidth", &looks->brow_width},
      {"lipColour", &looks->lip_colour},     {"grey", &looks->grey}};
  double number;
  for (const auto& [name, target] : numbers) {
    if (!ReadNumber(object, name, &number)) return false;
    if (!(number >= -1 && number <= 4)) {
      ThrowArgument(env, std::string("looks.") + name + " is out of range");
      return false;
    }
    *target = static_cast<float>(number);
  }
  double grain, moles;
  if (!ReadNumber(object, "grain", &grain) || !ReadNumber(object, "moles", &moles)) return false;
  looks->grain = static_cast<uint32_t>(static_cast<int64_t>(std::clamp(grain, 0.0, 4294967295.0)));
  looks->moles = static_cast<int>(std::clamp(moles, 0.0, 100.0));
  Span<float> hair, iris;
  if (!ReadFloats(object.Get("hair"), "looks.hair", &hair) ||
      !CheckSize(env, "looks.hair", hair.size, 3) ||
      !ReadFloats(object.Get("iris"), "looks.iris", &iris) ||
      !CheckSize(env, "looks.iris", iris.size, 3)) {
    return false;
  }
  std::copy_n(hair.data, 3, looks->hair);
  std::copy_n(iris.data, 3, looks->iris);
  const std::string style =
      object.Get("style").IsString() ? object.Get("style").As<Napi::String>().Utf8Value() : "";
  for (int i = 0; i < 6; ++i) {
    if (style != kStyles[i]) continue;
    looks->style = static_cast<head::HairStyle>(i);
    looks->marks = object.Get("marks").ToBoolean();
    return true;
  }
  ThrowArgument(env, "looks.style is 'short', 'long', 'bald', 'receding', 'bun' or 'cropped'");
  return false;
}

Napi::Value MakePersonOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::shared_ptr<const head::HeadModel> model;
  std::shared_ptr<const head::HeadMarks> marks;
  if (!Embedded(env, info[0], &model, &marks)) return env.Undefined();
  if (!info[1].IsNumber() || !info[2].IsNumber() || !info[3].IsBoolean()) {
    ThrowArgument(env, "makePerson(head, seed, person, marks)");
    return env.Undefined();
  }
  const head::Person person =
      head::MakePerson(*model, static_cast<uint64_t>(info[1].As<Napi::Number>().Int64Value()),
                       info[2].As<Napi::Number>().Uint32Value(), info[3].As<Napi::Boolean>());
  Napi::Object out = Napi::Object::New(env);
  out.Set("identity", Floats(env, person.identity.data(), person.identity.size()));
  out.Set("looks", MakeLooks(env, person.looks));
  return out;
}

Napi::Value AverageLooks(const Napi::CallbackInfo& info) {
  return MakeLooks(info.Env(), head::Looks{});
}

Napi::Value PaintAlbedoTo(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::shared_ptr<const head::HeadModel> model;
  std::shared_ptr<const head::HeadMarks> marks;
  head::Looks looks;
  TaskControl control;
  Span<uint8_t> rgba;
  if (!Embedded(env, info[0], &model, &marks) || !ReadLooks(info[1], &looks))
    return env.Undefined();
  const int size = info[2].IsNumber() ? info[2].As<Napi::Number>().Int32Value() : 0;
  if (size < 64 || size > 4096) {
    ThrowArgument(env, "paintAlbedo: size is between 64 and 4096");
    return env.Undefined();
  }
  if (!ReadControl(info[3], &control) || !ReadBytes(info[4], "paintAlbedo: rgba", &rgba) ||
      !CheckSize(env, "paintAlbedo: rgba", rgba.size,
                 size_t{4} * static_cast<size_t>(size) * static_cast<size_t>(size))) {
    return env.Undefined();
  }
  (void)Check(env, head::PaintAlbedo(*model, *marks, looks, size, control, rgba.data));
  return env.Undefined();
}

// null leaves the default: drawn from the seed.
bool ReadDrawn(const Napi::Object& object, const char* name, float* out) {
  const Napi::Value value = object.Get(name);
  if (value.IsNull()) return true;
  double number;
  if (!ReadNumber(object, name, &number)) return false;
  *out = static_cast<float>(number);
  return true;
}

bool ReadPhotoOptions(const Napi::Value& value, head::PhotoOptions* out) {
  if (!value.IsObject()) {
    ThrowArgument(value.Env(), "options must be an object");
    return false;
  }
  const Napi::Object object = value.As<Napi::Object>();
  double seed, person, photo, width, height, texture;
  if (!ReadNumber(object, "seed", &seed) || !ReadNumber(object, "person", &person) ||
      !ReadNumber(object, "photo", &photo) || !ReadNumber(object, "width", &width) ||
      !ReadNumber(object, "height", &height) || !ReadNumber(object, "texture", &texture) ||
      !ReadDrawn(object, "yaw", &out->yaw) || !ReadDrawn(object, "pitch", &out->pitch) ||
      !ReadDrawn(object, "roll", &out->roll) || !ReadDrawn(object, "focalMm", &out->focal_mm) ||
      !ReadDrawn(object, "expression", &out->expression)) {
    return false;
  }
  if (!(width >= 64 && width <= 2048 && height >= 64 && height <= 2048 && texture >= 64 &&
        texture <= 4096)) {
    ThrowArgument(value.Env(), "synthesize: width and height are 64…2048, texture 64…4096");
    return false;
  }
  if (!(seed >= 0 && seed <= 9007199254740991.0 && person >= 0 && person <= 4294967295.0 &&
        photo >= 0 && photo <= 4294967295.0)) {
    ThrowArgument(value.Env(), "synthesize: seed, person and photo are non-negative integers");
    return false;
  }
  out->seed = static_cast<uint64_t>(seed);
  out->person = static_cast<uint32_t>(person);
  out->photo = static_cast<uint32_t>(photo);
  out->width = static_cast<int>(width);
  out->height = static_cast<int>(height);
  out->texture = static_cast<int>(texture);
  out->marks = object.Get("marks").ToBoolean();
  return true;
}

Napi::Value Synthesize(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::shared_ptr<const head::HeadModel> model;
  std::shared_ptr<const head::HeadMarks> marks;
  head::PhotoOptions options;
  TaskControl control;
  if (!Embedded(env, info[0], &model, &marks) || !ReadPhotoOptions(info[1], &options) ||
      !ReadControl(info[2], &control)) {
    return env.Undefined();
  }
  const size_t pixels = static_cast<size_t>(options.width) * static_cast<size_t>(options.height);
  Napi::Uint8Array rgb = Napi::Uint8Array::New(env, 3 * pixels),
                   mask = Napi::Uint8Array::New(env, pixels);
  head::Photo photo;
  if (!Check(env, head::SynthesizePhoto(*model, *marks, options, control, &photo, rgb.Data(),
                                        mask.Data())))
    return env.Undefined();
  Napi::Object out = Napi::Object::New(env);
  out.Set("rgb", rgb);
  out.Set("mask", mask);
  out.Set("camera", MakeCamera(env, photo.camera));
  out.Set("yaw", Napi::Number::New(env, photo.yaw));
  out.Set("pitch", Napi::Number::New(env, photo.pitch));
  out.Set("roll", Napi::Number::New(env, photo.roll));
  out.Set("focalMm", Napi::Number::New(env, photo.focal_mm));
  out.Set("identity", Floats(env, photo.identity.data(), photo.identity.size()));
  out.Set("expression", Floats(env, photo.expression.data(), photo.expression.size()));
  out.Set("landmarks", Floats(env, photo.landmarks.data(), photo.landmarks.size()));
  return out;
}

const char* const kForms[] = {"crops", "scenes", "plain"};
constexpr size_t kFaceValues = 3 * head::kLandmarks + 7 + 2 * head::kJawPoints;

bool ReadFacesOptions(const Napi::Value& value, head::FacesOptions* out) {
  Napi::Env env = value.Env();
  if (!value.IsObject()) {
    ThrowArgument(env, "options must be an object");
    return false;
  }
  const Napi::Object object = value.As<Napi::Object>();
  double seed, first, count, side;
  if (!ReadNumber(object, "seed", &seed) || !ReadNumber(object, "first", &first) ||
      !ReadNumber(object, "count", &count) || !ReadNumber(object, "side", &side))
    return false;
  if (!(seed >= 0 && seed <= 9007199254740991.0 && first >= 0 && first <= 4e9 && count >= 1 &&
        count <= 4096 && side >= 64 && side <= 1024)) {
    ThrowArgument(env, "synthesizeFaces: seed and first ≥ 0, count 1…4096, side 64…1024");
    return false;
  }
  out->seed = static_cast<uint64_t>(seed);
  out->first = static_cast<uint32_t>(first);
  out->count = static_cast<uint32_t>(count);
  out->side = static_cast<int>(side);
  const std::string form =
      object.Get("form").IsString() ? object.Get("form").As<Napi::String>().Utf8Value() : "";
  for (int i = 0; i < 3; ++i) {
    if (form != kForms[i]) continue;
    out->form = static_cast<head::FacesForm>(i);
    return true;
  }
  ThrowArgument(env, "synthesizeFaces: form is 'crops', 'scenes' or 'plain'");
  return false;
}

Napi::Value SynthesizeFacesOf(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const head::HeadModel* model = ReadHead(info[0]);
  std::shared_ptr<const head::HeadModel> embedded;
  std::shared_ptr<const head::HeadMarks> marks;
  head::FacesOptions options;
  TaskControl control;
  if (model == nullptr || !Check(env, head::BuiltinHead(&embedded)) ||
      !Check(env, head::BuiltinMarks(&marks)) || !ReadFacesOptions(info[1], &options) ||
      !ReadControl(info[2], &control))
    return env.Undefined();
  const size_t side = static_cast<size_t>(options.side), count = options.count;
  Napi::Uint8Array rgb = Napi::Uint8Array::New(env, 3 * side * side * count);
  std::vector<std::vector<head::FaceTruth>> truth;
  if (!Check(env, head::SynthesizeFaces(*model, model == embedded.get() ? marks.get() : nullptr,
                                        options, control, rgb.Data(), &truth)))
    return env.Undefined();
  Napi::Uint8Array faces = Napi::Uint8Array::New(env, count);
  Napi::Float32Array values = Napi::Float32Array::New(env, count * head::kMostFaces * kFaceValues);
  std::fill_n(values.Data(), values.ElementLength(), 0.0f);
  for (size_t i = 0; i < count; ++i) {
    faces[i] = static_cast<uint8_t>(truth[i].size());
    for (size_t k = 0; k < truth[i].size(); ++k) {
      const head::FaceTruth& face = truth[i][k];
      float* out = values.Data() + (i * head::kMostFaces + k) * kFaceValues;
      out = std::copy(face.landmarks.begin(), face.landmarks.end(), out);
      for (bool seen : face.seen) *out++ = seen ? 1.0f : 0.0f;
      out = std::copy_n(face.box, 4, out);
      out[0] = face.yaw;
      out[1] = face.pitch;
      out[2] = face.roll;
      std::copy(face.jaw.begin(), face.jaw.end(), out + 3);
    }
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("rgb", rgb);
  out.Set("faces", faces);
  out.Set("truth", values);
  return out;
}

}  // namespace

void RegisterHeadSynth(Napi::Env env, Napi::Object exports) {
  exports.Set("makePerson", Napi::Function::New(env, MakePersonOf, "makePerson"));
  exports.Set("averageLooks", Napi::Function::New(env, AverageLooks, "averageLooks"));
  exports.Set("paintAlbedo", Napi::Function::New(env, PaintAlbedoTo, "paintAlbedo"));
  exports.Set("synthesize", Napi::Function::New(env, Synthesize, "synthesize"));
  exports.Set("synthesizeFaces", Napi::Function::New(env, SynthesizeFacesOf, "synthesizeFaces"));
}

}  // namespace daf::node
