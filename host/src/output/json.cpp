#include "output/json.hpp"

#include <nlohmann/json.hpp>

#include "autoarchive/base/text.hpp"

namespace autoarchive::host {

using OrderedJson = nlohmann::ordered_json;

struct JsonRendering {
  static OrderedJson render(const Json& json) { return std::visit(JsonRendering{}, json.value_); }
  static std::string text(const Json& json, int indent) {
    return render(json).dump(indent, ' ', /*ensure_ascii=*/false, OrderedJson::error_handler_t::replace);
  }

  OrderedJson operator()(std::monostate) const { return nullptr; }
  OrderedJson operator()(const Json::Array& array) const {
    OrderedJson rendered = OrderedJson::array();
    for (const auto& item : array) rendered.push_back(render(item));
    return rendered;
  }
  OrderedJson operator()(const Json::Object& object) const {
    OrderedJson rendered = OrderedJson::object();
    for (const auto& [key, value] : object) rendered[key] = render(value);
    return rendered;
  }
  OrderedJson operator()(const auto& scalar) const { return scalar; }
};

std::string Json::dump() const {
  return JsonRendering::text(*this, -1);
}
std::string Json::pretty() const {
  return JsonRendering::text(*this, 2);
}

void add_path(Json::Object& object, std::string_view path) {
  object.emplace_back("path", path);
  if (!is_utf8(path)) object.emplace_back("path_b64", to_base64(path));
}

}  // namespace autoarchive::host
