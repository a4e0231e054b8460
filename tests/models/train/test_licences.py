"""Only what clearly asks for no more than attribution is learned from."""

from __future__ import annotations

import pytest

from models.train.licences import debian_allows, of_debian, of_npm, of_wheel, permissive, stanzas

DEP5 = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: thing

Files: *
Copyright: 2020 Somebody
License: Expat

Files: src/regex/*
 lib/old.?
Copyright: 2001 Somebody Else
License: GPL-2+
 This program is free software.

Files: debian/*
Copyright: 2021 A Packager
License: GPL-3+
"""


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "Apache Software License",
        "Apache License, Version 2.0",
        "BSD-3-Clause AND MIT",
        "GPL-2 or Expat",
        "GPL-2+, or BSD-3-clause",
        "Python Software Foundation License",
        "Unlicense or MIT",
        "(MIT OR Apache-2.0) AND ISC",
    ],
)
def test_a_permissive_licence_is_accepted(licence: str) -> None:
    """Of alternatives one is enough; of licences that hold together, all must do."""
    assert permissive(licence)


@pytest.mark.parametrize(
    "licence",
    [
        "",
        "UNKNOWN",
        "GPL-3.0",
        "MIT and LGPL-2.1",
        "MIT, GPL-2",
        "BSD/GPL",
        "MPL-2.0",
        "Apache-1.1",
        "BSL-1.1",
        "CC-BY-NC-4.0",
        "SEE LICENSE IN LICENSE.md",
        "(MIT AND GPL-2.0) OR LGPL-3.0",
        "MIT AND (GPL-2.0 OR Apache-2.0)",
        "Proprietary (see the BSD parts)",
    ],
)
def test_an_unclear_licence_is_refused(licence: str) -> None:
    """What has to be guessed is not learned from."""
    assert not permissive(licence)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("Name: a\nLicense-Expression: MIT\nLicense: GPL\n", "MIT"),
        ("Name: a\nClassifier: License :: OSI Approved :: BSD License\n", "BSD License"),
        (
            "Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: MIT License\n"
            "Classifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)\n",
            "MIT License and Mozilla Public License 2.0 (MPL 2.0)",
        ),
        ("Name: a\nLicense: ISC\n", "ISC"),
        ("Name: a\nLicense: " + "Permission is hereby granted " * 10 + "\n", ""),
        ("Name: a\n\nLicense: MIT, says the description\n", ""),
    ],
)
def test_a_wheel_names_its_licence(metadata: str, expected: str) -> None:
    """The expression counts first, then the classifiers together, then a short name."""
    assert of_wheel(metadata) == expected


def test_an_npm_package_names_its_licence() -> None:
    """Old manifests name it in two other shapes."""
    assert of_npm({"license": "MIT"}) == "MIT"
    assert of_npm({"license": {"type": "ISC", "url": "x"}}) == "ISC"
    assert of_npm({"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}) == "MIT OR GPL-2.0"
    assert of_npm({}) == ""


def test_a_machine_readable_copyright_file_speaks_of_files() -> None:
    """Files under a licence of their own are left out of a package that is free as a whole."""
    found = stanzas(DEP5)
    assert of_debian(found) == "Expat"
    assert debian_allows(found, "src/main.c")
    assert not debian_allows(found, "src/regex/match.c")
    assert not debian_allows(found, "lib/old.c")
    assert debian_allows(found, "lib/older.c")
    # Installed files stand deeper than in the source.
    assert not debian_allows(found, "github.com/a/thing/src/regex/match.go")


def test_a_copyright_file_in_prose_is_refused() -> None:
    """No parser reads what a person wrote for persons."""
    found = stanzas("This package was debianized by somebody.\n\nIt is under the MIT license.\n")
    assert found == ()
    assert not permissive(of_debian(found))
    assert not debian_allows(found, "src/main.c")
