"""Checks that every name in an anonymous namespace is its file's own.

The release preset compiles several files of a target as one (docs/decisions/019-files-compiled-together.md). A name
that two of them keep for themselves would be declared twice there, and one that a header declares too, in the same
namespace or in one around it, would hide the header's or make it ambiguous.

It reads what clang-format leaves: declarations of a namespace begin in the first column.
"""

import collections
import re

import sources

RAW_STRING = re.compile(r'R"(\w*)\(.*?\)\1"', re.DOTALL)
NAMESPACE = re.compile(r"namespace(?: ([\w:]+))? \{$")
# Not behind a namespace of one line.
END_OF_NAMESPACE = re.compile(r"\}  // namespace")
TYPE = re.compile(r"(?:struct|class|union|enum class|enum) (\w+)(?: final)?(?: :.*| \{.*)?$")
ALIAS = re.compile(r"using (\w+) =")
BROUGHT = re.compile(r"using [\w:]+::(\w+);")
# A type and the name that follows it, before what only a function or a variable has there.
FUNCTION_OR_VARIABLE = re.compile(r"[a-zA-Z_].*?[\w>&*\])] ?[&*]*\b(?<!::)(\w+)(?:\(| = |\{|\[|;)")
# An alias of a namespace may be declared again.
NO_DECLARATION = re.compile(r"(template|namespace|using|static_assert|friend|extern|TEST|TYPED_TEST|INSTANTIATE_|SWEEP_)")


def declared_name(line):
    match = TYPE.match(line) or ALIAS.match(line)
    if not match and not NO_DECLARATION.match(line) and " operator" not in line:
        match = FUNCTION_OR_VARIABLE.match(line)
    return match[1] if match else None


def names_in(text):
    """(namespace, is anonymous, name, line, is declared and not only brought by `using`) at the level of namespaces."""
    text = RAW_STRING.sub(lambda match: '""' + "\n" * match[0].count("\n"), text)
    spaces, opened = [], 0
    for number, line in enumerate(text.splitlines(), 1):
        opens = NAMESPACE.match(line)
        if opens:
            spaces.append(opens[1])
            opened = number
        elif spaces and (END_OF_NAMESPACE.match(line) or (line == "}" and number == opened + 2)):
            spaces.pop()
        elif spaces and line[:1].isalpha():
            brought = BROUGHT.match(line)
            name = brought[1] if brought else declared_name(line)
            if name:
                yield "::".join(filter(None, spaces)), None in spaces, name, number, not brought


def around(namespace):
    """The namespace itself and those around it."""
    parts = namespace.split("::")
    return ["::".join(parts[:count]) for count in range(len(parts), 0, -1)]


def room_of(path):
    """Files of different rooms are never compiled together, though tests are in the namespace of what they test."""
    return path.parent if path.parts[0] in ("tests", "benchmarks") else None


def collect(root, files):
    """The first header that declares a name, by (namespace, name); {file: (line, is declared)} by (namespace, name, room)."""
    of_headers, own = {}, collections.defaultdict(dict)
    for path in files:
        for space, anonymous, name, line, declared in names_in((root / path).read_text(encoding="utf-8")):
            if path.suffix == ".hpp" and declared:
                of_headers.setdefault((space, name), path)
            elif path.suffix == ".cpp" and anonymous:
                own[space, name, room_of(path)].setdefault(path, (line, declared))
    return of_headers, own


def findings_of(of_headers, own):
    for (space, name, _), places in own.items():
        first = min(places)
        one_declares = any(declared for _, declared in places.values())
        for path, (line, declared) in sorted(places.items()):
            if path != first and one_declares:
                yield f"{path}:{line}: {name} is also a name of {first} ({space}); give it one of its own, or declare it once"
            for wider in around(space):
                if declared and (wider, name) in of_headers:
                    yield f"{path}:{line}: {name} hides what {of_headers[wider, name]} declares ({wider}); give it another"


def main():
    root = sources.parse_root(__doc__.splitlines()[0])
    files = sources.project_files(root, (".cpp", ".hpp"))
    sources.report("own_names", len(files), sorted(findings_of(*collect(root, files))))


if __name__ == "__main__":
    main()
