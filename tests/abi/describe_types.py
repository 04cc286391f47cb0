#!/usr/bin/env python3
"""usage: describe_types.py DESCRIPTION

Prints our types in a description that abidw has made, a line for each size, base class, data member, virtual function and enumerator,
sorted. A plugin has compiled all of these in, so that a line which goes is a plugin which breaks; the text depends on nothing else. Not
said are the values of constants. Offsets and sizes are in bits, as in the description.
"""
import sys
import xml.etree.ElementTree as xml

QUALIFIERS = ("const", "volatile", "restrict")


class Types:
    """What the identifiers stand for."""

    def __init__(self, root):
        self.elements = {}
        self.scopes = {}
        self.collect(root, "")

    def collect(self, element, scope):
        if "id" in element.attrib:
            self.elements.setdefault(element.get("id"), element)
            self.scopes.setdefault(element.get("id"), scope)
        if element.tag in ("namespace-decl", "class-decl", "union-decl"):
            scope += element.get("name") + "::"
        for child in element:
            self.collect(child, scope)

    def name(self, identifier):
        element = self.elements[identifier]
        inner = element.get("type-id")
        if element.tag == "pointer-type-def":
            return self.name(inner) + "*"
        if element.tag == "reference-type-def":
            return self.name(inner) + ("&" if element.get("kind") == "lvalue" else "&&")
        if element.tag == "typedef-decl" and self.scopes[identifier].startswith("autoarchive::"):
            return self.name(inner)  # what it stands for is what may not change
        if element.tag == "qualified-type-def":
            return " ".join([self.name(inner)] + [word for word in QUALIFIERS if element.get(word) == "yes"])
        if element.tag == "array-type-def":
            return self.name(inner) + "".join(f"[{part.get('length')}]" for part in element.findall("subrange"))
        if element.tag == "function-type":
            parameters = ", ".join(self.name(part.get("type-id")) for part in element.findall("parameter"))
            return f"{self.name(element.find('return').get('type-id'))}({parameters})"
        return self.scopes[identifier] + element.get("name")


def class_lines(types, element, name):
    if element.get("is-declaration-only") == "yes":
        return
    yield f"{name}: size {element.get('size-in-bits')}"
    for base in element.findall("base-class"):
        yield f"{name}: base {types.name(base.get('type-id'))} at {base.get('layout-offset-in-bits')}"
    for member in element.findall("data-member"):
        variable = member.find("var-decl")
        place = "static" if member.get("static") == "yes" else "at " + member.get("layout-offset-in-bits")
        yield f"{name}: member {variable.get('name')}: {types.name(variable.get('type-id'))} {place}"
    for member in element.findall("member-function"):
        if "vtable-offset" in member.attrib:
            function = member.find("function-decl")
            returns = types.name(function.find("return").get("type-id"))
            yield f"{name}: virtual {member.get('vtable-offset')}: {returns} {function.get('mangled-name')}"


def lines(types, element, scope):
    for child in element:
        name = scope + child.get("name", "")
        if child.tag == "member-type":
            yield from lines(types, child, scope)
        elif child.tag == "namespace-decl":
            yield from lines(types, child, name + "::")
        elif child.tag in ("class-decl", "union-decl"):
            yield from class_lines(types, child, name)
            yield from lines(types, child, name + "::")
        elif child.tag == "enum-decl":
            yield f"{name}: of {types.name(child.find('underlying-type').get('type-id'))}"
            yield from (f"{name}: {value.get('name')} = {value.get('value')}" for value in child.findall("enumerator"))


def is_ours(element):
    return element.get("name", "").split("_")[0] == "autoarchive"  # the namespace, and the door's types in C


def main():
    root = xml.parse(sys.argv[1]).getroot()
    types = Types(root)
    found = set()
    for unit in root.findall("abi-instr"):
        for element in filter(is_ours, unit):
            is_namespace = element.tag == "namespace-decl"
            found.update(lines(types, element if is_namespace else [element], ""))
    print("\n".join(sorted(found)))


main()
