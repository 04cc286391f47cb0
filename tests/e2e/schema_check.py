"""Checks JSON values against the published schemas, strictly: what a schema does not name is a fault too, although the schemas
let readers expect more. Knows the keywords that the schemas use, and no others. Remembers which members have been seen."""

import json
import pathlib
import re

KNOWN = {
    "$schema", "$id", "$ref", "$defs", "title", "description", "type", "required", "properties", "additionalProperties", "items",
    "enum", "const", "pattern", "minimum", "maximum", "anyOf", "oneOf", "allOf",
}  # fmt: skip
TYPES = {
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "null": lambda v: v is None,
}


class Mismatch(Exception):
    """A value that its schema does not allow."""


class Schemas:
    def __init__(self, folder):
        self.files = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in pathlib.Path(folder).glob("*.schema.json")}
        self.seen = set()
        self.members = set()
        for name, schema in self.files.items():
            self._survey(schema, name)

    def check(self, value, name):
        """Raises Mismatch, with the place, unless the value is what the schema of this name says."""
        self._check(value, self.files[name], name, "")

    def unseen(self):
        """Members that some schema names, and that no value had."""
        return sorted(self.members - self.seen)

    def _survey(self, schema, place):
        unknown = set(schema) - KNOWN
        if unknown:
            raise Mismatch(f"{place} uses {sorted(unknown)}, which this check does not know")
        for member, below in schema.get("properties", {}).items():
            self.members.add(f"{place}.{member}")
            self._survey(below, f"{place}.{member}")
        for name, below in schema.get("$defs", {}).items():
            self._survey(below, name)
        for keyword in ("items", "additionalProperties"):
            if keyword in schema:
                self._survey(schema[keyword], f"{place}[]")
        for keyword in ("anyOf", "oneOf", "allOf"):
            for below in schema.get(keyword, []):
                self._survey(below, self._branch(below, place))

    @staticmethod
    def _branch(schema, place):
        """The alternatives of the events are told apart by their name."""
        event = schema.get("properties", {}).get("event", {}).get("const")
        return f"{place}:{event}" if event else place

    def _resolve(self, schema, place):
        if "$ref" not in schema:
            return schema, place
        name = schema["$ref"].rsplit("/", 1)[1]
        return self.files["common"]["$defs"][name], name

    def _named(self, schema):
        """All members that an object may have by this schema and what it is made of."""
        schema, _ = self._resolve(schema, "")
        names = set(schema.get("properties", {}))
        for keyword in ("allOf", "oneOf", "anyOf"):
            for below in schema.get(keyword, []):
                names |= self._named(below)
        return names

    def _check(self, value, schema, place, where, is_whole=True):
        schema, place = self._resolve(schema, place)
        self._check_scalar(value, schema, where)
        if isinstance(value, dict):
            self._check_object(value, schema, place, where, is_whole)
        if isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                self._check(item, schema["items"], f"{place}[]", f"{where}[{index}]")
        for below in schema.get("allOf", []):
            self._check(value, below, place, where, is_whole=False)
        if "anyOf" in schema or "oneOf" in schema:
            self._check_choice(value, schema.get("anyOf", schema.get("oneOf")), place, where)

    @staticmethod
    def _check_scalar(value, schema, where):
        if "type" in schema and not TYPES[schema["type"]](value):
            raise Mismatch(f"{where}: {value!r} is no {schema['type']}")
        if "enum" in schema and value not in schema["enum"]:
            raise Mismatch(f"{where}: {value!r} is none of {schema['enum']}")
        if "const" in schema and value != schema["const"]:
            raise Mismatch(f"{where}: {value!r} is not {schema['const']!r}")
        if "pattern" in schema and not re.search(schema["pattern"], value):
            raise Mismatch(f"{where}: {value!r} does not fit {schema['pattern']}")
        if "minimum" in schema and value < schema["minimum"] or "maximum" in schema and value > schema["maximum"]:
            raise Mismatch(f"{where}: {value!r} is out of range")

    def _check_object(self, value, schema, place, where, is_whole):
        for member in schema.get("required", []):
            if member not in value:
                raise Mismatch(f"{where}: {member} is missing")
        for member, below in value.items():
            if member in schema.get("properties", {}):
                self.seen.add(f"{place}.{member}")
                self._check(below, schema["properties"][member], f"{place}.{member}", f"{where}.{member}")
            elif "additionalProperties" in schema:
                self._check(below, schema["additionalProperties"], f"{place}[]", f"{where}.{member}")
            elif is_whole and member not in self._named(schema):
                raise Mismatch(f"{where}: the schema does not name {member}")

    def _check_choice(self, value, choices, place, where):
        reasons = []
        for below in choices:
            try:
                return self._check(value, below, self._branch(below, place), where)
            except Mismatch as mismatch:
                reasons.append(str(mismatch))
        raise Mismatch(f"{where}: fits nothing of: {'; '.join(reasons)}")
