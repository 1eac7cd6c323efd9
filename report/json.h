// Any struct with FIELDS as JSON: field names are keys, enums their names, strings escaped to UTF-8.
#pragma once
#include "core/text.h"
#include "report/report.h"
#include "report/words.h"

#include <nlohmann/json.hpp>

namespace assay::report {

using Json = nlohmann::ordered_json;

class ToJson {
 public:
  explicit ToJson(const Examination& examination) : examination_(examination) {}

  Json value(bool v) { return v; }
  Json value(const std::string& v) { return escape(v); }
  Json value(const Digest& v) { return v.hex(); }
  Json value(const Evidence& evidence) {
    return {{"artifact", full_way(examination_, evidence.artifact)},
            {"offset", evidence.offset},
            {"length", evidence.length},
            {"shows", escape(evidence.shows)},
            {"command", command_for(examination_, evidence, {})}};
  }
  template <class T>
  Json value(const std::optional<T>& v) {
    return v ? value(*v) : Json(nullptr);
  }
  template <class T>
  Json value(const std::vector<T>& list) {
    Json out = Json::array();
    for (const T& v : list) out.push_back(value(v));
    return out;
  }
  template <class A, class B>
  Json value(const std::pair<A, B>& v) {
    return Json::array({value(v.first), value(v.second)});
  }
  template <class T>
  Json value(const T& v) {
    if constexpr (std::is_enum_v<T>) {
      return std::string(name_of(v));
    } else if constexpr (std::is_integral_v<T>) {
      return v;
    } else {
      Json out = Json::object();
      T::fields(v, Into{*this, out});
      return out;
    }
  }

 private:
  struct Into {
    ToJson& of;
    Json& out;
    template <class T>
    void operator()(std::string_view name, const T& v) {
      if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<std::string>>) {
        if (is_way(name)) return put_way(name, v);
      }
      out[std::string(name)] = of.value(v);
    }
    // Fields that hold ways: escaped already, and named from the image down like every other place in the report.
    static bool is_way(std::string_view name) {
      return name == "resolves_to" || name == "started_by" || name == "root" || name == "cgi";
    }
    void put_way(std::string_view name, const std::string& way) {
      out[std::string(name)] = way.empty() ? "" : full_way(of.examination_, way);
    }
    void put_way(std::string_view name, const std::vector<std::string>& ways) {
      Json list = Json::array();
      for (const std::string& way : ways) list.push_back(full_way(of.examination_, way));
      out[std::string(name)] = std::move(list);
    }
  };
  const Examination& examination_;
};

}  // namespace assay::report
